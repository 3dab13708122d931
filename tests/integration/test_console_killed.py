"""A console that is killed under load: the worker goes on, and what comes back knows all that the first one knew."""

import json
import signal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from headrace.testing.simulated_org import SimulatedOrg
from river import River, until
from talking import Talking

ORGS = ("acme", "globex")


def ask(console: str, path: str) -> Any:
    with urlopen(f"{console}/api/v1{path}", timeout=20) as answer:
        return json.load(answer)


def delivered(console: str, path: str, *within: str) -> int:
    """Return what a page says was delivered; before anything is counted, or the books are closed, it says nothing."""
    try:
        page = ask(console, path)
    except HTTPError:
        return 0
    for name in within:
        page = page[name] or {"delivered": 0}
    return int(page["delivered"])


def test_a_console_that_is_killed_holds_nobody_up_and_comes_back_with_the_same_numbers(
    tmp_path: Path, kafka: str
) -> None:
    """Its keeper is killed in the middle of counting; nothing is counted twice then, and nothing is left out."""
    with SimulatedOrg(process=True) as orgs, River(tmp_path, kafka, orgs) as river:
        worker = river.start_worker()
        console, url = river.start_console()
        with Talking(river.config, ORGS) as bots:
            until(lambda: delivered(url, "/", "sums") > 500, "the console counts", 60)
            console.send_signal(signal.SIGKILL)
            assert console.wait(5) == -signal.SIGKILL
            with pytest.raises(URLError):
                ask(url, "/")
            said = dict(bots.emitted)
            until(lambda: all(orgs.ledger(org).distinct > said[org] + 50 for org in ORGS), "the worker goes on", 20)
            _, again = river.start_console()
        total = bots.emitted.total()

        books = river.settled(events=2 * total, within=30)
        assert (books.accepted, books.delivered, books.lost, books.balanced) == (2 * total, 2 * total, 0, True)
        assert {org: orgs.ledger(org).distinct for org in ORGS} == river.stored() == bots.emitted
        until(lambda: delivered(again, "/books") == 2 * total, "its books are those of the audit", 20)
        until(lambda: delivered(again, "/", "sums") == 2 * total, "each event is counted once", 20)
        for org in ORGS:
            page = ask(again, f"/orgs/{org}")
            assert page["books"]["delivered"] == books.orgs[org].delivered == 2 * bots.emitted[org]
        assert ask(again, "/sessions?limit=500")["rows"][0]["org"] in ORGS
        assert worker.poll() is None
        assert river.stop() == [0, 0]
