"""Counts into either store, and reads the counters."""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.eventlog.choosing import Where
from headrace.eventlog.counting import COUNTER, EVERY_ORG, Counter
from headrace.eventlog.graphs import Counted, CounterQuery, TotalsQuery
from headrace.eventlog.tables import Tables, marks, upsert
from headrace.model.record import TopicPartition

_SUMS = (*COUNTER.sums, *COUNTER.greatest)
_HOUR = 3600


class OutpacedError(Exception):
    """Another keeper has counted this already: the transaction is to be taken back."""


def count(tables: Tables, counted: Counted) -> None:
    """Add counters and move the places that they come from; raise `OutpacedError` when those are elsewhere by now."""
    if counted.read is not None:
        place, start, stop = counted.read
        _move(tables, place, start, stop)
    if counted.settled is not None:
        before, after = counted.settled
        _move(tables, before.place, before.offset, after.offset)
    for place, start, stop in counted.moved:
        _move(tables, place, start, stop)
    for id_, value in counted.tiles:
        tables.change("INSERT INTO tile (id, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (id_, value))
    for id_ in counted.done:
        tables.change("DELETE FROM tile WHERE id = ?", (id_,))
    ordered = sorted(counted.counters, key=lambda each: (each.step, each.org, each.destination, each.at))
    upsert(tables, "counter", COUNTER, ordered)


def read_to(tables: Tables, topic: str) -> Mapping[int, int]:
    """Return the offsets to read on from."""
    return dict(tables.run("SELECT partition, reached FROM place WHERE topic = ?", (topic,)))


def waiting(tables: Tables) -> tuple[Mapping[TopicPartition, int], Sequence[bytes]]:
    """Return the places of all topics, and the tiles that wait."""
    places = tables.run("SELECT topic, partition, reached FROM place")
    tiles = tables.run("SELECT value FROM tile")
    return {TopicPartition(topic, number): reached for topic, number, reached in places}, [each for (each,) in tiles]


def counters(tables: Tables, query: CounterQuery) -> Sequence[Counter]:
    """Return counters in the order of time."""
    where = Where()
    where.add("step = ? AND org = ?", query.step, EVERY_ORG if query.org is None else query.org)
    where.add_given("destination = ?", query.destination)
    where.add("at >= ? AND at < ?", query.since, query.until)
    found = tables.run(
        f"SELECT step, org, destination, at, {', '.join(_SUMS)} FROM counter {where} ORDER BY at, destination",  # noqa: S608
        where.parameters,
    )
    names = ("step", "org", "destination", "at", *_SUMS)
    return [Counter(**dict(zip(names, each, strict=True))) for each in found]


def totals(tables: Tables, query: TotalsQuery) -> Sequence[Counter]:
    """Return sums per org and destination, the worst first."""
    where = Where()
    if query.since is None:
        where.add("step = 0")
    else:
        where.add(f"step = {_HOUR} AND at >= ?", int(query.since) // _HOUR * _HOUR)
    if query.org is None:
        where.add("org <> ?", EVERY_ORG)
    else:
        where.add("org = ?", query.org)
    if query.orgs is not None:
        where.add(f"org IN ({marks(list(query.orgs)) or 'NULL'})", *query.orgs)
    sums = ", ".join(
        [f"sum({column}) AS {column}" for column in COUNTER.sums]
        + [f"max({column}) AS {column}" for column in COUNTER.greatest]
    )
    found = tables.run(
        f"SELECT org, destination, {sums} FROM counter {where} "  # noqa: S608
        "GROUP BY org, destination ORDER BY sum(dead) DESC, sum(retried) DESC, sum(accepted) DESC, org, destination "
        "LIMIT ?",
        [*where.parameters, query.limit],
    )
    names = ("org", "destination", *_SUMS)
    told = (dict(zip(names, each, strict=True)) for each in found)
    # PostgreSQL sums integers to decimals.
    return [msgspec.convert({"step": 0, "at": 0, **_plain(each)}, Counter) for each in told]


def _plain(row: dict[str, object]) -> dict[str, object]:
    whole = {name: int(row[name]) for name in COUNTER.sums if not name.endswith("ms")}  # type: ignore[call-overload]
    return {**row, **whole}


def _move(tables: Tables, place: TopicPartition, start: int, stop: int) -> None:
    tables.change(
        "INSERT INTO place (topic, partition, reached) VALUES (?, ?, 0) ON CONFLICT DO NOTHING",
        (place.topic, place.partition),
    )
    moved = tables.change(
        "UPDATE place SET reached = ? WHERE topic = ? AND partition = ? AND reached = ?",
        (stop, place.topic, place.partition, start),
    )
    if not moved:
        raise OutpacedError
