"""The examples as a user runs them: through the real emitter into a real Kafka, read by another client."""

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from dialogues.format import understand
from dialogues.play import org_of, play
from headrace import Emitter
from headrace.testing.dialogues import dialogues, generate
from headrace.testing.emitter import ListeningEmitter
from helpdesk_bot import converse

ROOT = Path(__file__).parents[2]
CONVERSATIONS = 40


@pytest.fixture
def config(kafka: str, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A configuration with topics of the test's own, which exist."""
    path = tmp_path / "headrace.toml"
    path.write_text(
        f"""
        [kafka]
        bootstrap_servers = "{kafka}"
        [topics]
        prefix = "{request.node.name}."
        partitions = 4
        [emitter]
        compression = "gzip"  # what the other client reads without further libraries
        """,
        "utf-8",
    )
    run("-m", "headrace", "topics", "apply", "--config", str(path))
    return path


def run(*words: str, code: int = 0, says: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python with these words in the checkout, and expect the exit *code*."""
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, input=says, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def write(path: Path, documents: object) -> str:
    path.write_text(json.dumps(documents), "utf-8")
    return str(path)


def sessions(kafka: str, prefix: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that stands on the events topic, by its record's key."""
    return asyncio.run(_sessions(kafka, f"{prefix}.headrace.events"))


async def _sessions(kafka: str, topic: str) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        parts = [TopicPartition(topic, number) for number in range(4)]
        consumer.assign(parts)
        await consumer.seek_to_beginning()
        for part, end in (await consumer.end_offsets(parts)).items():
            while await consumer.position(part) < end:
                for record in (await consumer.getmany(part, timeout_ms=1000)).get(part, []):
                    found[record.key.decode()].append(json.loads(record.value))
    return {key: sorted(events, key=lambda event: int(event["seq"])) for key, events in found.items()}


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_replayed_conversations_arrive_whole(kafka: str, config: Path, request: pytest.FixtureRequest) -> None:
    """Every event once, in its session, under its org; a bad file is named, and the others are played."""
    conversations = dialogues(CONVERSATIONS)
    good = write(config.with_name("good.json"), conversations)
    bad = write(config.with_name("bad.json"), {"no": "list"})

    done = run("examples/replay_dialogues.py", good, bad, "--config", str(config), "--orgs", "5", "--json", code=1)

    expected = ListeningEmitter()
    asyncio.run(play(understand(conversations), expected, orgs=5))
    arrived = sessions(kafka, request.node.name)
    summary = json.loads(done.stdout)
    assert summary["bad_files"] == [bad]
    assert f"{bad} is not in the Schema-Guided Dialogue format" in done.stderr
    assert summary["conversations"] == CONVERSATIONS
    assert summary["taken"] == summary["acknowledged"] == len(expected.heard)
    assert arrived.keys() == {f"{org_of(each['dialogue_id'], 5)}/{each['dialogue_id']}" for each in conversations}
    for key, events in arrived.items():
        assert types(events) == [event.type for event in expected.heard if event.subject == key.partition("/")[2]]
        assert [event["seq"] for event in events] == list(range(len(events)))


def test_a_replay_without_bad_files_exits_0(config: Path) -> None:
    good = write(config.with_name("good.json"), generate(1, 2))

    done = run("examples/replay_dialogues.py", good, "--config", str(config))

    assert "2 conversations" in done.stdout
    assert "0 left in the journal, 0 dropped" in done.stdout


def test_a_service_that_failed_is_an_error_of_the_integration(
    kafka: str, config: Path, request: pytest.FixtureRequest
) -> None:
    good = write(config.with_name("good.json"), generate(1, 20))
    run("examples/replay_dialogues.py", good, "--config", str(config))

    failed = [
        e for each in sessions(kafka, request.node.name).values() for e in each if e["type"] == "bot.action.failed"
    ]
    assert failed
    for event in failed:
        assert event["data"]["kind"] == "external_service"
        assert event["data"]["error"]["origin"] == "integration"


def test_the_bots_troubles_are_told_apart(kafka: str, config: Path, request: pytest.FixtureRequest) -> None:
    """The org's admin sees whose fault it was, with the stack down to the line; and the fake tells the same story."""
    heard = ListeningEmitter()
    emitter = Emitter.from_config(config)
    for seed in range(150):
        converse(heard, "org-00", f"s-{seed}", seed)
        converse(emitter, "org-00", f"s-{seed}", seed)
    assert emitter.flush(timeout=30) == 0
    emitter.close()

    arrived = sessions(kafka, request.node.name)
    for key, events in arrived.items():
        assert types(events) == [event.type for event in heard.heard if f"org-00/{event.subject}" == key]
    errors = {
        (event["data"].get("action"), error["type"]): error
        for events in arrived.values()
        for event in events
        if (error := event["data"].get("error"))
    }
    assert errors["LookUpOrder", "ValueError"]["origin"] == "custom_code"
    assert "in look_up_order" in errors["LookUpOrder", "ValueError"]["stack"]
    assert errors["TrackParcel", "TimeoutError"]["origin"] == "integration"
    assert errors[None, "KeyError"]["origin"] == "bot_logic"


def test_a_person_can_talk_to_the_bot(kafka: str, config: Path, request: pytest.FixtureRequest) -> None:
    done = run("-m", "examples.helpdesk_bot", "--config", str(config), "--org", "me", says="Hello\nbye\n")

    assert "Goodbye!" in done.stdout
    ((key, events),) = sessions(kafka, request.node.name).items()
    assert key.startswith("me/")
    assert types(events)[-1] == "bot.session.ended"
    assert f"--session {key.partition('/')[2]}" in done.stdout
