"""Generated conversations are as the real ones are: the same keys, the same types, the same kinds of turns."""

import json
import os
from collections import Counter
from typing import Any

import pytest

from headrace.testing.dialogues import DIALOGUES, dialogues, generate

SPANNED = {"OFFER", "INFORM", "CONFIRM"}


def shapes(value: Any, path: str = "") -> set[tuple[str, str]]:
    """Every path in a document with the type found there; what users name (slots) is one path."""
    if isinstance(value, dict):
        free = path.endswith(("slot_values", "parameters", "service_results[]"))
        parts = [shapes(part, f"{path}.{'*' if free else key}") for key, part in value.items()]
        keys = "*" if free else ",".join(sorted(value))
        return {(path, "{" + keys + "}")}.union(*parts)
    if isinstance(value, list):
        return {(path, "list")}.union(*(shapes(part, f"{path}[]") for part in value))
    return {(path, type(value).__name__)}


def acts(conversations: list[dict[str, Any]]) -> set[str]:
    return {
        f"{turn['speaker']} {action['act']}"
        for conversation in conversations
        for turn in conversation["turns"]
        for frame in turn["frames"]
        for action in frame["actions"]
    }


def frames(conversations: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(turn, frame) for each in conversations for turn in each["turns"] for frame in turn["frames"]]


def test_generated_conversations_are_the_same_for_one_seed() -> None:
    """A test that failed can be run again, and a shorter run has a part of the longer one."""
    long, short, other = generate(7, 30), generate(7, 10), generate(8, 10)

    assert long[:10] == short
    assert short != other
    assert len({conversation["dialogue_id"] for conversation in long + other}) == 40


def test_generated_conversations_have_4_to_26_turns_of_two_alternating_speakers() -> None:
    lengths = Counter(len(conversation["turns"]) for conversation in generate(1, 300))

    assert min(lengths) == 4
    assert max(lengths) <= 26
    assert len(lengths) >= 8
    for conversation in generate(1, 50):
        speakers = [turn["speaker"] for turn in conversation["turns"]]
        assert speakers == ["USER", "SYSTEM"] * (len(speakers) // 2)


def test_generated_conversations_have_failures_changes_and_several_services() -> None:
    """What a replay must cope with happens often enough to be met in a small run."""
    conversations = generate(1, 100)
    calls = [frame for _, frame in frames(conversations) if "service_call" in frame]
    failed = [call for call in calls if any(action["act"] == "NOTIFY_FAILURE" for action in call["actions"])]

    assert 0.05 < len(failed) / len(calls) < 0.3
    assert {len(call["service_results"]) for call in failed} == {0, 1}
    assert {len(conversation["services"]) for conversation in conversations} == {1, 2}
    assert all(len(call["service_results"]) > 0 for call in calls if call not in failed)


def test_generated_spans_mark_the_values_in_the_utterance() -> None:
    for turn, frame in frames(generate(3, 50)):
        spoken = [a["values"][0] for a in frame["actions"] if a["act"] in SPANNED and a["values"]]
        marked = [turn["utterance"][span["start"] : span["exclusive_end"]] for span in frame["slots"]]

        assert marked == spoken


def test_generated_service_calls_ask_for_what_the_user_told() -> None:
    """Each parameter of a call was in the user's state before."""
    for conversation in generate(5, 50):
        told: dict[str, list[str]] = {}
        for _, frame in frames([conversation]):
            told |= frame.get("state", {}).get("slot_values", {})
            assert set(frame.get("service_call", {}).get("parameters", {})) <= set(told)


@pytest.mark.skipif(DIALOGUES not in os.environ, reason=f"{DIALOGUES} names no directory of real conversations")
def test_generated_conversations_have_the_shape_of_the_real_ones() -> None:
    real, ours = dialogues(), generate(1, 300)

    assert set().union(*map(shapes, ours)) == set().union(*map(shapes, real))
    assert acts(ours) <= acts(real)


def test_dialogues_are_generated_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DIALOGUES, raising=False)

    assert dialogues(3) == generate(1, 3)


def test_dialogues_are_read_from_the_directory_in_the_order_of_its_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for number, part in enumerate((generate(2, 2), generate(3, 2))):
        (tmp_path / f"dialogues_{number:03d}.json").write_text(json.dumps(part), "utf-8")
    (tmp_path / "schema.json").write_text("[]", "utf-8")
    monkeypatch.setenv(DIALOGUES, str(tmp_path))

    assert dialogues() == generate(2, 2) + generate(3, 2)
    assert dialogues(3) == generate(2, 2) + generate(3, 1)


def test_dialogues_say_when_the_directory_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A wrong path must not pass as a run without conversations."""
    monkeypatch.setenv(DIALOGUES, str(tmp_path))

    with pytest.raises(FileNotFoundError, match=r"no dialogues_\*\.json"):
        dialogues()
