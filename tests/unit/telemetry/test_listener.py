"""The port of a worker: three paths, and nothing that a stranger could break."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from headrace.errors import HeadraceError
from headrace.telemetry.health import Check, Health
from headrace.telemetry.listener import Listener, routes
from headrace.telemetry.prometheus import Exposition, Value

WELL = Health.of(owner=Check(True, "it turns"))
ILL = Health.of(kafka=Check(False, "nobody answers"), partitions=Check(True, "3 are assigned"))


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    exposition = Exposition(lambda: [Value("posts", 3)])
    with Listener("127.0.0.1", 0, routes(exposition, lambda: WELL, lambda: ILL)) as listener:
        yield listener


def get(listener: Listener, path: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{listener.port}{path}", timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_metrics_are_served(listener: Listener) -> None:
    status, content_type, body = get(listener, "/metrics?x=1")

    assert (status, content_type.partition(";")[0]) == (200, "text/plain")
    assert "headrace_posts_total 3.0" in body


def test_health_is_a_status_for_programs_and_checks_for_people(listener: Listener) -> None:
    assert get(listener, "/livez")[0] == 200
    status, content_type, body = get(listener, "/readyz")

    assert (status, content_type) == (503, "application/json")
    assert json.loads(body) == {
        "ok": False,
        "checks": {
            "kafka": {"ok": False, "says": "nobody answers"},
            "partitions": {"ok": True, "says": "3 are assigned"},
        },
    }


def test_another_path_is_not_there(listener: Listener) -> None:
    assert get(listener, "/etc/passwd")[0] == 404


def test_somebody_who_sends_nothing_holds_nobody_up(listener: Listener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port)):
        assert get(listener, "/livez")[0] == 200


def test_a_port_that_is_taken_is_refused_with_the_way_out(listener: Listener) -> None:
    with pytest.raises(HeadraceError, match=r"choose another telemetry\.metrics_port"):
        Listener("127.0.0.1", listener.port, {})


def test_a_port_beyond_the_last_is_refused_too() -> None:
    with pytest.raises(HeadraceError, match=r"choose another telemetry\.metrics_port"):
        Listener("127.0.0.1", 70_000, {})
