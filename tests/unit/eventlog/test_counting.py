"""What attempts add to counters."""

from collections.abc import Mapping

from headrace.eventlog.counting import EVERY_ORG, Counter, Counters
from headrace.wire.attempts import Attempt

AT = "2026-11-23T10:00:30.000Z"


def counted(*attempts: Attempt) -> Mapping[str, Counter]:
    """Return the counters of the minute by org."""
    counters = Counters()
    for attempt in attempts:
        counters.add_attempt(attempt)
    return {each.org: each for each in counters.all() if each.step == 60}


def attempt(org: str, **fields: float) -> Attempt:
    usual = {"ms": 2.0, "events": 5, "bytes": 50, "delivered": 5}
    return Attempt(org=org, destination="log", at=AT, **usual | fields)  # type: ignore[arg-type]


def test_posts_to_what_all_orgs_share_are_nobodys_and_count_once() -> None:
    """A worker writes them down as those of the org `*`, which is also how the sum of all orgs is called."""
    found = counted(attempt("*"))

    assert {org: (each.posts, each.posted) for org, each in found.items()} == {"-": (1, 5), EVERY_ORG: (1, 5)}


def test_ages_are_summed_up_where_they_are_known() -> None:
    found = counted(attempt("a", age_ms=40.0), attempt("a", age_ms=20.0), attempt("a", delivered=0))

    assert (found["a"].posts, found["a"].aged, found["a"].age_ms, found["a"].oldest_ms) == (3, 2, 60.0, 40.0)
