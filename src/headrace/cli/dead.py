"""`headrace dead list|show|redrive`: the letters that no destination took."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from headrace import app
from headrace import config as configuration
from headrace.cli.letters import Row, list_text, page_of, page_text, position_of, row_of
from headrace.cli.noting import noted
from headrace.cli.output import emit_document, progress
from headrace.cli.plain import plain
from headrace.clock import SystemClock
from headrace.config import Config
from headrace.errors import HeadraceError, UsageError
from headrace.model.mark import DeadReason
from headrace.model.units import Duration
from headrace.retry.dead import DeadLetters, State, Wanted
from headrace.retry.redrive import Redrive, Skipped
from headrace.wire.letters import DeadLetter
from headrace.wire.times import from_text


class ListDocument(msgspec.Struct, frozen=True):
    """What `list --json` prints."""

    count: int
    dead: list[Row]


def list_letters(
    *,
    org: str | None = None,
    destination: str | None = None,
    reason: DeadReason | None = None,
    since: str | None = None,
    state: State | Literal["all"] = "open",
    config: Path | None = None,
    json: bool = False,
) -> int:
    """List dead letters, the oldest first; by default those that no redrive has put back.

    Example: headrace dead list --org 00D000000000001 --reason gave_up --since 24h

    Parameters
    ----------
    org
        Those of this org only; "-" has those that belong to nobody.
    destination
        Those for this destination only; "-" has those that never had one.
    reason
        Those that died for this reason only.
    since
        Those that died since then: a time such as 2026-11-23T10:00:00Z, or how long ago, such as 24h.
    state
        Open ones, redriven ones, or all.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    wanted = Wanted(
        state=None if state == "all" else state,
        org=org,
        destination=destination,
        reason=reason,
        since=None if since is None else _moment(since),
    )
    with _dead(configuration.load(config)) as dead:
        rows = [row_of(letter, found) for letter, found in dead.read(wanted)]
    rows.sort(key=lambda row: row.dead_at)
    emit_document(ListDocument(len(rows), rows), list_text(rows), json=json)
    return 0


def show(position: str, /, *, config: Path | None = None, json: bool = False) -> int:
    """Show one dead letter whole: why it died, where it came from, its key and its value.

    Example: headrace dead show 3/17

    Parameters
    ----------
    position
        The letter's place in the dead topic, partition/offset, as `headrace dead list` shows it.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    wanted = Wanted(state=None, positions={position_of(position)})
    with _dead(configuration.load(config)) as dead:
        found = next(dead.read(wanted), None)
    if found is None:
        raise HeadraceError(f"there is no dead letter at {position}; `headrace dead list --state all` shows them")
    page = page_of(*found)
    emit_document(page, page_text(page), json=json)
    return 0


def redrive(
    *positions: str,
    org: str | None = None,
    destination: str | None = None,
    reason: DeadReason | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    rate: str | None = None,
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Put open dead letters back on the first retry tier; those that never had a destination are routed anew.

    What is redriven once is not redriven again. Exits 1 when a letter had to be skipped, and names it.

    Example: headrace dead redrive --org 00D000000000001 --destination crm --rate 100/s

    Parameters
    ----------
    positions
        These letters, partition/offset each; none means all that the filters leave.
    org
        Those of this org only.
    destination
        Those for this destination only; "-" has those that never had one.
    reason
        Those that died for this reason only.
    dry_run
        Say what would be done, and do nothing.
    rate
        At most so many letters a second, such as 100/s.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    places = {position_of(text) for text in positions} or None
    wanted = Wanted(state=None if places else "open", org=org, destination=destination, reason=reason, positions=places)
    per_second = None if rate is None else _rate(rate)
    loaded = configuration.load(config)
    absent = {f"{partition}/{offset}" for partition, offset in places or ()}
    asked = {"positions": positions, "org": org, "destination": destination, "reason": reason, "rate": per_second}
    with (
        nullcontext()
        if dry_run
        else noted(loaded.eventlog, "redrive", org=org, target=" ".join(positions), asked=asked) as ended
    ):
        done = _redriven(loaded, wanted, absent, rate=per_second, dry_run=dry_run)
        if ended is not None:
            ended({"redriven": done.redriven, "records": done.records, "skipped": len(done.skipped) + len(absent)})
    done.skipped += [Skipped(position, "there is no such dead letter") for position in sorted(absent)]
    emit_document(done, "\n".join(_redrive_text(done)), json=json)
    return 1 if done.skipped else 0


def _redriven(loaded: Config, wanted: Wanted, absent: set[str], *, rate: float | None, dry_run: bool) -> Redrive:
    """Redrive what is *wanted*, and take out of *absent* the letters that there are."""
    with _dead(loaded) as dead, progress("redriving letters") as bar, app.redriver(loaded, bar.update) as redriver:

        def opened() -> Iterator[DeadLetter]:
            for letter, state in dead.read(wanted):
                absent.discard(letter.position)
                if state == "open":
                    yield letter

        return redriver.run(opened(), rate=rate, dry_run=dry_run)


@contextmanager
def _dead(loaded: Config) -> Iterator[DeadLetters]:
    reader = app.broker(loaded).reader()
    try:
        yield DeadLetters(reader, loaded.names)
    finally:
        reader.close()


def _redrive_text(done: Redrive) -> Iterator[str]:
    verb = "Would redrive" if done.dry_run else "Redrove"
    for skipped in done.skipped:
        yield plain(f"skipped {skipped.position}: {skipped.why}")
    yield f"{verb} {done.redriven} dead letters as {done.records} records; skipped {len(done.skipped)}."


def _moment(text: str) -> float:
    """Read a time, or how long ago."""
    try:
        return SystemClock().wall() - Duration.parse(text)
    except ValueError:
        pass
    try:
        return from_text(text)
    except ValueError:
        raise UsageError(f"{text!r} is neither a time such as 2026-11-23T10:00:00Z nor a span such as 24h") from None


def _rate(text: str) -> float:
    """Read `100/s` or `100`."""
    try:
        rate = float(text.removesuffix("/s"))
    except ValueError:
        rate = 0.0
    if not 0.0 < rate < 1e9:
        raise UsageError(f"{text!r} is no rate such as 100/s")
    return rate
