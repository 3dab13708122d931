"""Metrics, health, traces and alerts of real processes on a real Kafka."""

import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from headrace import console_app
from headrace.localkafka.ports import free_ports
from headrace.testing.simulated_org import SimulatedOrg
from outsider import Record, produce, record
from river import River, Settings, until

EVENTS = 300
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Sink:
    """Takes every POST: an OpenTelemetry collector, or a webhook."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        got = self.got

        class Asked(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def taker() -> Iterator[Sink]:
    sink = Sink()
    thread = threading.Thread(target=sink.server.serve_forever, args=(0.05,))
    thread.start()
    yield sink
    sink.server.shutdown()
    sink.server.server_close()
    thread.join()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def numbers(url: str) -> Mapping[tuple[str, str], float]:
    families = text_string_to_metric_families(get(url)[1])
    return {(each.name, ",".join(each.labels.values())): each.value for family in families for each in family.samples}


def total(ports: range, name: str) -> float:
    return sum(numbers(f"http://127.0.0.1:{port}/metrics").get((name, ""), 0) for port in ports)


def test_what_workers_and_console_tell_is_what_the_books_say(
    tmp_path: Path, kafka: str, taker: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers on two ports, whose posts a collector has as spans that link to the events' contexts."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", taker.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    base = free_ports(2)
    ports = range(base, base + 2)
    settings: Settings = {
        "telemetry": {"metrics_port": base, "traces": "otlp"},
        "alerts": {"url": f"{taker.url}/alerts", "dead_letters": 1},
    }
    with SimulatedOrg() as orgs, River(tmp_path, kafka, orgs, settings) as river:
        river.start_worker("--workers", "2")
        until(lambda: all(get(f"http://127.0.0.1:{port}/readyz")[0] == 200 for port in ports), "both are ready", 60)
        parent = f"00-{TRACE}-b7ad6b7169203331-01"
        events = [record("acme", f"s-{number % 9}", number=number) for number in range(EVENTS)]
        produce(kafka, river.config.names.events, [_traced(each, parent) for each in events])
        produce(kafka, river.config.names.events, [(b"acme/s", b"no event")])
        books = river.settled(events=2 * EVENTS + 1)

        assert total(ports, "headrace_events_delivered_total") == books.delivered == 2 * EVENTS
        assert total(ports, "headrace_events_dead_total") == books.rejected == 1
        assert total(ports, "headrace_delivery_seconds_count") == 2 * EVENTS
        assert all(get(f"http://127.0.0.1:{port}/livez")[0] == 200 for port in ports)
        until(lambda: _is_linked(taker), "a span that links to the events' trace has arrived", 30)

        with console_app.console(river.config, port=0) as console:
            until(lambda: get(f"{console.url}/readyz")[0] == 200, "the console is ready", 30)
            until(
                lambda: (
                    numbers(f"{console.url}/metrics").get(("headrace_books_events", "delivered")) == books.delivered
                ),
                "the console has closed the books",
                30,
            )
            told = numbers(f"{console.url}/metrics")

            def is_heard_of() -> bool:
                produce(kafka, river.config.names.events, [(b"acme/s", b"no event")])
                return "dead_letters" in _alerts(taker)

            until(is_heard_of, "the webhook heard of dead letters", 30, every=1.0)
            shown = json.loads(get(f"{console.url}/api/v1/alerts")[1])
        assert told["headrace_books_balanced", ""] == 1
        assert told["headrace_lag_records", river.config.names.events] == 0
        assert [alert["rule"] for alert in shown["open"]] == ["dead_letters"]
        assert river.run("alerts", "test", "--json").returncode == 0
        assert _alerts(taker)[-1] == "test"
        assert river.stop() == [0]


def test_a_port_that_is_taken_ends_the_worker_with_the_way_out(tmp_path: Path, kafka: str, taker: Sink) -> None:
    settings: Settings = {"telemetry": {"metrics_port": int(taker.url.rpartition(":")[2])}}
    with SimulatedOrg() as orgs, River(tmp_path, kafka, orgs, settings) as river:
        ended = river.run("deliver")

    assert ended.returncode == 1
    assert "choose another telemetry.metrics_port" in ended.stderr


def _traced(event: Record, parent: str) -> Record:
    key, value = event
    return key, json.dumps(json.loads(value or b"") | {"traceparent": parent}).encode()


def _is_linked(taker: Sink) -> bool:
    """Tell whether the context's ids are in a span's protobuf, as they are for a link."""
    ids = bytes.fromhex(TRACE), bytes.fromhex("b7ad6b7169203331")
    return any(path == "/v1/traces" and all(each in body for each in ids) for path, body in list(taker.got))


def _alerts(taker: Sink) -> list[str]:
    bodies = [json.loads(body) for path, body in list(taker.got) if path == "/alerts"]
    return [body["data"].get("rule") or body["type"].rpartition(".")[2] for body in bodies]
