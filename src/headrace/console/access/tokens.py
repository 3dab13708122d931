"""Signed claims: the tokens of programs, and the sessions of people. Nothing is stored; what is signed is believed."""

import hashlib
import hmac
import secrets

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from headrace.console.viewer import Viewer
from headrace.errors import ConfigError
from headrace.model.secret import Secret

SHORTEST = 32
_LONGEST = 1000
_MARK = "hr_"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """That *name* may see *org* (None: every org, as an operator) until *expires*, in seconds since the epoch.

    *may_erase*: and erase its sessions, which operators may anyway.

    *id* is by what a token is revoked. *stamp* is that of the password with which a person signed in, so that a new
    password ends what was begun with the old one; a token has none.
    """

    id: str
    name: str
    org: str | None
    expires: float
    stamp: str = ""
    may_erase: bool = False

    @property
    def viewer(self) -> Viewer:
        """Who it is."""
        return Viewer(self.name, self.org, token="" if self.stamp else self.id, is_eraser=self.may_erase)


class Signer:
    """Signs and reads claims with `console.secret`; raise `ConfigError` where it is too short to be one."""

    def __init__(self, secret: Secret) -> None:
        text = secret.reveal()
        if len(text) < SHORTEST:
            raise ConfigError(
                f"console.secret has {len(text)} characters, and needs {SHORTEST}; make one with `openssl rand -hex 32`"
            )
        self._key = text.encode()
        self._serializer = URLSafeSerializer(
            self._key,
            salt="headrace.console",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def sign(self, claim: Claim) -> str:
        """Return a token that says *claim*."""
        return _MARK + str(self._serializer.dumps(msgspec.to_builtins(claim)))

    def read(self, token: str, now: float) -> Claim | None:
        """Return what *token* says, if it was signed here and has not expired."""
        if not token.startswith(_MARK) or len(token) > _LONGEST:
            return None
        try:
            claim = msgspec.convert(self._serializer.loads(token.removeprefix(_MARK)), Claim)
        except (BadData, msgspec.ValidationError):
            return None
        return claim if now < claim.expires else None

    def stamp(self, secret: Secret) -> str:
        """Return what tells one password from the next, and says nothing about it."""
        return hmac.digest(self._key, b"password " + secret.reveal().encode(), "sha256").hex()[:16]


def claim_of(name: str, org: str | None, expires: float, stamp: str = "", *, may_erase: bool = False) -> Claim:
    """Make a claim with an id of its own."""
    id_ = secrets.token_hex(8)
    return Claim(id=id_, name=name, org=org, expires=expires, stamp=stamp, may_erase=may_erase)
