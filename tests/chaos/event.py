"""What the bytes of an event say of it, read by those who are not Headrace."""

from hashlib import blake2b

import msgspec

from chaos.records import Sent


class Said(msgspec.Struct, frozen=True):
    """What a bot puts into each of its events."""

    n: int
    org: str
    session: str
    k: int


class Envelope(msgspec.Struct, frozen=True):
    """The fields of a CloudEvent that say whose it is."""

    id: str
    source: str
    subject: str
    data: Said


_decode = msgspec.json.Decoder(Envelope).decode


def read_event(raw: bytes) -> Sent:
    """Read an event; one whose envelope and content name different orgs is its envelope's, and nobody's event."""
    digest = blake2b(raw, digest_size=8).hexdigest()
    try:
        envelope = _decode(raw)
    except msgspec.DecodeError:
        return Sent(-1, "", "", -1, "", digest)
    said = envelope.data
    org = envelope.source.split("/")[2] if envelope.source.count("/") >= 3 else ""
    is_whole = (org, envelope.subject) == (said.org, said.session)
    return Sent(said.n if is_whole else -1, org, said.session, said.k, envelope.id, digest)
