import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from headrace import config
from headrace.config import DESTINATION_TYPES, UNCONFIGURED
from headrace.errors import ConfigError, SecretMissing
from headrace.model.units import Duration
from headrace.settings.keys import keys_of
from headrace.sinks.http_settings import HttpSettings

CRM = """
[destinations.crm]
type = "http"
url = "https://crm.example/orgs/{org}/events"
secret = "env:CRM_SECRET"
[destinations.log]
type = "eventlog"
[routes]
"*" = ["log"]
00D1 = ["log", "crm"]
"""


def load(directory: Path, text: str = "", environ: Mapping[str, str] | None = None) -> config.Config:
    """Load *text* as `headrace.toml` of *directory*."""
    file = directory / "headrace.toml"
    file.write_text(text)
    return config.load(file, environ or {})


def refusal(directory: Path, text: str = "", environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(directory, text, environ)
    return str(caught.value).removeprefix(f"{directory / 'headrace.toml'}: ")


def test_defaults_are_those_of_the_design(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert loaded.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert (loaded.topics.prefix, loaded.topics.partitions, str(loaded.topics.retention)) == ("", 12, "7d")
    assert (str(loaded.emitter.memory), str(loaded.emitter.journal_bytes)) == ("64MiB", "1GiB")
    assert (loaded.emitter.durability, loaded.emitter.compression) == ("memory", "lz4")
    assert (loaded.delivery.ordering, loaded.delivery.batch_events, loaded.delivery.lane_events) == ("any", 500, 5000)
    assert (str(loaded.delivery.batch_linger), str(loaded.delivery.drain)) == ("20ms", "20s")
    assert [str(tier) for tier in loaded.retry.tiers] == ["5s", "30s", "5m", "1h"]
    assert loaded.retry.give_up_after == Duration.parse("24h")


def test_relative_paths_begin_at_the_file(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert loaded.eventlog.path() == tmp_path / ".headrace/eventlog.db"
    assert Path(loaded.emitter.journal_dir) == tmp_path / ".headrace/journal"


def test_without_destinations_and_routes_all_goes_to_the_event_log(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert loaded.routes == {"*": ["log"]}
    assert loaded.destinations["log"].type == "eventlog"
    assert loaded.destinations["log"].shared
    assert set(UNCONFIGURED) == {"destinations", "routes"}


@pytest.mark.parametrize("text", ["[routes]", "[destinations]"])
def test_an_empty_table_is_a_decision(tmp_path: Path, text: str) -> None:
    """Who writes either table says with it what there is."""
    loaded = load(tmp_path, text)

    assert not loaded.routes
    assert not loaded.destinations


def test_destinations_have_the_settings_of_their_type(tmp_path: Path) -> None:
    loaded = load(tmp_path, CRM, {"CRM_SECRET": "whsec_c2VjcmV0"})

    crm = loaded.destinations["crm"].settings
    assert isinstance(crm, HttpSettings)
    assert crm.url == "https://crm.example/orgs/{org}/events"
    assert crm.secret[0].reveal() == "whsec_c2VjcmV0"
    assert not loaded.destinations["crm"].shared
    assert loaded.routes == {"*": ["log"], "00D1": ["log", "crm"]}


def test_bot_needs_no_secret_of_the_worker(tmp_path: Path) -> None:
    crm = load(tmp_path, CRM).destinations["crm"].settings

    assert isinstance(crm, HttpSettings)
    with pytest.raises(SecretMissing, match=r"destinations\.crm\.secret: the variable CRM_SECRET is not set"):
        crm.secret[0].reveal()


def test_variable_comes_before_file_and_file_before_default(tmp_path: Path) -> None:
    loaded = load(tmp_path, "[delivery]\nbatch_events = 7\nlane_events = 8", {"HEADRACE_DELIVERY__BATCH_EVENTS": "9"})

    assert (loaded.delivery.batch_events, loaded.delivery.lane_events) == (9, 8)
    assert loaded.origins["delivery.batch_events"] == "HEADRACE_DELIVERY__BATCH_EVENTS"
    assert loaded.origins["delivery.lane_events"] == str(tmp_path / "headrace.toml")
    assert loaded.origins["delivery.drain"] == "default"


def test_variables_hold_whole_tables_and_single_keys(tmp_path: Path) -> None:
    destinations = {"a": {"type": "http", "url": "http://a.example/"}, "Log": {"type": "eventlog"}}
    environ = {
        "HEADRACE_DESTINATIONS": json.dumps(destinations),
        "HEADRACE_DESTINATIONS__A__URL": "http://b.example/",
        "HEADRACE_DESTINATIONS__NEW__TYPE": "eventlog",
        "HEADRACE_ROUTES": '{"*": ["a", "new"]}',
    }

    loaded = load(tmp_path, CRM, environ)

    assert list(loaded.destinations) == ["a", "Log", "new"]
    assert isinstance(settings := loaded.destinations["a"].settings, HttpSettings)
    assert settings.url == "http://b.example/"
    assert loaded.routes == {"*": ["a", "new"]}
    assert loaded.origins["destinations.a.url"] == "HEADRACE_DESTINATIONS__A__URL"


HEROKU = {
    "KAFKA_URL": "kafka+ssl://a.example:9096,kafka+ssl://b.example:9096",
    "KAFKA_TRUSTED_CERT": "ca",
    "KAFKA_CLIENT_CERT": "certificate",
    "KAFKA_CLIENT_CERT_KEY": "key",
    "KAFKA_PREFIX": "smoothboulder-1234.",
}


def test_heroku_is_understood(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[kafka]\nbootstrap_servers = "127.0.0.1:9092"', HEROKU)

    assert loaded.kafka.bootstrap_servers == "a.example:9096,b.example:9096"
    assert loaded.kafka.security_protocol == "ssl"
    assert loaded.kafka.ssl_key.reveal() == "key"
    assert loaded.names.events == "smoothboulder-1234.headrace.events"
    assert loaded.origins["kafka.ssl_key"] == "KAFKA_URL"
    assert loaded.origins["topics.prefix"] == "KAFKA_PREFIX"


def test_headraces_own_variable_comes_before_herokus(tmp_path: Path) -> None:
    loaded = load(tmp_path, environ=HEROKU | {"HEADRACE_KAFKA__BOOTSTRAP_SERVERS": "c.example:9092"})

    assert loaded.kafka.bootstrap_servers == "c.example:9092"
    assert loaded.kafka.security_protocol == "plaintext"
    assert not loaded.topics.prefix


def test_file_is_found_by_argument_then_variable_then_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given, named = tmp_path / "given.toml", tmp_path / "named.toml"
    environ = {"HEADRACE_CONFIG": str(named)}

    assert config.find(None, {}) is None
    (tmp_path / "headrace.toml").touch()
    assert config.find(None, {}) == Path("headrace.toml")
    assert config.find(None, environ) == named
    assert config.find(given, environ) == given
    with pytest.raises(ConfigError, match=r"there is no configuration file .*named\.toml"):
        config.load(None, environ)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[delivery]\nbatch_evnts = 1", "delivery.batch_evnts: no such key; did you mean 'batch_events'?"),
        ("[delivry]", "delivry: no such section; did you mean 'delivery'?"),
        ('[delivery]\nordering = "sesion"', "delivery.ordering: 'sesion' is not one of its words; did you mean"),
        ('[retry]\ntiers = ["30s", "5s"]', "retry.tiers must ascend"),
        ("[destinations]\ncrm = 1", "destinations.crm is no table; write [destinations.crm], its keys below"),
        ("[destinations.a]", "destinations.a.type is missing; known: eventlog, http"),
        ('[destinations.a]\ntype = "htpp"', "destinations.a.type: 'htpp' is no type that there is; did you mean 'ht"),
        ('[destinations.a]\ntype = "salesforce"', "destinations.a.type: 'salesforce' is planned, and not"),
        ('[destinations.a]\ntype = "http"', "destinations.a.url is missing"),
        ('[destinations.a]\ntype = "http"\nurl = "ftp://x"', "destinations.a.url is of the form https://host/path"),
        ('[destinations.a]\ntype = "http"\nulr = ""', "destinations.a.ulr: no such key; did you mean 'url'?"),
        ('[destinations.log]\ntype = "eventlog"\nurl = ""', "destinations.log.url: no such key; none is known"),
        ('[destinations."a/b"]\ntype = "eventlog"', "destinations.'a/b' is no name of a destination"),
        ('[routes]\n"*" = ["crm"]', "routes.\"*\" names the destination 'crm', which is not there"),
        ('[routes]\n"a b" = []', 'routes."a b" is no name of an org'),
        ('[routes]\n"*" = [1]', "routes[...][0]: expected text, got a whole number"),
        ('[retry]\ngive_up_after = "7d"', "retry.give_up_after (7d) plus the longest of retry.tiers (1h) exceeds"),
    ],
)  # fmt: skip
def test_configuration_that_cannot_work_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    assert refusal(tmp_path, text).startswith(sentence)


def test_variable_that_sets_nothing_is_refused(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, environ={"HEADRACE_KAFKA__BOOTSTRAP_SERVER": "x:1"})

    assert sentence.endswith("no such setting; did you mean 'HEADRACE_KAFKA__BOOTSTRAP_SERVERS'?")


def test_bad_secret_is_refused_unseen(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, CRM, {"CRM_SECRET": "s3cret"})

    assert sentence.startswith("destinations.crm.secret is not of the form whsec_")
    assert "s3cret" not in sentence


def test_every_setting_has_a_sentence() -> None:
    declared = [*config.SECTIONS.values(), *(each.settings for each in DESTINATION_TYPES.values())]

    assert not [key.name for each in declared for key in keys_of(each) if not key.sentence.endswith(".")]
