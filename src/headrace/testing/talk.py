"""Writes one conversation in the Schema-Guided Dialogue format, turn by turn."""

import random
from collections.abc import Iterable, Sequence
from typing import Any

from headrace.testing.services import Service, Wording

LONGEST = 26
"""No conversation has more turns."""

_NO_INTENT = "NONE"

_WORDS = {
    "INFORM_INTENT": "Hello, I have a request: {value}, please.",
    "INFORM": "The {slot} is {value}.",
    "SELECT": "That one sounds right.",
    "REQUEST_ALTS": "Is there anything else like it?",
    "AFFIRM": "Yes, that is what I want.",
    "NEGATE": "No, not quite.",
    "THANK_YOU": "Thank you for your help.",
    "GOODBYE": "Have a good day!",
    "REQUEST": "What about the {slot}?",
    "OFFER": "There is {value}.",
    "INFORM_COUNT": "I found {value} that would do.",
    "OFFER_INTENT": "Shall I go on with {value}?",
    "CONFIRM": "So the {slot} would be {value}.",
    "NOTIFY_SUCCESS": "It is booked.",
    "NOTIFY_FAILURE": "I am sorry, that did not work.",
    "REQ_MORE": "Can I do anything else?",
}

Act = str | tuple[str, str]
"""An act, alone or with the slot that it is about."""


class Talk:
    """What was said so far, and what the user has told the current *service*."""

    def __init__(self, service: Service, rng: random.Random) -> None:
        self.turns: list[dict[str, Any]] = []
        self._rng = rng
        self.change_service(service)

    def change_service(self, service: Service) -> None:
        """Turn to another *service*, which knows nothing yet."""
        self.service = service
        self.offered: Wording | None = None
        self._intent = _NO_INTENT
        self._told: dict[str, Wording] = {}
        self._spellings: dict[str, list[str]] = {}

    def user(
        self, *acts: str, intent: str | None = None, inform: Iterable[str] = (), request: Sequence[str] = ()
    ) -> None:
        """The user acts, maybe with a new *intent*, tells the slots *inform* and asks for the slots *request*."""
        self._intent = intent or self._intent
        actions = [_action(act, "intent", self._intent) if act == "INFORM_INTENT" else _action(act) for act in acts]
        for slot in inform:
            chosen = self.offered if slot == self.service.name_slot else None
            wording = self._told[slot] = chosen or self._rng.choice(self.service.values[slot])
            self._spellings[slot] = [wording.spoken]
            actions.append(_action("INFORM", slot, wording.spoken, wording.canonical))
        actions += [_action("REQUEST", slot) for slot in request]
        state = {
            "active_intent": self._intent,
            "requested_slots": list(request),
            "slot_values": {slot: list(spellings) for slot, spellings in sorted(self._spellings.items())},
        }
        self._turn("USER", actions, {"state": state})

    def system(self, *acts: Act, call: dict[str, Any] | None = None) -> None:
        """The system acts; *call* adds a service call and its results to the frame."""
        actions = []
        for act in acts:
            name, slot = (act, "") if isinstance(act, str) else act
            if name in {"OFFER", "INFORM"}:
                slot = slot or self.service.name_slot
                wording = self._rng.choice(self.service.values[slot])
                self.offered = wording if name == "OFFER" else self.offered
                actions.append(_action(name, slot, wording.spoken, wording.canonical))
            elif name in {"INFORM_COUNT", "OFFER_INTENT"}:
                actions.append(_action(name, "count" if name == "INFORM_COUNT" else "intent", slot))
            else:
                actions.append(_action(name, slot))
        self._turn("SYSTEM", actions, call or {})

    def confirm(self, slots: Iterable[str]) -> None:
        """The system repeats the *slots* in its own spelling, which the user's state has from then on too."""
        actions = []
        for slot in slots:
            wording = self._told[slot]
            actions.append(_action("CONFIRM", slot, wording.canonical))
            self._spellings[slot] = list(dict.fromkeys((wording.canonical, wording.spoken)))
        self._turn("SYSTEM", actions, {})

    def call(
        self, method: str, slots: Iterable[str], *, found: int, failed: bool = False, offer_booking: bool = False
    ) -> None:
        """The system calls the service, which finds *found* things, and says how it went."""
        acts: list[Act] = ["NOTIFY_FAILURE", "REQ_MORE"]
        if not failed and method == self.service.booking:
            acts = ["NOTIFY_SUCCESS", "REQ_MORE"]
        elif not failed:
            acts = ["OFFER", ("INFORM_COUNT", str(found))]
            acts += [("OFFER_INTENT", self.service.booking)] if offer_booking else []
        parameters = {slot: self._told[slot].canonical for slot in slots}
        results = [self._thing() | parameters for _ in range(found)]
        self.system(
            *acts, call={"service_call": {"method": method, "parameters": parameters}, "service_results": results}
        )

    def goodbye(self) -> None:
        """Both sides part."""
        self.user("THANK_YOU", "GOODBYE", intent=_NO_INTENT)
        self.system("GOODBYE")

    def _thing(self) -> dict[str, str]:
        slots = (self.service.name_slot, *self.service.attributes)
        return {slot: self._rng.choice(self.service.values[slot]).canonical for slot in slots}

    def _turn(self, speaker: str, actions: list[dict[str, Any]], rest: dict[str, Any]) -> None:
        utterance = " ".join(_sentence(action) for action in actions)
        frame = {"actions": actions, "service": self.service.name, "slots": _spans(actions, utterance), **rest}
        self.turns.append({"frames": [frame], "speaker": speaker, "utterance": utterance})


def _action(act: str, slot: str = "", value: str = "", canonical: str = "") -> dict[str, Any]:
    values, canonicals = ([value], [canonical or value]) if value else ([], [])
    return {"act": act, "canonical_values": canonicals, "slot": slot, "values": values}


def _sentence(action: dict[str, Any]) -> str:
    value = "".join(action["values"])
    return _WORDS[action["act"]].format(slot=action["slot"].replace("_", " "), value=value)


def _spans(actions: Iterable[dict[str, Any]], utterance: str) -> list[dict[str, Any]]:
    """Where the values of slots stand in the *utterance*."""
    spans = []
    for action in actions:
        if action["values"] and action["slot"] not in {"intent", "count"}:
            start = utterance.index(action["values"][0])
            spans.append({"exclusive_end": start + len(action["values"][0]), "slot": action["slot"], "start": start})
    return spans
