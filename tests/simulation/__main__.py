"""`python -m simulation`: runs seeds; one that fails is told in a line, shrunk, and told again as a trace."""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

from headrace.delivery.settings import Ordering
from simulation.judge import Flaw
from simulation.script import ORDERINGS, draw
from simulation.shrink import Cut, shrink
from simulation.world import Result, play

FAILURES = 5
"""Seeds that fail after which it is enough."""


def main() -> int:
    options = _options()
    seeds = options.seeds or (2000 if options.seed is None else 1)
    if options.seed is not None and seeds == 1:
        return _tell(options.seed, options.ordering, Cut.parse(options.without), traced=True)
    first = random.randrange(1 << 30) if options.seed is None else options.seed
    began = time.monotonic()
    done = failed = effects = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        results = pool.map(partial(_run, options.ordering), range(first, first + seeds), chunksize=10)
        for result in results:
            done += 1
            effects += result.effects
            failed += bool(result.flaws)
            if result.flaws:
                _tell(result.seed, options.ordering, Cut())
            if failed == FAILURES:
                break
        pool.shutdown(cancel_futures=True)
    rate = done / (time.monotonic() - began) * 60
    _say(
        f"simulate: {'failed' if failed else 'passed'}: {done} schedules from SEED={first}, {failed} failed, "
        f"{effects} effects, {rate:,.0f} schedules a minute"
    )
    return 1 if failed else 0


class Count(NamedTuple):
    """What is to be known of one of many runs."""

    seed: int
    flaws: Sequence[Flaw]
    effects: int


def _run(ordering: Ordering | None, seed: int) -> Count:
    result = play(draw(seed, ordering))
    return Count(seed, [verdict.flaw for verdict in result.verdicts], result.effects)


def _tell(seed: int, ordering: Ordering | None, cut: Cut, *, traced: bool = False) -> int:
    """Run one seed, and when it fails print what is wrong, the smallest part of it that fails alike, and its trace."""
    script = draw(seed, ordering)
    result = play(cut.of(script), traced=traced)
    if not result.verdicts:
        _say(f"SEED={seed} passed: {result.effects} effects in {result.seconds:.1f} s")
        return 0
    flaw = result.verdicts[0].flaw
    _say(f"SEED={seed} verdict {' '.join(sorted({verdict.flaw for verdict in result.verdicts}))}")
    if not str(cut):
        cut = shrink(script, lambda smaller: any(verdict.flaw == flaw for verdict in play(smaller).verdicts))
        result = play(cut.of(script), traced=True)
    _print(result)
    chosen = f" ORDERING={ordering}" if ordering else ""
    _say(f'replay: make simulate SEED={seed}{chosen} WITHOUT="{cut}"')
    return 1


def _print(result: Result) -> None:
    script = result.script
    _say(f"  {script.settings.ordering}, {script.partitions} partitions, tiers {', '.join(map(str, script.tiers))}")
    for part in (*script.spells, *script.fronts, *script.faults):
        _say(f"  {part}")
    for line in result.trace:
        _say(f"  {str(line)[:200]}")
    for verdict in result.verdicts[:5]:
        _say(f"  {verdict.at:9.4f} {verdict.flaw}: {verdict.told}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, help="how many; one if it is named, else 2,000")
    parser.add_argument("--seed", type=int, help="the first of them; one that nobody chose by default")
    parser.add_argument("--ordering", choices=ORDERINGS, help="overrule what the seed says")
    parser.add_argument("--without", default="", help="what is left out of the schedule, as a shrunk one says it")
    parser.add_argument("--jobs", type=int, help="processes; as many as there are cores by default")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
