"""Every planted bug is found within a few seeds, and the same seeds pass without it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from headrace.delivery.settings import Ordering
from simulation import plants
from simulation.judge import Flaw
from simulation.script import draw
from simulation.world import play

WITHIN = 60
"""Seeds within which a plant has to be found."""


@pytest.mark.parametrize(
    ("plant", "ordering", "flaw"),
    [
        (plants.commit_before_settle, "any", "ahead"),
        (plants.settle_before_acknowledgement, "any", "ahead"),
        (plants.stale_epoch_commit, "any", "backwards"),
        (plants.dropped_on_401, "any", "ahead"),
        (plants.tier_skipped, "any", "early"),
        (plants.session_released_early, "session", "order"),
        (plants.mixed_orgs, "any", "foreign"),
    ],
)
def test_a_planted_bug_is_found(
    plant: Callable[[], AbstractContextManager[None]], ordering: Ordering, flaw: Flaw
) -> None:
    for seed in range(WITHIN):
        script = draw(seed, ordering)
        with plant():
            found = {verdict.flaw for verdict in play(script).verdicts}
        if flaw in found:
            assert not play(script).verdicts, "the same seed passes without the plant"
            return
    pytest.fail(f"{WITHIN} seeds did not find it")
