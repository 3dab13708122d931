"""What became of each event: lost, undrained, buried without a reason, out of nowhere, changed, in wrong hands."""

from chaos.findings import Findings
from chaos.index import Index
from chaos.records import Held, Sent


def check_fates(index: Index, findings: Findings) -> None:
    """Follow every event to its end at each of its destinations."""
    for n, taken in index.taken.items():
        if taken and n not in index.main:
            said = index.emitting.get(n)
            findings.wrong("lost", f"{index.name(n)}: taken at {said.at if said else 0:.3f}, last seen in the journal")
    for n in index.main:
        if n < 0:
            findings.wrong("phantom", f"{index.main[n][0].place} is no event of a bot's")
            continue
        for destination in index.routes_of(n):
            _follow(index, destination, n, findings)
        _check_emitted(index, n, findings)
    _check_bytes(index, findings)
    _check_dead(index, findings)
    _check_rows(index, findings)


def check_requests(index: Index, findings: Findings) -> None:
    """Look into every request: who it was for, and whose events it held."""
    routes = index.ledger.setting.routes
    for request in index.ledger.requested:
        if not request.is_signed:
            findings.wrong("unsigned", f"request {request.request} to {request.destination} for {request.org}")
        strangers = {event.org for event in request.events} - {request.org}
        if strangers or request.destination not in routes.get(request.org, ()):
            findings.wrong(
                "foreign",
                f"request {request.request} to {request.destination} for {request.org} has events of "
                f"{', '.join(sorted(strangers)) or request.org}",
            )


def _follow(index: Index, destination: str, n: int, findings: Findings) -> None:
    place = destination, n
    standing = [held for held in index.tiers.get(place, ()) if not held.is_settled]
    in_flight = [held for held in index.main[n] if not held.is_settled]
    if place not in index.applied and place not in index.dead and not standing and not in_flight:
        findings.wrong("lost", f"{index.name(n)} at {destination}: last seen {_last_seen(index, destination, n)}")
    if destination not in index.down and (waiting := standing or in_flight):
        findings.wrong("undrained", f"{index.name(n)} at {destination} waits at {waiting[-1].place}")


def _last_seen(index: Index, destination: str, n: int) -> str:
    main = index.main[n][0]
    seen = [(main.at, f"at {main.place}, committed")]
    seen += [(held.at, f"at {held.place}, committed") for held in index.tiers.get((destination, n), ())]
    seen += [
        (request.at, f"in request {request.request} of {request.worker} ({request.fault or 'no fault'})")
        for request in index.posts.get((destination, n), ())
    ]
    return ", then ".join(text for _, text in sorted(seen)[-3:])


def _check_emitted(index: Index, n: int, findings: Findings) -> None:
    if n not in index.emitting:
        findings.wrong("phantom", f"{index.name(n)} at {index.main[n][0].place}: no bot emitted it")
    elif index.taken.get(n) is False:
        findings.wrong("phantom", f"{index.name(n)} at {index.main[n][0].place}: its emit said that it was not taken")


def _check_bytes(index: Index, findings: Findings) -> None:
    """Every copy of an event, wherever it is, has one id and the same bytes."""
    known = {n: copies[0].event for n, copies in index.main.items()}

    def compare(event: Sent, where: str) -> None:
        first = known.get(event.n)
        if first is None:
            findings.wrong("phantom", f"{index.name(event.n)} {where} is not on the events topic")
        elif event.id != first.id:
            findings.wrong("twice", f"{index.name(event.n)} {where} has the id {event.id}, first it had {first.id}")
        elif event.digest != first.digest:
            findings.wrong("corrupt", f"{index.name(event.n)} {where}")

    for held in index.ledger.held:
        if held.kind != "dead" or held.event.digest:
            compare(held.event, f"at {held.place}")
    for request in index.ledger.requested:
        for event in request.events:
            compare(event, f"in request {request.request}")
    for row in index.ledger.stored:
        compare(row.event, f"in row {row.place} of the event log")


def _check_dead(index: Index, findings: Findings) -> None:
    def is_told(held: Held) -> bool:
        return held.reason == "rejected" and (held.destination, held.event.n) in index.refused

    for (destination, n), letters in index.dead.items():
        for held in letters:
            if not is_told(held):
                findings.wrong("buried", f"{index.name(n)} at {destination}: {held.reason} ({held.error})")


def _check_rows(index: Index, findings: Findings) -> None:
    for n, rows in index.stored.items():
        if len(rows) > 1:
            findings.wrong("twice", f"{index.name(n)} has {len(rows)} rows in the event log")
    for row in index.ledger.stored:
        if row.org != row.event.org:
            findings.wrong("foreign", f"{index.name(row.event.n)} is in the event log as an event of {row.org}")
