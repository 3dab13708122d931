"""Conversations in the Schema-Guided Dialogue format: generated from a seed, or the real ones.

The format is that of Rastogi et al., "Towards Scalable Multi-Domain Conversational Agents: The Schema-Guided
Dialogue Dataset" (AAAI 2020): a dialogue has turns, a turn has frames, a frame has one service's actions, the user's
state, and the system's service call with its results. Only the format is theirs; every word here is our own.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

from headrace.testing.services import SERVICES
from headrace.testing.talk import LONGEST, Talk

DIALOGUES = "HEADRACE_DIALOGUES"
"""The environment variable that names a directory of real conversations (`dialogues_*.json`)."""

GENERATED = 256
"""How many conversations are generated when nobody says."""


def dialogues(count: int | None = None) -> list[dict[str, Any]]:
    """Return the first *count* conversations: the real ones where `HEADRACE_DIALOGUES` is set, else generated ones.

    Without *count*: all real ones, or `GENERATED` generated ones. When fewer real ones exist, there are fewer.
    """
    directory = os.environ.get(DIALOGUES)
    if not directory:
        return generate(1, GENERATED if count is None else count)
    files = sorted(Path(directory).glob("dialogues_*.json"))
    if not files:
        raise FileNotFoundError(f"{DIALOGUES} is {directory!r}, which has no dialogues_*.json")
    return [dialogue for file in files for dialogue in json.loads(file.read_text("utf-8"))][:count]


def generate(seed: int, count: int) -> list[dict[str, Any]]:
    """Return *count* conversations of 4 to 26 turns; the n-th is the same for one *seed*, whatever the *count*."""
    return [_dialogue(f"{seed}_{n:05d}") for n in range(count)]


def _dialogue(name: str) -> dict[str, Any]:
    """One customer, one or two services: a search, a booking, or both."""
    rng = random.Random(name)  # noqa: S311 - repeatable, not secret
    first, second = rng.sample(SERVICES, 2)
    talk = Talk(first, rng)
    books = rng.random() < 0.7
    if not books or rng.random() < 0.8:
        _search(talk, rng, then_book=books)
    if books:
        _book(talk, rng)
    services = [first.name]
    if len(talk.turns) <= LONGEST - 14 and rng.random() < 0.3:
        services.append(second.name)
        talk.change_service(second)
        _search(talk, rng, then_book=False)
    talk.goodbye()
    return {"dialogue_id": name, "services": services, "turns": talk.turns}


def _search(talk: Talk, rng: random.Random, *, then_book: bool) -> None:
    """At most 12 turns: intent, two slots asked for, an offer or a failure, two alternatives, one question."""
    service = talk.service
    known = [slot for slot in service.search_slots if rng.random() < 0.6]
    talk.user("INFORM_INTENT", intent=service.search, inform=known)
    for slot in service.search_slots:
        if slot not in known:
            talk.system(("REQUEST", slot))
            talk.user(inform=[slot])
    if rng.random() < 0.05:
        talk.call(service.search, service.search_slots, found=0, failed=True)
        return
    talk.call(service.search, service.search_slots, found=rng.choice((1, 1, 1, 3, 10)), offer_booking=then_book)
    for _ in range(rng.choice((0, 0, 1, 2))):
        talk.user("REQUEST_ALTS")
        talk.system("OFFER")
    if rng.random() < 0.5:
        attribute = rng.choice(service.attributes)
        talk.user(request=[attribute])
        talk.system(("INFORM", attribute))


def _book(talk: Talk, rng: random.Random) -> None:
    """At most 12 turns: intent, three slots asked for, a confirmation, a change of mind, a failure and a retry."""
    service = talk.service
    talk.user("SELECT" if talk.offered else "INFORM_INTENT", intent=service.booking, inform=[service.name_slot])
    for slot in service.booking_slots:
        talk.system(("REQUEST", slot))
        talk.user(inform=[slot])
    slots = (service.name_slot, *service.booking_slots)
    talk.confirm(slots)
    if len(service.booking_slots) < 3 and rng.random() < 0.3:
        talk.user("NEGATE", inform=[rng.choice(service.booking_slots)])
        talk.confirm(slots)
    talk.user("AFFIRM")
    failed = rng.random() < 0.25
    talk.call(service.booking, slots, found=rng.choice((0, 1)) if failed else 1, failed=failed)
    if failed and rng.random() < 0.5:
        talk.user("INFORM_INTENT", intent=service.booking, inform=[service.booking_slots[0]])
        talk.call(service.booking, slots, found=1)
