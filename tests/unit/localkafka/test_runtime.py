"""Which Java runs the broker."""

from pathlib import Path

import pytest

from headrace.errors import LocalKafkaError
from headrace.localkafka.runtime import KAFKA_VERSION, fetch, find_java


def java(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def test_the_first_java_that_runs_and_is_new_enough_is_taken(tmp_path: Path) -> None:
    broken = java(tmp_path / "broken", "exit 1")
    odd = java(tmp_path / "odd", "echo 'not a Java' >&2")
    old = java(tmp_path / "old", """echo 'openjdk version "11.0.2" 2019-01-15' >&2""")
    good = java(tmp_path / "good", """echo 'openjdk version "17.0.15" 2025-04-15' >&2""")
    better = java(tmp_path / "better", """echo 'openjdk version "25" 2025-09-16' >&2""")

    assert find_java(iter([tmp_path / "missing", broken, odd, old, good, better])) == good


def test_without_java_the_error_says_what_was_tried_and_what_to_do(tmp_path: Path) -> None:
    old = java(tmp_path / "old", """echo 'java version "1.8.0_202"' >&2""")

    with pytest.raises(LocalKafkaError, match=r"Java 17 or newer.*old \(is Java 8\).*JAVA_HOME"):
        find_java(iter([old]))


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LocalKafkaError, match="XDG_CACHE_HOME"):
        fetch(tmp_path / "file" / "cache")


def test_jars_that_are_there_need_no_network(tmp_path: Path) -> None:
    """The list that a completed download leaves is believed for as long as every jar of it is there."""
    jars = [tmp_path / "a.jar", tmp_path / "b.jar"]
    for jar in jars:
        jar.touch()
    (tmp_path / f"kafka-{KAFKA_VERSION}.jars").write_text("\n".join(map(str, jars)))

    assert fetch(tmp_path) == f"{jars[0]}:{jars[1]}"
