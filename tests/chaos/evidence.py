"""The figures of runs, added up: one JSON per run with its commit and seed, and a table made of all of them."""

import subprocess
import time
from pathlib import Path

import msgspec

from chaos.run import Outcome

_HEAD = """# Evidence

Runs of `make chaos`, one JSON each, and this table of them, which is made by the runs.

| when | commit | profile | seed | verdict | faults | taken | lost | order | sent | repeated | healed in | late p99 |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as it is kept. *dirty* says that the checkout had changes of its own, evidence aside."""

    at: str
    commit: str
    dirty: bool
    outcome: Outcome


def keep(outcome: Outcome, directory: Path) -> None:
    """Write the run down, and make the table anew."""
    directory.mkdir(parents=True, exist_ok=True)
    at = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())
    kept = Evidence(
        at=at,
        commit=_git("rev-parse", "--short=12", "HEAD"),
        dirty=bool(_git("status", "--porcelain", "--", ".", ":!docs/evidence")),
        outcome=outcome,
    )
    path = directory / f"{at}-{outcome.profile}-{outcome.seed}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
    (directory / "README.md").write_text(
        table([msgspec.json.decode(each.read_bytes(), type=Evidence) for each in sorted(directory.glob("*.json"))])
    )


def table(runs: list[Evidence]) -> str:
    """Return the page of all runs, the sum of them last."""
    passed = sum(each.outcome.verdict == "passed" for each in runs)
    faults = sum(each.outcome.faults for each in runs)
    taken = sum(int(each.outcome.findings.figures["taken"]) for each in runs)
    lost = sum(each.outcome.findings.wrongs.get("lost", 0) for each in runs)
    total = f"{passed} of {len(runs)} runs passed: {faults:,} faults, {taken:,} events taken, {lost:,} lost."
    return _HEAD + "".join(map(_line, runs)) + f"\n{total}\n"


def _line(kept: Evidence) -> str:
    outcome = kept.outcome
    figures, wrongs = outcome.findings.figures, outcome.findings.wrongs
    cells = [
        kept.at,
        kept.commit + ("+" if kept.dirty else ""),
        outcome.profile,
        outcome.seed,
        outcome.verdict,
        outcome.faults,
        f"{figures['taken']:,.0f}",
        wrongs.get("lost", 0),
        wrongs.get("order", 0),
        f"{figures['sent']:,.0f}",
        f"{figures['repeated_sends']:,.0f}",
        f"{figures['healed_in']:g} s",
        f"{figures['late_p99']:g} s",
    ]
    return "| " + " | ".join(map(str, cells)) + " |\n"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()
