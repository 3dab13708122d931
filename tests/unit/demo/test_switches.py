"""The switches tell the servers, and know what they told them."""

from headrace.demo.switches import OUTAGE, Switches
from headrace.testing.faults import FaultPlan


class Listening:
    """Servers that write down what they are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, FaultPlan]] = []

    def plan(self, org: str, plan: FaultPlan) -> None:
        self.told.append((org, plan))


def test_a_server_is_broken_and_mended() -> None:
    servers = Listening()
    switches = Switches(servers)

    switches.turn("acme", up=False)
    switches.turn("globex", up=False)
    switches.turn("acme", up=True)

    assert switches.down == {"globex"}
    assert servers.told == [("acme", OUTAGE), ("globex", OUTAGE), ("acme", FaultPlan())]


def test_whoever_takes_them_finds_every_server_well_and_their_own_outages_stay() -> None:
    servers = Listening()
    switches = Switches(servers)
    switches.turn("globex", up=False)

    switches.take()
    assert switches.in_hand
    assert switches.down == frozenset()
    assert servers.told[-1] == ("globex", FaultPlan())

    switches.turn("acme", up=False)
    switches.take()
    assert switches.down == {"acme"}
