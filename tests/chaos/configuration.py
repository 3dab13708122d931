"""The `headrace.toml` of a run, which bots, workers and the command line share."""

import json
from collections.abc import Mapping
from pathlib import Path

from chaos import profile
from chaos.ledger import LOG
from chaos.proxy import LOOPBACK

PREFIX = "chaos."


def configuration(
    directory: Path,
    *,
    brokers: int,
    links: Mapping[str, int],
    secrets: Mapping[str, str],
    journal: Path,
    eventlog: Path,
) -> str:
    """Return its text. *links* are the ports of the proxies by name; the secrets are written into *directory*.

    A request says which worker it is from, so that the checker can tell.
    """
    servers = ",".join(f"{LOOPBACK}:{links[f'broker-{number}']}" for number in range(brokers))
    tables: dict[str, Mapping[str, object]] = {
        "kafka": {"bootstrap_servers": servers},
        "topics": {"prefix": PREFIX, "partitions": 6, "replication": brokers, "min_insync_replicas": 2},
        "emitter": {"durability": "journal", "journal_dir": str(journal)},
        "delivery": {"ordering": "session", "timeout": "4s", "drain": "10s"},
        "retry": {"tiers": ["1s", "3s", "10s"], "give_up_after": "1d"},
        "eventlog": {"url": f"sqlite:///{eventlog}"},
        f"destinations.{LOG}": {"type": "eventlog"},
        "routes": profile.routes(),
    }
    for name, secret in secrets.items():
        kept = directory / f"{name}.secret"
        kept.write_text(secret)
        url = f"http://{LOOPBACK}:{links[name]}/{name}/orgs/{{org}}/events"
        tables[f"destinations.{name}"] = {"type": "http", "url": url, "secret": f"file:{kept}"}
        tables[f"destinations.{name}.headers"] = {"x-worker": "env:CHAOS_WORKER"}
    return "".join(f"[{name}]\n{_keys(table)}" for name, table in tables.items())


def _keys(table: Mapping[str, object]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
