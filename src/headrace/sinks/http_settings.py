"""The settings of an HTTP destination, and the one check of them; needs no HTTP library."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from headrace.errors import ConfigError
from headrace.model.secret import Secret
from headrace.sinks.signing import Signer

ORG_PLACEHOLDER = "{org}"
OWN_HEADERS = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "transfer-encoding",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)
"""Headers that a post sets itself."""

_BRACED = re.compile(r"\{[^{}]*\}|[{}]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how an HTTP destination is posted to (design, section 3.3)."""

    url: Annotated[
        str,
        msgspec.Meta(description="Where batches are posted; {org} in the path or the query stands for the org."),
    ]
    secret: Annotated[
        list[Secret],
        msgspec.Meta(description="Signs every post after Standard Webhooks; two while one is being rotated."),
    ] = []
    compression: Annotated[
        Literal["none", "gzip"],
        msgspec.Meta(description="How the body of a post is compressed."),
    ] = "none"
    headers: Annotated[
        dict[str, Secret],
        msgspec.Meta(description="Headers sent with every post, such as Authorization; their values are never shown."),
    ] = {}


def check_http(settings: HttpSettings) -> None:
    """Raise `ConfigError`, one sentence that begins with the key, when these settings cannot work."""
    _check_url(settings.url)
    if settings.secret:
        Signer(settings.secret)
    for name, value in settings.headers.items():
        _check_header(name, value)


def _check_url(url: str) -> None:
    if _UNPRINTABLE.search(url):
        raise ConfigError("url holds a space, a backslash or an unprintable character; percent-encode it")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError as error:
        raise ConfigError(f"url cannot be read ({error}); it is of the form https://host/path") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError("url is of the form https://host/path or http://host/path")
    if "@" in parts.netloc:
        raise ConfigError("url holds a user or a password; send them in headers, as Authorization = 'env:NAME'")
    if parts.fragment:
        raise ConfigError("url ends in a #fragment, which is never sent; leave it out")
    for braced in _BRACED.findall(url):
        if braced != ORG_PLACEHOLDER:
            raise ConfigError(f"url holds {braced!r}; the one placeholder is {ORG_PLACEHOLDER}")
    if ORG_PLACEHOLDER in parts.netloc:
        # Hosts ignore case and orgs do not, so two orgs could meet at one host.
        raise ConfigError(f"url has {ORG_PLACEHOLDER} in its host; it may stand in the path or in the query")


def _check_header(name: str, value: Secret) -> None:
    if not _TOKEN.fullmatch(name):
        raise ConfigError(f"headers has {name!r}, which is no name of an HTTP header")
    if name.lower() in OWN_HEADERS:
        raise ConfigError(f"headers has {name!r}, which every post sets itself; leave it out")
    if not _FIELD_VALUE.fullmatch(value.reveal()):
        raise ConfigError(f"headers has a value for {name!r} with a line break or a character outside Latin-1")
