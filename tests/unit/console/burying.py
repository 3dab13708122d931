"""Dead letters for tests: as the console remembers them, and as records of a memory broker."""

import msgspec

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import Producer, TopicState
from headrace.console.dead.letters import Letter
from headrace.model.mark import Mark
from headrace.model.record import Origin
from headrace.model.tile import Redriven, RedriveNote
from headrace.testing.clock import EPOCH, FakeClock
from headrace.wire import attempts, headers
from headrace.wire.times import to_text
from headrace.wire.topics import TopicNames

NAMES = TopicNames("")


def letter(offset: int = 0, /, died: float = EPOCH, **fields: object) -> Letter:
    """Return a letter of the org `acme`; *fields* replace its own."""
    plain = Letter(
        partition=0, offset=offset, org="acme", destination="crm", reason="rejected", error="no", kind="no",
        id=f"id-{offset}", type="bot.message.sent", session="s-1", attempts=1, origin=f"headrace.events/0/{offset}",
        first_failed_at=died - 5, died=died, size=10, redriven_before=False,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **fields)


class Dead:
    """A memory broker with the topics of dead letters, and what is written there."""

    def __init__(self, clock: FakeClock) -> None:
        self.broker = MemoryBroker(clock)
        for name in (NAMES.dead, NAMES.attempts):
            self.broker.admin().create(TopicState(name=name, partitions=2, replication=1, config={}))
        self._producer: Producer = self.broker.producer(memory=1 << 20)
        self._clock = clock

    def bury(
        self, id_: str, partition: int = 0, org: str = "acme", error: str = "no", destination: str = "crm"
    ) -> None:
        mark = Mark(
            destination=destination, origin=Origin(NAMES.events, partition, 1), attempts=2, reason="rejected",
            error=error, first_failed_at=self._clock.wall() - 9, due_at=self._clock.wall(),
        )  # fmt: skip
        value = {"specversion": "1.0", "id": id_, "source": f"/orgs/{org}/bots/b", "type": "bot.message.sent"}
        self._producer.produce(
            NAMES.dead, key=f"{org}/s-1".encode(), value=msgspec.json.encode(value), headers=headers.encode(mark),
            partition=partition,
        )  # fmt: skip

    def note(self, partition: int, offset: int, topic: str = NAMES.dead) -> None:
        note = RedriveNote(
            topic=topic, partition=partition, offset=offset, org="acme", destination="crm",
            at=to_text(self._clock.wall()), records=[Redriven(org="acme", destination="crm", tier="5s")],
        )  # fmt: skip
        self._producer.produce(NAMES.attempts, key=attempts.key(topic, partition), value=attempts.encode(note))

    def write(self, value: bytes) -> None:
        self._producer.produce(NAMES.attempts, key=b"k", value=value)
