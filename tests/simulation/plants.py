"""Bugs that are planted on purpose, each a few lines over the real code: a simulator that misses one proves nothing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from headrace.broker.port import Committed
from headrace.core.holds import Hold, Turn
from headrace.core.lanes import Lane
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk
from headrace.delivery import scan, tier_clock, tier_reading, tiers
from headrace.delivery.dispatcher import Dispatcher
from headrace.delivery.mailer import Mailer, Parcel
from headrace.delivery.owner import Owner
from headrace.delivery.posting import Posting
from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.outcome import AllDelivered, Answer, Misconfigured
from headrace.model.record import Record, TopicPartition


@contextmanager
def replaced(place: Any, name: str, other: Any) -> Iterator[None]:
    """Let *other* stand in *place* under *name* for a while."""
    real = getattr(place, name)
    setattr(place, name, other)
    try:
        yield
    finally:
        setattr(place, name, real)


@contextmanager
def commit_before_settle() -> Iterator[None]:
    """A chunk is booked as soon as it is polled."""

    def next_settled(progress: Progress) -> Chunk | None:
        return progress._chunks[0] if progress._chunks else None

    with replaced(Progress, "next_settled", next_settled):
        yield


@contextmanager
def settle_before_acknowledgement() -> Iterator[None]:
    """What is handed to the producer counts as written."""
    send = Mailer.send

    def send_and_believe(mailer: Mailer, parcel: Parcel) -> None:
        if parcel.mark is None or parcel.acknowledged is None:
            send(mailer, parcel)
        else:
            send(mailer, msgspec.structs.replace(parcel, acknowledged=None))
            parcel.acknowledged()

    with replaced(Mailer, "send", send_and_believe):
        yield


@contextmanager
def stale_epoch_commit() -> Iterator[None]:
    """A partition that comes back goes on with what its earlier assignment knew."""
    on_assign = Owner.on_assign
    on_lost = Owner.on_lost

    def remember(owner: Owner, lost: Sequence[TopicPartition]) -> None:
        kept = {where: owner._progress[where] for where in lost if where in owner._progress}
        on_lost(owner, lost)
        owner.__dict__.setdefault("kept", {}).update(kept)

    def go_on(owner: Owner, assigned: Mapping[TopicPartition, Committed | None]) -> None:
        on_assign(owner, assigned)
        for where in assigned:
            old = owner.__dict__.get("kept", {}).get(where)
            if old is not None:
                old.assignment.is_leaving = old.assignment.is_revoked = False
                owner._progress[where] = old

    with replaced(Owner, "on_lost", remember), replaced(Owner, "on_assign", go_on):
        yield


@contextmanager
def dropped_on_401() -> Iterator[None]:
    """A destination that is wrong counts as one that took everything."""
    write = Posting._write

    async def write_and_forget(posting: Posting, batch: Batch) -> Answer:
        answer = await write(posting, batch)
        return AllDelivered() if isinstance(answer, Misconfigured) else answer

    with replaced(Posting, "_write", write_and_forget):
        yield


@contextmanager
def tier_skipped() -> Iterator[None]:
    """A tier's records are due as soon as they are read."""
    read_mark = tiers.read_mark

    def read_as_due(record: Record) -> Mark | None:
        mark = read_mark(record)
        return mark and msgspec.structs.replace(mark, due_at=0.0)

    with ExitStack() as stack:
        for room in (tier_clock, tier_reading, scan):
            stack.enter_context(replaced(room, "read_mark", read_as_due))
        yield


@contextmanager
def session_released_early() -> Iterator[None]:
    """New events do not wait for those of their session that are on tiers."""

    def go(hold: Hold, origin: int) -> Turn:
        hold.fresh.add(origin)
        return Turn.GO

    with replaced(Hold, "turn_of_fresh", go):
        yield


@contextmanager
def mixed_orgs() -> Iterator[None]:
    """All orgs of a destination share the lane of the first of them."""
    find = Dispatcher._lane

    def find_any(dispatcher: Dispatcher, org: str, destination: Destination) -> Lane:
        lanes = [lane for (_, name), lane in dispatcher._lanes.items() if name == destination.name]
        return lanes[0] if lanes else find(dispatcher, org, destination)

    with replaced(Dispatcher, "_lane", find_any):
        yield
