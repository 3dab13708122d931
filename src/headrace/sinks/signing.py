"""Signatures after Standard Webhooks 1.0.0 (scheme v1, HMAC-SHA256)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from headrace.errors import ConfigError
from headrace.model.secret import Secret

PREFIX = "whsec_"

_encode = msgspec.json.Encoder().encode


class Signer:
    """Signs bodies with one secret, or with two while one is being rotated; a receiver may know either."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        if len(secrets) not in (1, 2):
            raise ConfigError(f"secret names {len(secrets)} secrets; give one, or two while one is being rotated")
        self._keyed = [hmac.new(read_key(secret), digestmod=hashlib.sha256) for secret in secrets]

    def sign(self, ids: Sequence[str], body: bytes, now: float) -> dict[str, str]:
        """Return the three headers for a post of *body*, which carries the events *ids*, at *now* (epoch seconds)."""
        message, timestamp = id_of(ids), str(int(now))
        prefix = f"{message}.{timestamp}.".encode()
        signatures = []
        for keyed in self._keyed:
            # A copy of the keyed hash spares both the key set-up and joining the prefix to a large body.
            mac = keyed.copy()
            mac.update(prefix)
            mac.update(body)
            signatures.append("v1," + base64.b64encode(mac.digest()).decode())
        return {
            "webhook-id": message,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(signatures),
        }


def id_of(ids: Sequence[str]) -> str:
    """Return the message id of a post: a hash of its events' ids, the same in whatever order they stand.

    As JSON no two different sets look alike, whatever characters their ids hold.
    """
    return "msg_" + hashlib.sha256(_encode(sorted(ids))).hexdigest()[:32]


def read_key(secret: Secret) -> bytes:
    """Return the key that *secret* holds; raise `ConfigError`, which does not show it, when it is no such secret."""
    text = secret.reveal()
    encoded = text.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not key:
        raise ConfigError(f"secret is not of the form {PREFIX}…: {PREFIX!r} and then a key in base64")
    return key
