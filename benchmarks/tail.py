"""Does the live tail stay responsive in a browser while the river carries a thousand events per second?

    python benchmarks/tail.py --rate 1000 --seconds 60
    python benchmarks/tail.py --rate 5000 --seconds 20 --json

Bots emit at a steady rate to a real Kafka; `headrace console` runs as a process of its own, and Chromium shows its live
tail. All the while somebody pauses it and lets it go on, and types a word that is then highlighted in all rows. Said
are: tasks of the page's thread that took longer than 50 ms (while one runs, a click waits), the longest time between
two frames, how long after the input its effect was there, how long a filter took from its click to rows of that kind,
what the page itself says that it leaves out, by how much its memory grew, and what share of a processor the console
needed.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Self
from urllib.request import urlopen

import msgspec
import psutil
from playwright.sync_api import Page, sync_playwright

from headrace import app
from headrace.config import Config
from headrace.localkafka.ports import free_ports
from machine import Machine, machine, sentence
from stage import Stage, Tables, local_kafka
from tail_page import WATCH, Footprint, footprint, measured

CHROMIUM = "/usr/bin/chromium"
ORGS = [f"org-{number}" for number in range(20)]
TYPES = ("bot.turn.started", "bot.message.received", "bot.intent.detected", "bot.action.failed", "bot.message.sent")
WORD = "number"
CALM = 5.0
"""Seconds before anything is measured."""

EVERY = 1.25
"""Seconds from one thing that somebody does to the next."""

PATIENCE = 30.0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen in so many *seconds*. Times are in milliseconds; *one_in* and *lost* are the page's own words."""

    machine: Machine
    seconds: float
    emitted: int
    long_tasks: int
    longest_task_ms: float
    blocked_ms: float
    longest_frame_ms: float
    inputs: int
    effect_median_ms: float
    effect_slowest_ms: float
    filter_ms: float
    most_rows: int
    one_in: str
    lost: str
    before: Footprint
    after: Footprint
    console_cpu: float
    complaints: Sequence[str]


class Bots:
    """Emits *rate* events per second in a thread, while the context lasts."""

    def __init__(self, config: Config, rate: float) -> None:
        self._config = config
        self._rate = rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._talk)
        self.emitted = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _talk(self) -> None:
        with closing(app.emitter(self._config)) as emitter:
            names = [(org, f"s-{number}") for number in range(50) for org in ORGS]
            sessions = cycle([emitter.session(org=org, bot="bot", session=name) for org, name in names])
            began = time.monotonic()
            while not self._stop.wait(0.005):
                while self.emitted < (time.monotonic() - began) * self._rate:
                    type_ = TYPES[self.emitted % len(TYPES)]
                    self.emitted += next(sessions).emit(type_, text=f"Where is my order {WORD} {self.emitted}? " * 3)


