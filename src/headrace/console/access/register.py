"""Writes into the audit trail who signed in, and who was refused."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import msgspec
import structlog

from headrace.clock import Clock
from headrace.console.access.throttle import Throttle
from headrace.console.access.tokens import Claim
from headrace.errors import HeadraceError
from headrace.eventlog.trail import Deed, Result

SIGN_IN = "sign-in"
"""The action under which they stand in the trail."""

SOMEBODY = "somebody"
"""Who was refused under a name that nobody has. The name is not kept: people type passwords there."""

REFUSED = 20
"""Refused sign-ins that are written down in a row,"""

WITHIN = 3600.0
"""and in so many seconds after that, so that nobody fills the trail: the next that is says how many were left out."""

WAITS = 1.0
"""Seconds that a sign-in waits for its note: one can sign in while the event log hangs, to see that it does."""

Note = Callable[[Deed], Awaitable[None]]
"""Writes a deed down; raises `HeadraceError` when it cannot be."""

_log = structlog.get_logger("headrace.console")


class Register:
    """Notes sign-ins. What the event log does not take stands in the console's log, and stops nobody."""

    def __init__(self, note: Note, clock: Clock) -> None:
        self._note = note
        self._clock = clock
        self._refused = Throttle(REFUSED, WITHIN, places=1)
        self._left_out = 0
        self._writing: set[asyncio.Task[None]] = set()

    async def let_in(self, claim: Claim, address: str) -> None:
        """Note that somebody came in, by a password or a token."""
        by = {"by": "password"} if claim.stamp else {"by": "token", "token": claim.id}
        _log.info("console.signed_in", name=claim.name, org=claim.org, token=claim.id)
        await self._write(claim.name, claim.org, "done", msgspec.json.encode(by).decode(), "", address)

    async def refuse(self, why: str, address: str, name: str = SOMEBODY, org: str | None = None) -> None:
        """Note that somebody was not let in; *name* is one that somebody has."""
        _log.warning("console.sign_in_failed", address=address)
        if self._refused.take("", self._clock.monotonic()):
            self._left_out += 1
            return
        more, self._left_out = self._left_out, 0
        told = f"{why} {more} more were refused before, and not written down." if more else why
        await self._write(name, org, "failed", "", told, address)

    async def _write(self, who: str, org: str | None, result: Result, detail: str, answer: str, address: str) -> None:
        deed = Deed(
            id=uuid4().hex,
            at=self._clock.wall(),
            who=who,
            action=SIGN_IN,
            org=org or "",
            detail=detail,
            result=result,
            answer=answer,
            address=address,
        )
        task = asyncio.create_task(self._try(deed))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await asyncio.wait({task}, timeout=WAITS)

    async def _try(self, deed: Deed) -> None:
        try:
            await self._note(deed)
        except HeadraceError as error:
            _log.warning("console.sign_in_not_noted", result=deed.result, error=str(error))
