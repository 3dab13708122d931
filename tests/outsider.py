"""A producer that knows nothing of Headrace: aiokafka, and events written by hand after the design's words."""

import asyncio
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from aiokafka import AIOKafkaProducer

Record = tuple[bytes | None, bytes | None]
"""A key and a value."""

_LARGEST = 4 << 20


def event(org: str, session: str = "s-1", **data: object) -> dict[str, object]:
    """Return a CloudEvent of *org* with an id of its own."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"/orgs/{org}/bots/outsider",
        "subject": session,
        "type": "bot.message.received",
        "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "seq": 0,
        "datacontenttype": "application/json",
        "data": data,
    }


def record(org: str, session: str = "s-1", **data: object) -> Record:
    """Return the record of an event of *org*, with the key that the design asks for."""
    return f"{org}/{session}".encode(), json.dumps(event(org, session, **data)).encode()


def id_of(written: Record) -> str:
    """Return the id of a record's event."""
    return str(json.loads(written[1] or b"")["id"])


def produce(
    kafka: str, topic: str, records: Iterable[Record], *, compression: Literal["gzip"] | None = None
) -> list[str]:
    """Write *records* with acks from all replicas, and return the place `topic/partition/offset` of each."""

    async def send() -> list[str]:
        producer = AIOKafkaProducer(
            bootstrap_servers=kafka, acks="all", compression_type=compression, max_request_size=_LARGEST
        )
        await producer.start()
        try:
            sent = [await producer.send(topic, key=key, value=value) for key, value in records]
            places = await asyncio.gather(*sent)
        finally:
            await producer.stop()
        return [f"{place.topic}/{place.partition}/{place.offset}" for place in places]

    return asyncio.run(send())