@contextmanager
def console(stage: Stage, directory: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Run `headrace console` on the river of *stage*; yield the process and its address."""
    port = free_ports()
    command = [sys.executable, "-m", "headrace", "console", "--config", str(stage.file), "--port", str(port)]
    with (directory / "console.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    try:
        while not _answers(f"{url}/livez"):
            if time.monotonic() > deadline or running.poll() is not None:
                raise RuntimeError(f"the console does not answer: {(directory / 'console.log').read_text()[-2000:]}")
            time.sleep(0.1)
        yield psutil.Process(running.pid), url
    finally:
        running.terminate()
        running.wait(30)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def use(page: Page, seconds: float) -> None:
    """Be somebody who looks on: pause, go on, type a word to have it highlighted, and take it out again."""
    steps = cycle((_click_pause, _click_pause, _type, _clear))
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        next(steps)(page)
        page.mouse.move(0, 0)  # a pointer on the rows would hold them
        page.wait_for_timeout(1000 * min(EVERY, left))


def _click_pause(page: Page) -> None:
    page.click("#tail-pause")


def _type(page: Page) -> None:
    page.focus("#tail-highlight")
    page.keyboard.type(WORD)


def _clear(page: Page) -> None:
    for _ in WORD:
        page.keyboard.press("Backspace")


def filtered(page: Page) -> float:
    """Filter by a type; return the milliseconds from the click until the page has rows of that type."""
    page.fill("input[name=type]", TYPES[0])
    begun = time.perf_counter()
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**/tail?*type=*")
    page.wait_for_selector("#tail-rows > li")
    took = 1000 * (time.perf_counter() - begun)
    others = set(page.locator("#tail-rows .type").all_text_contents()) - {TYPES[0]}
    if others:
        raise RuntimeError(f"the filter lets {others} through")
    return took


def run(options: argparse.Namespace, kafka: str, directory: Path) -> Result:
    """Let the bots talk, and somebody look on."""
    where = machine()
    tables: Tables = {
        "destinations.log": {"type": "eventlog"},
        "routes": {"*": ["log"]},
        "eventlog": {"url": f"sqlite:///{directory / 'log.db'}"},
        "emitter": {"journal_dir": str(directory / "journal")},
    }
    complaints: list[str] = []
    with (
        Stage(directory, kafka, tables) as stage,
        Bots(stage.config, options.rate) as bots,
        console(stage, directory) as (process, url),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(WATCH)
        page.goto(f"{url}/tail")
        page.wait_for_timeout(1000 * CALM)
        inspector = page.context.new_cdp_session(page)
        inspector.send("Performance.enable")
        before = footprint(inspector)
        measured(page)
        spent, emitted, begun = _spent(process), bots.emitted, time.monotonic()
        use(page, options.seconds)
        seconds = time.monotonic() - begun
        cpu, emitted = _spent(process) - spent, bots.emitted - emitted
        found, said = measured(page), page.inner_text("#tail-state")
        after = footprint(inspector)
        took = filtered(page)
        browser.close()
    if not found["effects"] or not found["rows"]:
        raise RuntimeError(f"this was no measurement: {found}, {said!r}, {complaints}")
    return Result(
        machine=where,
        seconds=round(seconds, 1),
        emitted=emitted,
        long_tasks=len(found["tasks"]),
        longest_task_ms=round(max(found["tasks"], default=0.0), 1),
        blocked_ms=round(sum(found["tasks"]), 1),
        longest_frame_ms=round(found["frame"], 1),
        inputs=len(found["effects"]),
        effect_median_ms=round(statistics.median(found["effects"]), 1),
        effect_slowest_ms=round(max(found["effects"]), 1),
        filter_ms=round(took, 1),
        most_rows=found["rows"],
        one_in=_said(r"showing 1 in \S+", said),
        lost=_said(r"\d+ s lost", said),
        before=before,
        after=after,
        console_cpu=round(cpu / seconds, 3),
        complaints=complaints,
    )


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _said(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def told(result: Result) -> str:
    """Return *result* in words."""
    tasks = f"{result.long_tasks} tasks longer than 50 ms, the longest {result.longest_task_ms} ms"
    effects = (
        f"effects of {result.inputs} inputs after {result.effect_median_ms} ms, {result.effect_slowest_ms} at most"
    )
    left_out = f"{result.one_in or 'every event'}, {result.lost or 'no second lost'}"
    return (
        f"{result.emitted / result.seconds:,.0f} events/s for {result.seconds:g} s: {tasks}, the longest frame "
        f"{result.longest_frame_ms} ms; {effects}; a filter after {result.filter_ms} ms; {result.most_rows} rows at "
        f"most, {left_out}; heap {result.before.heap_mb} MB before, {result.after.heap_mb} after; the console took "
        f"{100 * result.console_cpu:.0f} % of a processor; complaints: {len(result.complaints)}"
    )


def main() -> None:
    """Read the command line, run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=1000, help="events per second")
    parser.add_argument("--seconds", type=float, default=60, help="how long somebody looks on")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, local_kafka(Path(name) / "kafka") as kafka:
        result = run(options, kafka, Path(name) / "tail")
    if options.json:
        print(msgspec.json.encode(result).decode())
    else:
        print(sentence(result.machine))
        print(told(result))
    sys.exit(1 if result.complaints else 0)


if __name__ == "__main__":
    main()
