"""Hundreds of schedules, none of which may break a promise; and the simulator itself: it replays, and it shrinks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.delivery.settings import Ordering
from simulation import plants
from simulation.script import ORDERINGS, draw
from simulation.shrink import Cut, shrink
from simulation.world import play

SEEDS = 150
"""Schedules per ordering: `make simulate SEEDS=n` runs as many as one likes."""


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_no_schedule_breaks_a_promise(ordering: Ordering) -> None:
    for seed in range(SEEDS):
        result = play(draw(seed, ordering))

        assert not result.verdicts, f"make simulate SEED={seed} ORDERING={ordering}"


def test_schedules_meet_every_kind_of_fault() -> None:
    """A simulator whose faults do not bite would pass everything."""
    scripts = [draw(seed) for seed in range(200)]

    assert {spell.mood for script in scripts for spell in script.spells} >= {"hang", "mute", "late", "down", "wrong"}
    assert len({front.weather for script in scripts for front in script.fronts}) == 7
    assert len({(fault.blow, fault.is_before, fault.effect > 0) for each in scripts for fault in each.faults}) == 15


def test_a_seed_replays_to_the_letter() -> None:
    """Also in a process whose hashes are others."""
    program = "from simulation.test_simulation import trace_of; print(trace_of(5))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONHASHSEED": "77"}
    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60, check=True
    )

    assert trace_of(5) == trace_of(5) == other.stdout.rstrip("\n")


def trace_of(seed: int) -> str:
    return "\n".join(map(str, play(draw(seed, "any"), traced=True).trace))


def test_what_fails_is_shrunk_to_what_it_takes() -> None:
    script = draw(0, "any")
    with plants.commit_before_settle():
        cut = shrink(script, lambda smaller: bool(play(smaller).verdicts))
        smallest = cut.of(script)

        assert play(smallest).verdicts
    assert (len(smallest.emissions), len(smallest.workers)) == (1, 1)
    assert not smallest.spells + smallest.fronts + smallest.faults
    assert Cut.parse(str(cut)) == cut


def test_the_command_tells_of_failures_and_how_to_see_them_again() -> None:
    """Through a process of its own, as `make simulate` runs it."""
    program = "from simulation import __main__, plants\nwith plants.mixed_orgs(): raise SystemExit(__main__.main())"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    passed, failed = (
        subprocess.run(
            [sys.executable, *command, "--seeds", "2", "--seed", "0", "--ordering", "any", "--jobs", "1"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
        for command in (["-m", "simulation"], ["-c", program])
    )

    assert (passed.returncode, passed.stdout.split(":")[:2]) == (0, ["simulate", " passed"])
    assert failed.returncode == 1
    assert "SEED=0 verdict foreign\n" in failed.stdout
    assert 'replay: make simulate SEED=0 ORDERING=any WITHOUT="' in failed.stdout
