"""A conversation of the Schema-Guided Dialogue format, lived as a bot's runtime would live it."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialogues.format import BadDialogues, Dialogue, read, understand
from dialogues.play import Played, org_of, play
from headrace.testing.dialogues import dialogues, generate
from headrace.testing.emitter import ListeningEmitter


def user(intent: str, service: str = "Boats_2", requested: tuple[str, ...] = (), **slots: list[str]) -> dict[str, Any]:
    state = {"active_intent": intent, "requested_slots": list(requested), "slot_values": slots}
    frame = {"service": service, "actions": [], "slots": [], "state": state}
    return {"speaker": "USER", "utterance": f"user: {intent}", "frames": [frame]}


def system(*acts: str, call: str | None = None, results: int = 0) -> dict[str, Any]:
    frame: dict[str, Any] = {"service": "Boats_2", "actions": [{"act": act, "slot": "date"} for act in acts]}
    if call:
        frame["service_call"] = {"method": call, "parameters": {"date": "2026-12-04"}}
        frame["service_results"] = [{"boat_name": f"boat {n}"} for n in range(results)]
    return {"speaker": "SYSTEM", "utterance": f"system: {acts}", "frames": [frame]}


def lived(emitter: ListeningEmitter, *turns: dict[str, Any]) -> list[str]:
    """The types of the events between the session's start and its end."""
    dialogue = understand([{"dialogue_id": "d-1", "services": ["Boats_2"], "turns": list(turns)}])
    asyncio.run(play(dialogue, emitter, orgs=1))
    assert emitter.types[0] == "bot.session.started"
    assert emitter.types[-1] == "bot.session.ended"
    return [name.removeprefix("bot.") for name in emitter.types[1:-1]]


@pytest.fixture
def emitter() -> ListeningEmitter:
    return ListeningEmitter()


def test_a_turn_is_lived_from_the_message_to_the_answer(emitter: ListeningEmitter) -> None:
    """The order in which a runtime would do it: hear, understand, go there, remember, act, answer."""
    names = lived(emitter, user("RentBoat", date=["tomorrow"]), system("CONFIRM", call="RentBoat", results=1))

    assert names == [
        "turn.started",
        "message.received",
        "intent.detected",
        "navigation",
        "dialog.entered",
        "variable.set",
        "action.invoked",
        "action.succeeded",
        "step.executed",
        "message.sent",
        "turn.ended",
        "dialog.exited",
    ]


def test_a_failure_that_the_user_is_told_of_fails_the_action(emitter: ListeningEmitter) -> None:
    """Whether the service offers something else instead or nothing: what was asked for did not happen."""
    names = lived(
        emitter,
        user("RentBoat"),
        system("NOTIFY_FAILURE", call="RentBoat"),
        user("RentBoat"),
        system("NOTIFY_FAILURE", call="RentBoat", results=1),
        user("RentBoat"),
        system("NOTIFY_SUCCESS", call="RentBoat", results=1),
    )

    assert [name for name in names if name.startswith("action")] == [
        *("action.invoked", "action.failed"),
        *("action.invoked", "action.failed"),
        *("action.invoked", "action.succeeded"),
    ]
    failed = emitter.of("bot.action.failed")[0]
    assert (failed["action"], failed["kind"]) == ("RentBoat", "external_service")
    assert failed["error"] == {
        "origin": "integration",
        "type": "ServiceFailed",
        "message": "Boats_2 could not do RentBoat as asked for",
    }


def test_a_call_tells_what_it_asked_and_what_came_back(emitter: ListeningEmitter) -> None:
    lived(emitter, user("FindBoat"), system("OFFER", call="FindBoat", results=3))

    asked, came = emitter.of("bot.action.invoked")[0], emitter.of("bot.action.succeeded")[0]
    assert asked["inputs"] == {"service": "Boats_2", "parameters": {"date": "2026-12-04"}}
    assert came["outputs"] == {"count": 3, "first": {"boat_name": "boat 0"}}


def test_every_turn_has_its_number(emitter: ListeningEmitter) -> None:
    """What happens within a turn carries it, also when nobody answers the last one."""
    names = lived(emitter, user("FindBoat"), system("OFFER"), user("RentBoat"))

    turns = [(data["text"], data["turn"]) for data in emitter.of("bot.message.received")]
    assert turns == [("user: FindBoat", 1), ("user: RentBoat", 2)]
    assert names.count("turn.ended") == 2
    assert emitter.of("bot.session.ended")[0]["turns"] == 2


def test_an_intent_is_detected_only_when_it_changes(emitter: ListeningEmitter) -> None:
    lived(emitter, user("FindBoat"), user("FindBoat"), user("RentBoat"), user("NONE"), user("NONE"))

    assert [data["intent"] for data in emitter.of("bot.intent.detected")] == ["FindBoat", "RentBoat"]
    assert [data["dialog"] for data in emitter.of("bot.dialog.entered")] == ["Boats_2.FindBoat", "Boats_2.RentBoat"]
    assert [data["dialog"] for data in emitter.of("bot.dialog.exited")] == ["Boats_2.FindBoat", "Boats_2.RentBoat"]


