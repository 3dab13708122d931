"""`headrace topics plan|apply`: the topics of the configuration, and how the cluster differs from them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import assert_never

import msgspec

from headrace import app
from headrace import config as configuration
from headrace.broker import topics
from headrace.cli.output import emit_document, say
from headrace.core.topicplan import Change, Configure, Create, Grow, Refuse
from headrace.model.units import Duration, Size


class TopicsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints: *applied* says whether *changes* were made, *refused* never are."""

    applied: bool
    changes: list[Change]
    refused: list[Change]


def plan(*, accept_reorder: bool = False, config: Path | None = None, json: bool = False) -> int:
    """Show how the cluster's topics differ from the configuration, and change nothing.

    Exits 1 when something cannot be changed in place.

    Example: headrace topics plan --config headrace.toml

    Parameters
    ----------
    accept_reorder
        Show growth under session or org ordering even though the topics are not drained.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    return _run(config, accept_reorder=accept_reorder, change=False, json=json)


def apply(*, accept_reorder: bool = False, config: Path | None = None, json: bool = False) -> int:
    """Create, grow and configure topics until they are as configured; nothing is ever deleted.

    Prints what it did. Exits 1 when something cannot be changed in place; the rest is done all the same.

    Example: headrace topics apply --config headrace.toml

    Parameters
    ----------
    accept_reorder
        Grow under session or org ordering although events of a session may then overtake earlier ones.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    return _run(config, accept_reorder=accept_reorder, change=True, json=json)


def _run(path: Path | None, *, accept_reorder: bool, change: bool, json: bool) -> int:
    loaded = configuration.load(path)
    found = app.topic_changes(loaded, accept_reorder=accept_reorder)
    changes = [each for each in found if not isinstance(each, Refuse)]
    refused = [each for each in found if isinstance(each, Refuse)]
    if change:
        topics.apply(app.broker(loaded).admin(), changes, tell=lambda made: say(_sentence(made)))
    document = TopicsDocument(applied=change, changes=[*changes], refused=[*refused])
    emit_document(document, _text(changes, refused, applied=change), json=json)
    return 1 if refused else 0


def _text(changes: Sequence[Change], refused: Sequence[Change], *, applied: bool) -> str:
    if applied:
        # What was done has been told while it was done.
        done = f"{len(changes)} change{'' if len(changes) == 1 else 's'} made." if changes else ""
    else:
        done = "\n".join(map(_sentence, changes))
    text = "\n".join(filter(None, [done, *map(_sentence, refused)]))
    return text or "The topics are as configured."


def _sentence(change: Change) -> str:
    match change:
        case Create(topic=topic, partitions=partitions, replication=replication, config=config):
            copies = "1 copy" if replication == 1 else f"{replication} copies"
            return f"create     {topic}: {_count(partitions)}, {copies}, {_settings({}, config)}"
        case Grow(topic=topic, was=was, partitions=partitions):
            return f"grow       {topic}: from {was} to {_count(partitions)}"
        case Configure(topic=topic, was=was, config=config):
            return f"configure  {topic}: {_settings(was, config)}"
        case Refuse(topic=topic, reason=reason, way_out=way_out):
            return f"refused    {topic}: {reason}; {way_out}"
        case _:
            assert_never(change)


def _count(partitions: int) -> str:
    return "1 partition" if partitions == 1 else f"{partitions} partitions"


def _settings(was: Mapping[str, str], config: Mapping[str, str]) -> str:
    return ", ".join(
        f"{key} {f'{_readable(key, was[key])} → ' if key in was else ''}{_readable(key, value)}"
        for key, value in sorted(config.items())
    )


def _readable(key: str, value: str) -> str:
    """Return a topic's setting as the configuration would write it."""
    if not value.isdigit():
        return value
    if key.endswith(".ms"):
        return str(Duration(int(value) / 1000))
    return str(Size(int(value))) if key.endswith(".bytes") else value
