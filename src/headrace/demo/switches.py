"""The switches of the orgs' servers: what breaks them, and mends them again."""

import threading
from typing import Protocol

from headrace.testing.faults import FaultPlan, Status, always

OUTAGE = always(Status(status=503, body="down for the demo"))


class Servers(Protocol):
    """The orgs' servers, which do as they are told."""

    def plan(self, org: str, plan: FaultPlan) -> None: ...


class Switches:
    """Knows which servers are down. Called from any thread.

    *in_hand* says that a person has taken them: from then on nobody else should use one.
    """

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._lock = threading.Lock()
        self._down: frozenset[str] = frozenset()
        self.in_hand = False

    @property
    def down(self) -> frozenset[str]:
        """The orgs whose servers are down."""
        return self._down

    def take(self) -> None:
        """Give them to a person, who finds every server well: what broke before was not of their doing."""
        with self._lock:
            if self.in_hand:
                return
            self.in_hand = True
            for org in self._down:
                self._servers.plan(org, FaultPlan())
            self._down = frozenset()

    def turn(self, org: str, *, up: bool) -> None:
        """Let the server of *org* answer 503 to everything, or be well again."""
        with self._lock:
            self._servers.plan(org, FaultPlan() if up else OUTAGE)
            self._down = self._down - {org} if up else self._down | {org}
