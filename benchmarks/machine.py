"""Where and of what a figure was taken: without that it means nothing."""

import os
import platform
import subprocess
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """*load* is the mean number of busy processes over the last minute, before anything was measured."""

    cpu: str
    cores: int
    python: str
    commit: str
    load: float


def machine() -> Machine:
    """Look at the machine and at the checkout; a commit that ends in `-dirty` has changes on top of it."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        commit=_commit(),
        load=round(os.getloadavg()[0], 2),
    )


def sentence(found: Machine) -> str:
    """Return one line about *found*."""
    return f"{found.cores} cores of {found.cpu}, Python {found.python}, commit {found.commit}, load {found.load}"


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
