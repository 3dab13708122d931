"""`headrace config show|reference`: what is in force, and what there is to set."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from headrace import config as configuration
from headrace.cli.output import emit_document
from headrace.config import DESTINATION_TYPES, SECTIONS
from headrace.settings import pages

_INTRODUCTION = """\
# Configuration

Headrace reads one TOML file: the one that `--config` names, else `HEADRACE_CONFIG`, else `./headrace.toml` if it is
there. Every key has a default, and a variable of the environment that comes before the file: `HEADRACE_`, the section,
two underscores, the key, all in capitals, such as `HEADRACE_DELIVERY__BATCH_EVENTS`. In a variable, numbers, lists and
tables are JSON; everything else is the text itself. Relative paths begin at the file's directory, or without a file at
the working directory. An unknown key, an unknown variable or a bad value stops the start with a sentence that names it.

A *duration* is written `250ms`, `5s`, `30m`, `24h` or `7d`; a *size* `64KiB`, `1MiB` or `1GiB`, or as bytes. A *secret*
is never written into the file, and never shown: write `env:NAME` or `file:PATH`. A list of one may be written without
its brackets.

On Heroku, `KAFKA_URL`, its certificates and `KAFKA_PREFIX` set `[kafka]` and `topics.prefix`, before the file, unless
`HEADRACE_KAFKA__BOOTSTRAP_SERVERS` is set.

`headrace config show` prints what is in force and where it was set. [`headrace.toml`](headrace.toml) has every default.
`make docs` makes both pages from the code.
"""

_DESTINATIONS = """\
## `[destinations.NAME]`

Each names one place that events go to. Its `type` says which other keys it has. A variable for one key is
`HEADRACE_DESTINATIONS__NAME__KEY`; the whole table, as JSON, is `HEADRACE_DESTINATIONS`, which replaces the file's.
"""

_ROUTES = """\
## `[routes]`

Each line names an org and the list of destinations that its events go to: each event goes to all of them. An org's own
line replaces that of `"*"`, which stands for every org without one; an event without a line is a dead letter. As JSON
the table is `HEADRACE_ROUTES`, which replaces the file's.

Without `[destinations]` and `[routes]`, every org's events go to the event log.
"""

_EXAMPLE_DESTINATIONS = """\
[destinations.log]
type = "eventlog"

# [destinations.crm]
# type = "http"
# url = "https://crm.example/orgs/{org}/events"
# secret = "env:CRM_SECRET"

[routes]
"*" = ["log"]
# 00D000000000001 = ["log", "crm"]
"""


class ShowDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `show --json` prints."""

    file: str | None
    settings: dict[str, pages.Shown]


def show(*, config: Path | None = None, json: bool = False) -> int:
    """Show every setting that is in force and where it was set. Secrets are hidden.

    Example: headrace config show --config headrace.toml

    Parameters
    ----------
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    loaded = configuration.load(config)
    shown = configuration.show(loaded)
    document = ShowDocument(file=str(loaded.file) if loaded.file else None, settings=shown)
    emit_document(document, "\n".join(pages.lines(shown)), json=json)
    return 0


def reference(*, toml: bool = False, config: Path | None = None, json: bool = False) -> int:  # noqa: ARG001
    """Print the reference of every setting: its type, its default, what it says.

    Example: headrace config reference --toml > headrace.toml

    Parameters
    ----------
    toml
        Print an annotated configuration file with every default instead.
    config
        Taken as by every command; nothing in it changes the reference.
    json
        Print one JSON document.
    """
    text = "\n".join(_example() if toml else _reference())
    settings = [line for name, declared in SECTIONS.items() for line in pages.describe(name, declared)]
    for each in DESTINATION_TYPES.values():
        settings += pages.describe("destinations.NAME", each.settings)
    emit_document({"settings": settings}, text, json=json)
    return 0


def _reference() -> Iterator[str]:
    yield _INTRODUCTION
    for name, declared in SECTIONS.items():
        yield f"## `[{name}]`\n"
        yield f"{_summary(declared)}\n"
        yield from pages.table(name, declared)
        yield ""
    yield _DESTINATIONS
    for name, each in DESTINATION_TYPES.items():
        yield f'### `type = "{name}"`\n'
        yield f"{_summary(each.settings)}\n"
        if each.settings.__struct_fields__:
            yield from pages.table("destinations.NAME", each.settings)
            yield ""
    yield _ROUTES.rstrip()


def _example() -> Iterator[str]:
    yield "# Every setting with its default, made by `headrace config reference --toml`. Keep what you change.\n"
    for name, declared in SECTIONS.items():
        yield from pages.example(name, declared)
        yield ""
    yield _EXAMPLE_DESTINATIONS.rstrip()


def _summary(declared: type[msgspec.Struct]) -> str:
    return re.sub(r" \(design, [^)]*\)", "", (declared.__doc__ or "").partition("\n")[0])
