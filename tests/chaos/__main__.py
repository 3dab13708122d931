"""`make chaos PROFILE=smoke|full|soak SEED=n`: a run on real parts. Exit 0 only when it passed.

python -m chaos [--profile smoke] [--seed N] [--plant NAME] [--directory D] [--evidence D] [--hours H]
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from chaos import evidence
from chaos.findings import WRONGS
from chaos.plants import PLANTS
from chaos.profile import PROFILES, Profile
from chaos.run import Outcome, run


def say(text: str) -> None:
    """Tell a person how it goes; the verdict alone is for programs."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def once(profile: Profile, seed: int, root: Path, plant: str) -> Outcome:
    """Run once in a directory of its own, which is kept unless the run passed."""
    directory = root / f"{profile.name}-{seed}"
    say(f"profile {profile.name}, seed {seed}, in {directory}")
    outcome = run(profile, seed, directory, plant=plant, say=say)
    (directory / "outcome.json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    for kind, lines in outcome.findings.evidence.items():
        say(f"{kind} ({outcome.findings.wrongs[kind]}): {WRONGS[kind]}")
        for line in lines:
            say(f"    {line}")
    for missed in outcome.missed:
        say(f"a fault did not bite: {missed}")
    if outcome.verdict == "passed":
        shutil.rmtree(directory)
    else:
        say(f"everything is kept in {directory}")
    return outcome


def main() -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description="Hurt a river on real parts, and check its books.")
    parser.add_argument("--profile", choices=PROFILES, default="smoke")
    parser.add_argument("--seed", type=int, default=None, help="of the faults; by default one that nobody knows")
    parser.add_argument("--plant", choices=PLANTS, default="", help="a bug to put into the workers")
    parser.add_argument("--directory", type=Path, default=None, help="where to work; by default a temporary one")
    parser.add_argument("--evidence", type=Path, default=None, help="where the figures of the run are kept")
    parser.add_argument("--hours", type=float, default=0.0, help="go on with further seeds for so long")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 31) if options.seed is None else options.seed
    root = options.directory or Path(tempfile.mkdtemp(prefix="headrace-chaos-"))
    ends = time.monotonic() + options.hours * 3600
    while True:
        outcome = once(PROFILES[options.profile], seed, root, options.plant)
        if options.evidence:
            evidence.keep(outcome, options.evidence)
        sys.stdout.write(f"{outcome.line}\n")
        sys.stdout.flush()
        if outcome.verdict != "passed" or time.monotonic() >= ends:
            return 0 if outcome.verdict == "passed" else 1
        seed += 1


if __name__ == "__main__":
    sys.exit(main())
