"""Plays conversations of the Schema-Guided Dialogue format through Headrace, as a bot's runtime would live them.

    python examples/replay_dialogues.py dialogues_001.json --config headrace.toml --orgs 20 --speed 10

Exits 0 when every event is acknowledged, 1 when some are not or a file cannot be read, 2 when it is called wrongly.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dialogues.format import BadDialogues, Dialogue, read
from dialogues.play import play
from headrace import Emitter
from headrace.errors import HeadraceError

FLUSH_SECONDS = 60.0
"""How long the end waits for Kafka; what is then left stays in the journal."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. What is left *in_journal* is sent by the next process that emits on this host."""

    conversations: int
    turns: int
    taken: int
    acknowledged: int
    in_journal: int
    dropped: int
    bad_files: list[str]

    @property
    def complete(self) -> bool:
        """Whether every file was played, and every event is acknowledged."""
        return not self.bad_files and not self.dropped and self.acknowledged == self.taken

    def __str__(self) -> str:
        return (
            f"{self.conversations} conversations, {self.turns} turns: {self.taken} events taken, "
            f"{self.acknowledged} acknowledged, {self.in_journal} left in the journal, {self.dropped} dropped"
        )


def main(words: Sequence[str] | None = None) -> int:
    """Play the files that the command line names; return the exit code."""
    arguments = _parser().parse_args(words)
    dialogues, bad_files = _read(arguments.files)
    try:
        emitter = Emitter.from_config(arguments.config)
        try:
            pace = {"speed": arguments.speed, "concurrency": arguments.concurrency}
            played = asyncio.run(play(dialogues, emitter, orgs=arguments.orgs, **pace))
            emitter.flush(timeout=FLUSH_SECONDS)
        finally:
            emitter.close()
    except HeadraceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    stats = emitter.stats()
    summary = Summary(
        conversations=played.conversations,
        turns=played.turns,
        taken=stats.taken,
        acknowledged=stats.acknowledged,
        in_journal=stats.in_journal,
        dropped=sum(stats.dropped.values()),
        bad_files=bad_files,
    )
    if summary.in_journal:
        sys.stderr.write("Kafka did not take all of them; the next process that emits here sends what is left\n")
    print(msgspec.json.encode(summary).decode() if arguments.json else summary)
    return 0 if summary.complete else 1


def _read(files: Sequence[Path]) -> tuple[list[Dialogue], list[str]]:
    """Read what can be read; name on standard error what cannot."""
    dialogues: list[Dialogue] = []
    bad_files = []
    for file in files:
        try:
            dialogues += read(file)
        except BadDialogues as error:
            sys.stderr.write(f"{error}\n")
            bad_files.append(str(file))
    return dialogues, bad_files


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Play conversations through Headrace, as a bot's runtime lives them.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="conversations, such as dialogues_001.json")
    parser.add_argument("--config", type=Path, help="headrace.toml (default: HEADRACE_CONFIG, else ./headrace.toml)")
    parser.add_argument("--orgs", type=_at_least_one, default=20, help="orgs to spread them over: org-00 and on (20)")
    parser.add_argument("--speed", type=_not_negative, default=0.0, help="times the pace of life; 0, as fast as it can")
    parser.add_argument("--concurrency", type=_at_least_one, default=64, help="conversations at the same time (64)")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON document")
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no speed; 0 is as fast as it can, 1 is the pace of life")
    return number


if __name__ == "__main__":
    sys.exit(main())
