"""Plays many conversations at the same time, each in its own session, spread over orgs."""

import asyncio
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from headrace import SessionLog

from .format import Dialogue
from .runtime import Runtime

BOT = "assistant"

CHARACTERS_PER_SECOND = 15.0
"""How fast people read and type, for a pace like in life."""


class Emits(Protocol):
    """The part of `headrace.Emitter` that is needed."""

    def session(self, *, org: str, bot: str, session: str) -> SessionLog:
        """Return the log of one session."""
        ...


class Played(NamedTuple):
    """What was played."""

    conversations: int
    turns: int


def org_of(dialogue_id: str, orgs: int) -> str:
    """Return the org of a conversation, always the same one for the same number of *orgs*: `org-00` and on."""
    return f"org-{zlib.crc32(dialogue_id.encode()) % orgs:02d}"


async def play(
    dialogues: Iterable[Dialogue], emitter: Emits, *, orgs: int = 20, speed: float = 0.0, concurrency: int = 64
) -> Played:
    """Play each conversation to its end, *concurrency* of them at a time, their turns in between each other.

    *speed* 1 takes the seconds that people would take for each turn, N a N-th of them, and 0 no time at all.
    """
    waiting = iter(dialogues)
    async with asyncio.TaskGroup() as group:
        players = [group.create_task(_play_all(waiting, emitter, orgs, speed)) for _ in range(concurrency)]
    played = [player.result() for player in players]
    return Played(sum(part.conversations for part in played), sum(part.turns for part in played))


async def _play_all(waiting: Iterator[Dialogue], emitter: Emits, orgs: int, speed: float) -> Played:
    conversations = turns = 0
    for dialogue in waiting:
        await _play_one(dialogue, emitter, org_of(dialogue.dialogue_id, orgs), speed)
        conversations += 1
        turns += len(dialogue.turns)
    return Played(conversations, turns)


async def _play_one(dialogue: Dialogue, emitter: Emits, org: str, speed: float) -> None:
    with emitter.session(org=org, bot=BOT, session=dialogue.dialogue_id) as log:
        log.started(channel="replay", services=dialogue.services)
        runtime = Runtime(log)
        for turn in dialogue.turns:
            await asyncio.sleep(_seconds_for(turn.utterance) / speed if speed else 0)
            runtime.live(turn)
        runtime.end()
        log.ended("user", turns=sum(turn.speaker == "USER" for turn in dialogue.turns))


def _seconds_for(utterance: str) -> float:
    return 1.0 + len(utterance) / CHARACTERS_PER_SECOND
