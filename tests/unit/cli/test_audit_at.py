"""What `headrace audit --at` refuses before it asks anything of Kafka."""

from pathlib import Path

import pytest

from headrace.cli.main import main

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("text", ["", "[]", '{"accepted":3}', '{"positions":{"headrace.events":{"0":[1]}}}', "\xff"])
def test_what_holds_no_positions_is_refused(tmp_path: Path, capsys: Captured, text: str) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(text.encode("latin-1"))

    assert main(["audit", "--at", str(file)]) == 2
    assert f"--at {file}: this is no document with positions" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: Captured) -> None:
    assert main(["audit", "--at", str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
