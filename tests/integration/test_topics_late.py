"""A worker that starts while its topics are being made: brokers may not know at once what was just made."""

import time
from contextlib import closing
from pathlib import Path

from headrace import app
from headrace import config as configuration
from headrace.testing.simulated_org import SimulatedOrg
from river import River, until


def test_a_worker_that_finds_no_topics_looks_again_before_it_ends(tmp_path: Path, kafka: str) -> None:
    with SimulatedOrg() as orgs, River(tmp_path, kafka, orgs) as river:
        text = river.config_file.read_text()
        river.config_file.write_text(text.replace('"prefix" = "', '"prefix" = "late-'))
        river.config = configuration.load(river.config_file, {})
        assert river.config.topics.prefix.startswith("late-")
        began = time.monotonic()
        worker = river.start_worker()
        until(lambda: time.monotonic() - began > 3.0, "it has looked for them", 10)

        assert worker.poll() is None
        river.apply_topics()
        with closing(app.emitter(river.config)) as emitter:
            emitter.session(org="acme", bot="helpdesk", session="s-1").emit("bot.message.sent", text="hello")
        assert river.settled(events=2, within=30).delivered == 2
        assert river.stop() == [0]
