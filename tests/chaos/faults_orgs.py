"""Org servers that misbehave. Whether one did is read from its own records."""

from collections.abc import Mapping

from chaos.faults import Kind, Proof
from chaos.org_server import Told
from chaos.records import Requested, read
from chaos.schedule import Fault as Scheduled
from chaos.stage import Stage
from headrace.testing.faults import Cut, Fault, HalfJson, Hang, Match, Refuses, Results, Slow, Status, TooLargeAbove

ANSWERS: Mapping[str, Fault] = {
    "hang": Hang(),
    "cut_applied": Cut(at="applied"),
    "cut_request": Cut(at="request"),
    "half_answer": Cut(at="answer"),
    "half_json": HalfJson(),
    "results": Results(rejected=Match(one_in=29), retryable=Match(one_in=5), unnamed=Match(one_in=7), status=207),
    "throttle": Status(status=429, retry_after="2"),
    "redirect": Status(status=307, location="http://127.0.0.1:9/elsewhere"),
    "unauthorized": Status(status=401),
    "refuse_some": Refuses(match=Match(one_in=23)),
    "too_large": TooLargeAbove(events=2),
    "unavailable": Status(status=503),
    "slow": Slow(seconds=1.0),
}


class Misbehave:
    """The server of one org, with one fault."""

    def __init__(self, stage: Stage, fault: Scheduled) -> None:
        self.victim = fault.target
        self._stage = stage
        self._kind = fault.kind
        self._requests = stage.records / "requests.jsonl"
        self._from = 0

    async def inject(self) -> None:
        self._from = self._requests.stat().st_size if self._requests.exists() else 0
        await self._stage.tell_org(Told(org=self.victim, name=self._kind, fault=ANSWERS[self._kind]))

    async def prove(self) -> Proof:
        hits = sum(
            isinstance(record, Requested) and (record.org, record.fault) == (self.victim, self._kind)
            for record in read(self._requests, self._from)
        )
        return Proof(hits > 0, f"{hits} requests were answered so")

    async def heal(self) -> None:
        await self._stage.tell_org(Told(org=self.victim))


KINDS: Mapping[str, Kind] = dict.fromkeys(ANSWERS, Misbehave)
