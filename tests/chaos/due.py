"""Promise 6: nothing is posted again before its tier's delay, and how late things were.

What a worker that died, or lost its partitions, had under way is done again by another one from the record before:
where something moved partitions after that record's successor was written, and shortly before, a post is excused.
So is one that comes off a broken connection just after its worker gave it up.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence

from chaos.findings import Findings
from chaos.index import Index, Place
from chaos.ledger import Ledger
from chaos.records import Held, Requested

TOLERANCE = 0.05
"""Seconds by which clocks read at two places may differ."""

_UNCOMMITTED = 15.0
"""Seconds for which a record may stay uncommitted while others of its chunk are under way."""

_ON_ITS_WAY = 2.0
"""Seconds that bytes may take through a link that breaks connections, and what comes off it after it healed."""

_MOVES = ("broker", "worker")
BOUNDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


def check_due(index: Index, findings: Findings) -> None:
    """Find posts that came too early, and measure how late the others were."""
    moved = _moves(index.ledger)
    broken = _broken(index.ledger)
    late: list[float] = []
    for place, tiers in index.tiers.items():
        posts = index.posts.get(place, [])
        late += _late(tiers, posts)
        for post in posts:
            _check_post(index, place, post, tiers, moved, broken, findings)
    late.sort()
    findings.figures["retries"] = len(late)
    for share in (50, 99):
        findings.figures[f"late_p{share}"] = round(late[len(late) * share // 100], 3) if late else 0.0
    findings.figures["late_max"] = round(late[-1], 3) if late else 0.0
    counted = 0
    for bound in BOUNDS:
        upto = bisect_left(late, bound)
        findings.figures[f"late_below_{bound:g}s"] = upto - counted
        counted = upto
    findings.figures["late_beyond"] = len(late) - counted


def _check_post(
    index: Index,
    place: Place,
    post: Requested,
    tiers: Sequence[Held],
    moved: Sequence[float],
    broken: Mapping[str, Sequence[tuple[float, float]]],
    findings: Findings,
) -> None:
    is_slow = post.at >= post.sent_at + 1
    # Where it was long on its way, its signature says about when it was sent.
    sent = post.sent_at + 1.0 if is_slow else post.at
    written_by = float(post.sent_at) if is_slow else post.at
    if any(since <= post.at <= until for since, until in broken.get(post.destination, ())):
        written_by -= _ON_ITS_WAY
    before = [held for held in tiers if held.attempts and held.at < written_by]
    if not before or sent >= before[-1].due - TOLERANCE:
        return
    latest = before[-1]
    at = bisect_left(moved, latest.at - _UNCOMMITTED)
    if at < len(moved) and moved[at] <= post.at:
        return
    destination, n = place
    findings.wrong(
        "early",
        f"{index.name(n)} at {destination}: in request {post.request} at {post.at:.3f}, "
        f"{latest.place} is due at {latest.due:.3f}",
    )


def _late(tiers: Sequence[Held], posts: Sequence[Requested]) -> list[float]:
    """Return for each settled record of a tier how long after its due time the event went on."""
    on = sorted([post.at for post in posts] + [held.at for held in tiers])
    late = []
    for held in tiers:
        after = bisect_left(on, max(held.due - TOLERANCE, held.at + 0.001))
        if held.is_settled and after < len(on):
            late.append(max(0.0, on[after] - held.due))
    return late


def _broken(ledger: Ledger) -> Mapping[str, Sequence[tuple[float, float]]]:
    """Return when connections to which destination were being broken."""
    healed = {each.number: each.at for each in ledger.healed}
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for fault in ledger.injected:
        if "org_link" in fault.kind:
            spans[fault.victim].append((fault.at, healed.get(fault.number, float("inf")) + _ON_ITS_WAY))
    return spans


def _moves(ledger: Ledger) -> Sequence[float]:
    """Return when partitions may have moved: what befell brokers, their links and workers, from begin to end."""
    numbers = {fault.number for fault in ledger.injected if any(word in fault.kind for word in _MOVES)}
    times = [fault.at for fault in ledger.injected if fault.number in numbers]
    return sorted(times + [healed.at for healed in ledger.healed if healed.number in numbers])
