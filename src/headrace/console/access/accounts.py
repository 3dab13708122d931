"""Who may sign in with a password, and whether it is theirs.

A password is kept as it is, or as `headrace password` makes of it: by scrypt (RFC 7914), which nobody turns back.
"""

import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import scrypt, sha256

import msgspec

from headrace.console.settings import Person
from headrace.errors import ConfigError

_STORED = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=8,p=(\d{1,2})\$([A-Za-z0-9+/=]{16,})\$([A-Za-z0-9+/=]{44})")
_BLOCKS = 8
_DEAREST = 18


class Cost(msgspec.Struct, frozen=True):
    """What one guess costs: *passes* over 2 to the power of *log_n* KiB of memory. As OWASP advises, by default."""

    log_n: int = 14
    passes: int = 5


ADVISED = Cost()


class Scrypt(msgspec.Struct, frozen=True):
    """What is kept of a password."""

    salt: bytes
    key: bytes
    cost: Cost

    @classmethod
    def of(cls, password: str, cost: Cost = ADVISED) -> "Scrypt":
        """Make one with a salt of its own."""
        salt = secrets.token_bytes(16)
        return cls(salt, _derive(password, salt, cost), cost)

    @classmethod
    def parse(cls, text: str) -> "Scrypt | None":
        """Read what `str` wrote; None where it is something else."""
        match = _STORED.fullmatch(text)
        if match is None or int(match[1]) > _DEAREST:
            return None
        return cls(b64decode(match[3]), b64decode(match[4]), Cost(int(match[1]), int(match[2])))

    def __str__(self) -> str:
        salt, key = b64encode(self.salt).decode(), b64encode(self.key).decode()
        return f"$scrypt$ln={self.cost.log_n},r={_BLOCKS},p={self.cost.passes}${salt}${key}"

    def fits(self, password: str) -> bool:
        """Tell whether it was made of *password*."""
        return hmac.compare_digest(_derive(password, self.salt, self.cost), self.key)


class Accounts:
    """The people of the configuration. *cost* is what an answer about a name costs that nobody has."""

    def __init__(self, people: Mapping[str, Person], cost: Cost = ADVISED) -> None:
        self._people = people
        self._kept = {name: _kept(name, person.password.reveal()) for name, person in people.items()}
        self._nobody = Scrypt(secrets.token_bytes(16), secrets.token_bytes(32), cost)

    def __bool__(self) -> bool:
        return bool(self._people)

    def find(self, name: str) -> Person | None:
        """Return who has this *name*."""
        return self._people.get(name)

    def check(self, name: str, password: str) -> Person | None:
        """Return who has this *name* if the *password* is theirs; it takes as long for a name that nobody has."""
        kept = self._kept.get(name, self._nobody)
        if isinstance(kept, Scrypt):
            is_theirs = kept.fits(password)
        else:
            self._nobody.fits(password)
            is_theirs = hmac.compare_digest(sha256(password.encode()).digest(), kept)
        return self._people.get(name) if is_theirs else None


def _kept(name: str, text: str) -> Scrypt | bytes:
    if not text.startswith("$scrypt$"):
        return sha256(text.encode()).digest()
    kept = Scrypt.parse(text)
    if kept is None:
        raise ConfigError(f"console.people.{name}.password is damaged; make it again with `headrace password`")
    return kept


def _derive(password: str, salt: bytes, cost: Cost) -> bytes:
    memory = 128 * _BLOCKS * (2**cost.log_n + cost.passes) + (1 << 20)
    return scrypt(password.encode(), salt=salt, n=2**cost.log_n, r=_BLOCKS, p=cost.passes, maxmem=memory, dklen=32)
