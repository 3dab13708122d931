"""The orgs' destinations: posts travel there, are taken or not as the mood is, and answers travel back, or get lost."""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random

from headrace.model.batch import Batch
from headrace.model.outcome import (
    AllDelivered,
    Answer,
    Busy,
    Delivered,
    Each,
    Misconfigured,
    Outcome,
    Refused,
    Rejected,
    Retryable,
    TooLarge,
)
from simulation.scene import Life, Scene
from simulation.script import Mood

LOST = Busy("no answer in time", timed_out=True)

ANSWERS: Mapping[Mood, Answer] = {
    "busy": Busy("overloaded"),
    "wrong": Misconfigured("unauthorized"),
    "hang": LOST,
    "down": LOST,
}


class SimulatedSink:
    """A `Sink`: one destination of all orgs, as one worker's posts reach it."""

    def __init__(self, scene: Scene, life: Life, destination: str) -> None:
        self._scene = scene
        self._life = life
        self._destination = destination
        self._random = Random(f"{scene.script.seed} {destination} {life.name}")

    async def write(self, batch: Batch) -> Answer:
        scene, random = self._scene, self._random
        scene.judge.posting(self._life.name, asyncio.current_task(), self._destination, batch.org, batch.ids)
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # Bytes that are not flushed yet stay with the worker while it is frozen; what is on the wire arrives.
        carrier = self._life if random.random() < 0.3 else None
        scene.timeline.after(random.uniform(0.0, 0.05), lambda: self._arrive(batch, answered), carrier)
        scene.timeline.after(scene.script.settings.timeout, lambda: self._answer(answered, LOST, batch), self._life)
        return await answered

    async def aclose(self) -> None:
        """Nothing is held."""

    def _arrive(self, batch: Batch, answered: "asyncio.Future[Answer]") -> None:
        """Reach the org, whether or not the worker still lives."""
        mood = self._mood(batch)
        answer = self._answer_of(batch, mood)
        taken = _taken(batch, answer)
        scene, random = self._scene, self._random
        if mood == "late":
            scene.timeline.after(random.uniform(2.0, 4.0), lambda: self._take(batch, answer, taken))
            return
        if mood == "down" or not self._take(batch, answer, taken) or mood in {"hang", "mute"}:
            return
        takes = random.uniform(0.3, 1.9) if mood == "slow" else random.uniform(0.0, random.choice((0.05, 0.05, 0.6)))
        scene.timeline.after(takes, lambda: self._answer(answered, answer, batch), self._life)

    def _take(self, batch: Batch, answer: Answer, taken: Sequence[str]) -> bool:
        judge = self._scene.judge

        def apply() -> None:
            judge.received(self._life.name, self._destination, batch.ids)
            judge.took(self._destination, taken)

        told = f"{self._destination} of {batch.org} gets {' '.join(batch.ids)}: {_told(answer)}"
        return self._scene.effect(self._life, lambda: told, apply)

    def _answer(self, answered: "asyncio.Future[Answer]", answer: Answer, batch: Batch) -> None:
        if answered.done():
            return
        if isinstance(answer, AllDelivered | Each):
            self._scene.judge.answered(self._destination, batch.ids, _outcomes(batch, answer))
        elif isinstance(answer, Refused | TooLarge) and len(batch) == 1:
            self._scene.judge.answered(self._destination, batch.ids, [Rejected("")])
        self._scene.note(self._life.name, f"hears of {' '.join(batch.ids)}: {_told(answer)}")
        answered.set_result(answer)
        self._life.nudge()

    def _mood(self, batch: Batch) -> Mood:
        """Return how the destination feels: for a lane that is shared, what any org in the batch says."""
        now, script, events = self._scene.timeline.now, self._scene.script, self._scene.judge.events
        orgs = {events[each].emission.org for each in batch.ids}
        for spell in script.spells:
            if spell.destination == self._destination and spell.org in orgs and spell.start <= now < spell.stop:
                return spell.mood
        return "well"

    def _answer_of(self, batch: Batch, mood: Mood) -> Answer:
        random, events = self._random, self._scene.judge.events
        if mood == "mixed":
            wishes = (Delivered(), Delivered(), Retryable("locked"), Rejected("invalid"))
            return Each(tuple(random.choice(wishes) for _ in batch.ids))
        if mood == "throttle":
            return Busy("too many requests", retry_after=random.choice((0.5, 3.0)))
        if mood in ANSWERS:
            return ANSWERS[mood]
        if any(events[each].emission.kind == "poison" for each in batch.ids):
            return Refused("one of them is bad") if random.random() < 0.7 else TooLarge("too much of it")
        return AllDelivered()


def _outcomes(batch: Batch, answer: AllDelivered | Each) -> Sequence[Outcome]:
    return answer.outcomes if isinstance(answer, Each) else [Delivered()] * len(batch)


def _taken(batch: Batch, answer: Answer) -> Sequence[str]:
    if not isinstance(answer, AllDelivered | Each):
        return ()
    told = zip(batch.ids, _outcomes(batch, answer), strict=True)
    return [each for each, outcome in told if isinstance(outcome, Delivered)]


def _told(answer: Answer) -> str:
    if isinstance(answer, Each):
        return " ".join(type(each).__name__ for each in answer.outcomes)
    return type(answer).__name__
