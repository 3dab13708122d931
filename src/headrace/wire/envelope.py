"""The one check of a value: is it a CloudEvent, and whose? (design, section 3.1)"""

import re
from typing import Annotated, Literal

import msgspec

from headrace.model.mark import NOBODY, DeadReason

ORG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
CONTENT_TYPE = b"application/cloudevents+json"

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class Envelope(msgspec.Struct, gc=False):
    """The fields of a CloudEvent that Headrace reads; the rest passes through unread."""

    specversion: Literal["1.0"]
    id: _Text
    source: _Text
    type: _Text


class Bad(msgspec.Struct, frozen=True):
    """Why a record cannot be delivered to anybody, as its dead letter says it."""

    reason: DeadReason
    error: str


_decode = msgspec.json.Decoder(Envelope).decode


def read(value: bytes | None) -> Envelope | Bad:
    """Check *value*: UTF-8, one JSON object, with the strings that make it a CloudEvent."""
    if not value:
        return Bad("not_cloudevent", "the value is empty")
    try:
        if not value.isascii():
            value.decode()
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Bad("not_cloudevent", str(error))
    except RecursionError:
        return Bad("not_cloudevent", "the JSON is nested too deeply")


def org_of_key(key: bytes | None) -> str | None:
    """Return the org that *key* names: what stands before its first `/`; None when it is no such key."""
    if not key:
        return None
    head, slash, _ = key.partition(b"/")
    if not slash or not head.isascii():
        return None
    org = head.decode()
    return org if ORG.fullmatch(org) else None


def org_of_source(source: str) -> str | None:
    """Return the org of a source `/orgs/{org}/bots/{bot}`; None when it is not of that form."""
    parts = source.split("/")
    if len(parts) == 5 and parts[:2] == ["", "orgs"] and parts[3] == "bots" and parts[4] and ORG.fullmatch(parts[2]):
        return parts[2]
    return None


def org_of(key: bytes | None, source: str) -> str | Bad:
    """Return whose event it is. The key decides; without one the source; both must not disagree."""
    by_key, by_source = org_of_key(key), org_of_source(source)
    if by_key and by_source and by_key != by_source:
        return Bad("org_mismatch", f"the key names {by_key}, the source {by_source}")
    return by_key or by_source or Bad("bad_org", "neither the key nor the source names an org")


def org_of_letter(key: bytes | None, reason: DeadReason) -> str:
    """Return the org that a record without an event or an owner is shown to: `-` unless its key alone names one."""
    return (org_of_key(key) or NOBODY) if reason == "not_cloudevent" else NOBODY
