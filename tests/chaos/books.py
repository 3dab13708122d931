"""The difference between the tool's own books and what Kafka was found to hold."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from chaos.findings import Findings
from chaos.index import Index
from chaos.records import Held

Columns = Mapping[str, int]


def check_books(index: Index, findings: Findings) -> None:
    """Compare `headrace audit --json`, as a whole, org by org and destination by destination."""
    audit = index.ledger.audit
    if not audit:
        findings.wrong("audit", "it gave no answer")
        return
    if not audit["balanced"] or audit["lost"]:
        findings.wrong(
            "audit", f"it does not balance: lost {audit['lost']}, {'; '.join(audit.get('problems', [])[:3])}"
        )
    by_org = _count(index, lambda held, _: held.event.org)
    by_destination = _count(index, lambda _, destination: destination)
    _compare("org", audit["orgs"], by_org, findings)
    _compare("destination", audit["destinations"], by_destination, findings)


def _count(index: Index, name: Callable[[Held, str], str]) -> Mapping[str, Columns]:
    columns: dict[str, Counter[str]] = {
        column: Counter() for column in ("accepted", "rejected", "retrying", "in_flight")
    }
    routes = index.ledger.setting.routes
    for held in index.ledger.held:
        if held.kind == "events":
            for destination in routes.get(held.event.org, ()):
                columns["accepted"][name(held, destination)] += 1
                columns["in_flight"][name(held, destination)] += not held.is_settled
        elif held.kind == "dead":
            columns["rejected"][name(held, held.destination)] += 1
        elif not held.is_settled:
            columns["retrying"][name(held, held.destination)] += 1
    names = set().union(*columns.values())
    return {each: {column: counts[each] for column, counts in columns.items()} for each in names}


def _compare(what: str, told: Mapping[str, Any], found: Mapping[str, Columns], findings: Findings) -> None:
    for name in sorted(told.keys() | found.keys()):
        line, own = told.get(name), found.get(name)
        if line is None or own is None:
            findings.wrong("audit", f"{what} {name} is in one of the books only")
            continue
        for column, count in own.items():
            if line[column] != count:
                findings.wrong("audit", f"{what} {name}: {column} {line[column]}, found {count}")
        left = own["rejected"] + own["retrying"] + own["in_flight"] - line["duplicates"]
        if line["delivered"] != own["accepted"] - left:
            findings.wrong("audit", f"{what} {name}: delivered {line['delivered']}, found {own['accepted'] - left}")
