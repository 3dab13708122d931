"""Where dead letters go when they are redriven."""

from headrace.model.mark import Mark
from headrace.model.record import Origin
from headrace.model.units import Duration
from headrace.retry.aims import Ways, aims
from headrace.wire.letters import DeadLetter

EVENT = b'{"specversion":"1.0","id":"e1","source":"/orgs/acme/bots/b","type":"t"}'
ROUTES = {"acme": ["crm", "log"], "nowhere": []}
WAYS = Ways(lambda org: ROUTES.get(org, []), {"crm", "log"}, Duration(5))


def letter(destination: str, *, key: bytes | None = b"acme/s", has_mark: bool = True) -> DeadLetter:
    origin = Origin("headrace.events", 0, 1)
    mark = Mark(destination=destination, origin=origin, attempts=1, first_failed_at=0, due_at=0, reason="rejected")
    return DeadLetter(
        partition=0,
        offset=7,
        org="acme",
        destination=destination,
        id="e1",
        source="/orgs/acme/bots/b",
        mark=mark if has_mark else None,
        died=0.0,
        error="",
        key=key,
        value=EVENT,
    )


def test_letter_of_a_destination_goes_there_again() -> None:
    assert aims(letter("crm"), EVENT, WAYS) == [("acme", "crm")]


def test_letter_that_never_had_a_destination_goes_by_the_routes_of_today() -> None:
    assert aims(letter("-"), EVENT, WAYS) == [("acme", "crm"), ("acme", "log")]


def test_letter_without_a_key_is_routed_by_its_source() -> None:
    assert aims(letter("-", key=None), EVENT, WAYS) == [("acme", "crm"), ("acme", "log")]


def test_letter_that_can_go_nowhere_says_why() -> None:
    said = {
        "gone": aims(letter("erp"), EVENT, WAYS),
        "garbage": aims(letter("-"), b"{", WAYS),
        "mismatch": aims(letter("-", key=b"other/s"), EVENT, WAYS),
        "unrouted": aims(letter("-", key=b"nowhere/s"), EVENT.replace(b"acme", b"nowhere"), WAYS),
        "no value": aims(letter("crm"), None, WAYS),
        "no mark": aims(letter("crm", has_mark=False), EVENT, WAYS),
    }

    assert "erp is not configured" in said["gone"]
    assert "still no CloudEvent" in said["garbage"]
    assert "the key names other" in said["mismatch"]
    assert "no route leads anywhere for the org nowhere" in said["unrouted"]
    assert "too large for the dead topic" in said["no value"]
    assert "no dead letter of Headrace" in said["no mark"]
