"""`headrace token` and `headrace password`: who is let into the console."""

import sys
from getpass import getpass
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from headrace import config as configuration
from headrace.cli.output import emit_document
from headrace.clock import SystemClock
from headrace.console.access.accounts import Scrypt
from headrace.console.access.tokens import Signer, claim_of
from headrace.errors import ConfigError, UsageError
from headrace.model.units import Duration
from headrace.wire.envelope import ORG
from headrace.wire.times import to_text

SHORTEST = 12
"""Characters of a password."""


LONGEST_NAME = 100
"""Characters of the name in a token, which has to fit into a header."""

FURTHEST = 3650 * 86_400.0
"""Seconds that a token may be good for: longer than any secret is kept."""


class TokenDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints: *token* for a program, *url* for a person, *id* for `console.revoked`."""

    token: str
    url: str
    id: str
    name: str
    org: str | None
    may_erase: bool
    expires: str


def token(
    *,
    org: str | None = None,
    operator: bool = False,
    may_erase: bool = False,
    name: str | None = None,
    expires: str = "12h",
    url: str | None = None,
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Make a token for the console and its API: for one org, or for an operator.

    Whoever has it sees what it is for, until it expires, its id stands in console.revoked, or console.secret changes.

    Example: headrace token --org acme --expires 12h

    Parameters
    ----------
    org
        The one org that it is for.
    operator
        Make it for every org, and for what only operators do.
    may_erase
        Let it erase sessions and users of its org for ever; an operator's may anyway.
    name
        Who it is for, as the trail will say it.
    expires
        How long it is good for, such as 30m, 12h or 7d.
    url
        Where the console is, for the link; by default what console.host and console.port say.
    config
        The configuration file; else HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    if (org is None) is not operator:
        raise UsageError("name what the token is for: --org ORG, or --operator")
    if org is not None and not ORG.fullmatch(org):
        raise UsageError(f"{org!r} is no org: letters, digits, and . _ - after the first, 64 at most")
    if name is not None and not (name.isprintable() and len(name) <= LONGEST_NAME):
        raise UsageError(f"--name takes printable characters, {LONGEST_NAME} at most")
    settings = configuration.load(config).console
    if not settings.secret:
        raise ConfigError('console.secret is not set, which signs tokens; write secret = "env:NAME" below [console]')
    claim = claim_of(
        name or f"token for {org or 'operators'}",
        org,
        SystemClock().wall() + _span(expires),
        may_erase=may_erase or operator,
    )
    made = Signer(settings.secret).sign(claim)
    document = TokenDocument(
        token=made,
        url=f"{(url or settings.url).rstrip('/')}/sign-in?{urlencode({'token': made})}",
        id=claim.id,
        name=claim.name,
        org=org,
        may_erase=claim.may_erase,
        expires=to_text(claim.expires),
    )
    sees = f"the org {org}" + (", and may erase there," if may_erase else "") if org else "every org, as an operator"
    text = [made, "", f"It sees {sees} until {document.expires}; to end it sooner, add {claim.id} to console.revoked."]
    emit_document(document, "\n".join([*text, f"To sign in by it: {document.url}"]), json=json)
    return 0


def password(*, config: Path | None = None, json: bool = False) -> int:
    """Read a password and print what may stand in its place, which nobody can turn back into it.

    It is asked for at a terminal, and else read from standard input. Put what is printed where
    console.people says that the person's password is: into a variable, or a file.

    Example: headrace password

    Parameters
    ----------
    config
        The configuration file; it is only looked at.
    json
        Print one JSON document.
    """
    configuration.load(config)
    text = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if len(text) < SHORTEST:
        raise UsageError(f"a password needs {SHORTEST} characters or more")
    made = str(Scrypt.of(text))
    emit_document({"password": made}, made, json=json)
    return 0


def _span(text: str) -> float:
    try:
        span = Duration.parse(text)
    except ValueError as error:
        raise UsageError(f"--expires {error}") from None
    if not 0 < span <= FURTHEST:
        raise UsageError(f"--expires {text}: a token is good for more than nothing, and for 3650d at most")
    return span
