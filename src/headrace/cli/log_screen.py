"""The event log on a terminal. What people and bots wrote is never markup, and never reaches the terminal raw."""

import io
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from headrace.cli.plain import plain
from headrace.eventlog.failures import FailureGroup
from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent
from headrace.eventlog.story import Line, tell
from headrace.eventlog.told import ErrorTold, Told

WIDE = 160
"""Columns where no terminal says how many it has."""

_INDENT = "   "
_STYLES = {"mark": "dim", "turn": "bold", "person": "cyan", "bot": "green", "step": "dim"}
_FAILED = "red"


def sessions_text(sessions: Sequence[SessionSummary]) -> str:
    """Draw the sessions of an org as a table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    # The columns that people look for keep their width; only the error gives way on a narrow terminal.
    for heading in ("session", "bot"):
        table.add_column(heading, overflow="fold", min_width=8, max_width=36)
    table.add_column("started", no_wrap=True, min_width=len("2026-11-23 10:00:00"))
    for heading in ("duration", "turns", "events", "errors"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    table.add_column("first error", overflow="ellipsis", no_wrap=True, max_width=72)
    for each in sessions:
        table.add_row(
            _text(each.session or "(none)", "bold"),
            _text(_bot(each.source)),
            Text(_moment(each.first_at)),
            Text(_seconds(each.last_at - each.first_at)),
            Text(str(each.turns)),
            Text(str(each.events)),
            Text(str(each.errors), _FAILED if each.errors else "dim"),
            _text(_first_error(each), _FAILED),
        )
    return _drawn(table)


def story_text(query: EventQuery, events: Sequence[StoredEvent], lines: Sequence[Line]) -> str:
    """Draw a session's *lines*, told from its *events*."""
    if not events:
        return _drawn(_text(f"The session {query.session} has no event of the type {query.type}."))
    title = Text.assemble(_text(query.session or "(no session)", "bold"), _text(f"  of {query.org}, "))
    title.append(f"{_moment(events[0].at)} UTC, {len(events)} events", "dim")
    parts: list[RenderableType] = [title, Text("")]
    for line in lines:
        parts += _drawn_line(line)
    if len(events) == query.limit:
        parts.append(Text(f"The first {query.limit} events; --limit shows more.", "dim"))
    return _drawn(Group(*parts))


def event_lines(query: EventQuery, events: Sequence[StoredEvent]) -> str:
    """Draw events of many sessions, one line each."""
    if not events:
        return _drawn(_text(f"The org {query.org} has no event of the type {query.type}."))
    grid = Table.grid(padding=(0, 2))
    for event in events:
        for line in tell([event]):
            said = _said(line)
            if line.error is not None:
                said.append_text(_text(f"  {line.error.type} {line.error.message}".rstrip(), _FAILED))
            grid.add_row(Text(_moment(event.at), "dim"), _text(event.session or "(none)", "bold"), said)
    return _drawn(grid)


def failures_text(org: str, groups: Sequence[FailureGroup]) -> str:
    """Draw what failed, group by group."""
    if not groups:
        return _drawn(_text(f"Nothing failed: the org {org} has no such event."))
    parts: list[RenderableType] = []
    for each in groups:
        head = Text.assemble((f"{each.count} × ", "bold"), _text(each.type, f"bold {_FAILED}"))
        head.append_text(_text(f"  {each.origin}", "yellow"))
        if each.place:
            head.append_text(_text(f"  in {each.place}"))
        parts.append(head)
        if each.message:
            parts.append(_inside(_text(each.message)))
        parts += [_inside(_text(f"at {frame}", "dim")) for frame in each.frames]
        sessions = "one session" if each.sessions == 1 else f"{each.sessions} sessions"
        when = f"{sessions}, {_moment(each.first_at)} to {_moment(each.last_at)} UTC, last in "
        parts += [_inside(Text.assemble((when, "dim"), _text(each.last_session or "(none)", "bold"))), Text("")]
    return _drawn(Group(*parts[:-1]))


def _drawn_line(line: Line) -> Iterator[RenderableType]:
    if line.kind == "turn":
        yield Text("")
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    indent = _INDENT * (line.depth + 1) if line.kind == "step" else ""
    clock = datetime.fromtimestamp(line.at, UTC).strftime("%H:%M:%S.%f")[:-3]
    grid.add_row(Text(clock, "dim"), Padding(_said(line), (0, 0, 0, len(indent))))
    yield grid
    if line.error is not None:
        yield Padding(_error(line.error), (0, 0, 0, len(clock) + 2 + len(indent) + len(_INDENT)))


def _said(line: Line) -> Text:
    failed = line.error is not None
    style = _FAILED if failed else _STYLES[line.kind]
    match line.kind:
        case "person" | "bot":
            said = Text.assemble(_text(f"{line.verb:>6} ", f"bold {style}"), _text(line.text))
        case "mark" | "turn":
            said = _text(f"{line.verb} {line.text}".rstrip(), style)
        case "step":
            said = Text.assemble(
                _text(f"{'✗ ' if failed else ''}{line.verb} ", style), _text(line.text, style if failed else "")
            )
    if line.duration_ms is not None:
        said.append(f"  {_seconds(line.duration_ms / 1000)}", "dim")
    return said


def _error(error: ErrorTold) -> RenderableType:
    head = Text.assemble(_text(error.type, f"bold {_FAILED}"), _text(f" {error.message}".rstrip(), _FAILED))
    if code := error.code:
        head.append_text(_text(f" [{code}]", _FAILED))
    head.append_text(_text(f"  {error.origin}".rstrip(), "yellow"))
    return Group(head, *(_text(f"at {frame}", "dim") for frame in error.frames))


def _first_error(summary: SessionSummary) -> str:
    if summary.first_error is None:
        return ""
    told = Told(summary.first_error)
    error = told.error()
    return "" if error is None else ": ".join(filter(None, (told.place(), error.type, error.message)))


def _bot(source: str) -> str:
    """Return the bot of `/orgs/{org}/bots/{bot}`, or the whole of another source."""
    parts = source.split("/")
    return parts[4] if len(parts) == 5 and parts[1] == "orgs" and parts[3] == "bots" else source


def _inside(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, len(_INDENT)))


def _text(text: str, style: str = "") -> Text:
    return Text(plain(text), style)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(seconds: float) -> str:
    """Write a duration as people say it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _drawn(what: RenderableType) -> str:
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else WIDE
    console = Console(
        file=io.StringIO(), force_terminal=is_terminal, width=width, highlight=False, markup=False, emoji=False
    )
    with console.capture() as capture:
        console.print(what)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).strip("\n")
