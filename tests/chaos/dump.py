"""What Kafka holds, read by a client that is not Headrace's: aiokafka, every topic from its beginning."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from chaos.event import read_event
from chaos.records import Held, Writer

EVENTS, RETRY, DEAD, GROUP = "headrace.events", "headrace.retry.", "headrace.dead", "headrace.deliver"

Kind = Literal["events", "tier", "dead"]


def kind_of(topic: str) -> Kind | None:
    """Say what the records of *topic* are; None where there are no events in it."""
    if topic.endswith(EVENTS):
        return "events"
    if topic.endswith(DEAD):
        return "dead"
    return "tier" if RETRY in topic else None


def uncompress(servers: str, prefix: str) -> None:
    """Let the brokers keep what comes uncompressed, since this client knows no lz4."""
    admin = AdminClient({"bootstrap.servers": servers})
    entry = ConfigEntry("compression.type", "uncompressed", incremental_operation=AlterConfigOpType.SET)
    topics = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    resources = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry]) for name in topics]
    for done in admin.incremental_alter_configs(resources).values():
        done.result(15)


async def dump(servers: str, prefix: str, path: Path) -> int:
    """Write down every record of the topics that begin with *prefix*; return how many there are."""
    writer = Writer(path)
    records = 0
    async with _reading(servers, prefix) as (consumer, places, committed):
        async for record in _records(consumer, places, dict.fromkeys(places, 0)):
            is_settled = record.offset < committed.get(TopicPartition(record.topic, record.partition), 0)
            writer.write(_held(record, is_settled=is_settled))
            records += 1
    return records


async def standing(servers: str, prefix: str) -> Mapping[tuple[str, str], int]:
    """Count the records that the group did not commit yet, by the org of their keys and, on a tier, destination."""
    orgs: dict[tuple[str, str], int] = defaultdict(int)
    async with _reading(servers, prefix) as (consumer, places, committed):
        served = [place for place in places if kind_of(place.topic) != "dead"]
        async for record in _records(consumer, served, {place: committed.get(place, 0) for place in served}):
            destination = dict(record.headers).get("hr-destination", b"").decode()
            orgs[(record.key or b"").partition(b"/")[0].decode(), destination] += 1
    return orgs


@asynccontextmanager
async def _reading(
    servers: str, prefix: str
) -> AsyncIterator[tuple[AIOKafkaConsumer, Sequence[TopicPartition], Mapping[TopicPartition, int]]]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=20
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await consumer.start()
    try:
        await admin.start()
        committed = await admin.list_consumer_group_offsets(prefix + GROUP)
        topics = [topic for topic in await admin.list_topics() if topic.startswith(prefix) and kind_of(topic)]
        places = [
            TopicPartition(found["topic"], partition["partition"])
            for found in await admin.describe_topics(topics)
            for partition in found["partitions"]
        ]
        yield consumer, places, {place: found.offset for place, found in committed.items()}
    finally:
        await admin.close()
        await consumer.stop()


async def _records(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], starts: Mapping[TopicPartition, int]
) -> AsyncIterator[Any]:
    """Read from *starts* to where the partitions end now."""
    ends = await consumer.end_offsets(places)
    left = {place for place in places if ends[place] > starts[place]}
    consumer.assign(list(left))
    for place in left:
        consumer.seek(place, starts[place])
    while left:
        for place, records in (await consumer.getmany(*left, timeout_ms=1000, max_records=5000)).items():
            for record in records:
                if record.offset < ends[place]:
                    yield record
        left -= {place for place in left if await consumer.position(place) >= ends[place]}
        await asyncio.sleep(0)


def _held(record: Any, *, is_settled: bool) -> Held:
    kind = kind_of(record.topic)
    assert kind is not None
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    return Held(
        kind=kind,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=record.timestamp / 1000,
        key=(record.key or b"").decode(errors="replace"),
        event=read_event(record.value or b""),
        is_settled=is_settled,
        destination=headers.get("hr-destination", ""),
        attempts=int(headers.get("hr-attempts", 0)),
        due=datetime.fromisoformat(headers["hr-due-at"]).timestamp() if "hr-due-at" in headers else 0.0,
        reason=headers.get("hr-reason", ""),
        error=headers.get("hr-error", "")[:120],
        origin=headers.get("hr-origin", ""),
    )
