"""What a check found: what is wrong, by name and with its evidence, and the figures of a run."""

from collections.abc import Mapping

import msgspec

WRONGS: Mapping[str, str] = {
    "lost": "taken, or held by Kafka, and at a destination neither applied nor dead nor standing on a tier",
    "undrained": "still on a tier or in flight in the end, though its destination is well",
    "phantom": "held by Kafka or delivered, though no bot emitted it, or its emit said that it was not taken",
    "corrupt": "its bytes are others than those on the events topic",
    "twice": "more than one row or id for one event",
    "foreign": "a request with an event of another org, or of an org that is not routed there",
    "unsigned": "a request that the destination's secret does not prove",
    "buried": "a dead letter whose destination never refused it",
    "order": "a session's event came to a destination before an earlier one",
    "emit_order": "a session's events stand on the events topic in another order than they were emitted in",
    "early": "posted again before its tier's delay had passed",
    "audit": "the tool's own books say something else",
    "crashed": "a worker or a bot that ended by itself, or did not end when it was told to",
    "hang": "not quiet in time after everything was healed",
}
"""Every kind of wrong, and what it means. One of any makes a run fail."""

_SHOWN = 12


class Findings(msgspec.Struct):
    """*wrongs* counts by kind, *evidence* has the first ones of each in words, *figures* is everything else."""

    wrongs: dict[str, int] = {}
    evidence: dict[str, list[str]] = {}
    figures: dict[str, float] = {}

    def wrong(self, kind: str, evidence: str) -> None:
        """Note one thing that is wrong."""
        assert kind in WRONGS, kind
        self.wrongs[kind] = self.wrongs.get(kind, 0) + 1
        shown = self.evidence.setdefault(kind, [])
        if len(shown) < _SHOWN:
            shown.append(evidence)
