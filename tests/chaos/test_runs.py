"""Whole runs on real parts, each in a process group of its own: what `make chaos` does, as tests."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chaos.run import Outcome

SEED = 20_261_123


@pytest.fixture
def directory() -> Iterator[Path]:
    """Not `tmp_path`, which is thrown away some runs later: what a run that failed left behind is to be looked at."""
    root = Path(tempfile.mkdtemp(prefix="headrace-chaos-"))
    yield root
    if not any(root.iterdir()):
        root.rmdir()


def chaos(directory: Path, *words: str, within: float) -> tuple[int, str, Outcome | None]:
    """Run to the end; return the exit code, the last line, and the outcome, which is kept unless the run passed."""
    command = [sys.executable, "-m", "chaos", "--directory", str(directory), *words]
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(Path(__file__).parents[1])]))
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=within, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    sys.stderr.write(done.stderr)
    kept = next(iter(directory.glob("*/outcome.json")), None)
    outcome = msgspec.json.decode(kept.read_bytes(), type=Outcome) if kept else None
    return done.returncode, done.stdout.strip().rpartition("\n")[2], outcome


@pytest.mark.timeout(400)
def test_smoke_passes(directory: Path) -> None:
    """A minute and a half: brokers, workers and bots killed and frozen, links cut, org servers that lie, full disks."""
    code, line, _ = chaos(directory, "--profile", "smoke", "--seed", str(SEED), within=390)

    assert line.startswith(f"chaos: passed profile=smoke seed={SEED} "), line
    assert " lost=0 order=0 audit=0 " in line
    assert code == 0
    assert list(directory.iterdir()) == [], "what passed leaves nothing behind"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_worker_that_commits_before_it_settles_is_caught(directory: Path) -> None:
    """The bug is planted in real workers, of which one is killed while it has events under way."""
    words = ("--profile", "smoke", "--seed", str(SEED), "--plant", "commit_before_settle")
    code, line, outcome = chaos(directory, *words, within=390)

    assert line.startswith("chaos: failed "), line
    assert code == 1
    assert outcome is not None
    assert outcome.findings.wrongs["lost"] > 0
    assert outcome.findings.wrongs["audit"] > 0, "the tool's own books know it too"
    shutil.rmtree(directory / f"smoke-{SEED}")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_full_passes(directory: Path) -> None:
    """Nine minutes and sixty faults."""
    code, line, _ = chaos(directory, "--profile", "full", "--seed", str(SEED), within=890)

    assert line.startswith("chaos: passed "), line
    assert code == 0
