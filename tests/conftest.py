"""Fixtures for every test. Servers live on free ports of loopback and in temporary directories."""

import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import structlog

import postgres_server
from headrace.localkafka.cluster import LocalKafka
from headrace.localkafka.ports import free_ports


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Whoever sets up logging, sets it up for itself."""
    handlers, level = list(logging.root.handlers), logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real Kafka broker for the whole run: its bootstrap servers. Choose topics' names that are yours alone."""
    cluster = LocalKafka(tmp_path_factory.mktemp("kafka"), port=free_ports())
    try:
        cluster.start()
        yield cluster.bootstrap_servers
    finally:
        cluster.stop()


@pytest.fixture
def new_kafka(tmp_path: Path) -> Iterator[Callable[..., LocalKafka]]:
    """Makes clusters of the test's own, to be hurt: `new_kafka(brokers=3)` has started when it returns."""
    clusters: list[LocalKafka] = []

    def new(brokers: int = 1) -> LocalKafka:
        cluster = LocalKafka(tmp_path / f"kafka-{len(clusters)}", port=free_ports(brokers), brokers=brokers)
        clusters.append(cluster)
        cluster.start()
        return cluster

    yield new
    for cluster in clusters:
        cluster.stop()


@pytest.fixture
def kafka3(new_kafka: Callable[..., LocalKafka]) -> LocalKafka:
    """Three brokers of the test's own: they cost some seconds and a gigabyte."""
    return new_kafka(brokers=3)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One real PostgreSQL for the whole run: the URL of a database of it."""
    with postgres_server.running() as url:
        yield url


_numbers = itertools.count()


@pytest.fixture
def new_postgres(postgres_url: str) -> Callable[[], str]:
    """Makes new, empty databases, and returns their URLs."""

    def new() -> str:
        name = f"test_{next(_numbers)}"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgres_url.rpartition("/")[0] + f"/{name}"

    return new