def test_a_dialog_is_left_before_another_service_takes_over(emitter: ListeningEmitter) -> None:
    names = lived(emitter, user("FindBoat"), user("FindMuseum", service="Museums_1"))

    dialogs = [name for name in names if name.startswith("dialog")]
    assert dialogs == ["dialog.entered", "dialog.exited"] * 2


def test_a_variable_is_set_only_when_its_value_changes(emitter: ListeningEmitter) -> None:
    """Another spelling of the same value is no change; a value without any of the old spellings is one."""
    lived(
        emitter,
        user("RentBoat", date=["tomorrow"]),
        user("RentBoat", date=["2026-11-24", "tomorrow"]),
        user("RentBoat", date=["2026-11-24"], days=["2"]),
        user("RentBoat", date=["next Saturday"], days=["2"]),
    )

    told = [(data["variable"], data["value"]) for data in emitter.of("bot.variable.set")]
    assert told == [("date", "tomorrow"), ("days", "2"), ("date", "next Saturday")]


def test_what_the_user_asks_is_a_step_that_answers(emitter: ListeningEmitter) -> None:
    lived(emitter, user("FindBoat", requested=("price_per_day",)))

    assert emitter.of("bot.step.executed") == [
        {"step": "answer", "dialog": "Boats_2.FindBoat", "slots": ["price_per_day"], "turn": 1}
    ]


def test_every_conversation_is_played_whole_and_in_its_order(emitter: ListeningEmitter) -> None:
    """Sessions run in between each other, yet each one says everything, from its start to its end."""
    conversations = dialogues(20)
    played = asyncio.run(play(understand(conversations), emitter, orgs=3, concurrency=5))

    assert played == Played(20, sum(len(each["turns"]) for each in conversations))
    for each in conversations:
        mine = [event for event in emitter.heard if event.subject == each["dialogue_id"]]
        said = [event.data["text"] for event in mine if event.type.startswith("bot.message.")]
        assert said == [turn["utterance"] for turn in each["turns"]]
        assert (mine[0].type, mine[-1].type) == ("bot.session.started", "bot.session.ended")
        assert {event.org for event in mine} == {org_of(each["dialogue_id"], 3)}
    switches = sum(one.subject != other.subject for one, other in itertools.pairwise(emitter.heard))
    assert switches > 20


def test_every_failure_and_every_call_of_a_run_is_an_action(emitter: ListeningEmitter) -> None:
    conversations = understand(generate(1, 60))
    asyncio.run(play(conversations, emitter))

    calls = [frame for each in conversations for turn in each.turns for frame in turn.frames if frame.service_call]
    count = Counter(emitter.types)
    assert count["bot.action.invoked"] == len(calls)
    assert count["bot.action.failed"] == sum(frame.failed for frame in calls) > 0
    assert count["bot.dialog.entered"] == count["bot.dialog.exited"]


def test_a_conversation_has_the_same_org_every_time() -> None:
    ids = [f"1_{n:05d}" for n in range(500)]

    assert {org_of(each, 20) for each in ids} == {f"org-{n:02d}" for n in range(20)}
    assert org_of("1_00000", 20) == "org-06"
    assert org_of("1_00000", 1) == "org-00"


def test_speed_is_a_part_of_the_pace_of_life(emitter: ListeningEmitter) -> None:
    """Three turns of about 1.5 seconds each, a thousand times as fast."""
    conversation = understand(
        [{"dialogue_id": "d", "services": [], "turns": [user("FindBoat"), system("OFFER"), user("NONE")]}]
    )
    before = time.monotonic()
    asyncio.run(play(conversation, emitter, speed=1000))

    assert time.monotonic() - before >= 0.003


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "cannot be read: No such file"),
    "empty": (lambda path: path.write_bytes(b""), "is not JSON"),
    "text": (lambda path: path.write_bytes(b"Hello"), "is not JSON: .*byte 0"),
    "no UTF-8": (lambda path: path.write_bytes(b'[{"dialogue_id": "\xff"}]'), "is not JSON"),
    "nested": (lambda path: path.write_bytes(b"[" * 100_000), "is not"),
    "object": (lambda path: path.write_text("{}"), "is not in the Schema-Guided Dialogue format: Expected `array`"),
    "speaker": (
        lambda path: path.write_text(
            json.dumps([{"dialogue_id": "d", "services": [], "turns": [user("X") | {"speaker": "DOG"}]}])
        ),
        r"Invalid enum value 'DOG' - at `\$\[0\]\.turns\[0\]\.speaker`",
    ),
    "no turns": (
        lambda path: path.write_text(json.dumps([*generate(1, 2), {"dialogue_id": "d", "services": []}])),
        r"missing required field `turns` - at `\$\[2\]`",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_with_the_place(name: str, tmp_path: Path) -> None:
    path = tmp_path / "dialogues_001.json"
    make, sentence = BAD[name]
    make(path)

    with pytest.raises(BadDialogues, match=sentence) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dialogues_001.json"
    path.write_text(json.dumps(generate(1, 3)), "utf-8")

    read_ones: list[Dialogue] = read(path)
    assert read_ones == understand(generate(1, 3))
