"""Heroku's variables become settings that can be read."""

import pytest

from headrace.broker.heroku import from_heroku, prefix_from_heroku
from headrace.errors import ConfigError

CERTIFICATES = {
    "KAFKA_TRUSTED_CERT": "-----BEGIN CERTIFICATE-----",
    "KAFKA_CLIENT_CERT": "-----BEGIN CERTIFICATE-----",
    "KAFKA_CLIENT_CERT_KEY": "-----BEGIN RSA PRIVATE KEY-----",
}


def test_from_heroku_says_nothing_without_its_variable() -> None:
    assert from_heroku({"PATH": "/bin", **CERTIFICATES}) == {}
    assert prefix_from_heroku({}) == ""


def test_from_heroku_names_the_certificates_and_never_copies_them() -> None:
    environ = {"KAFKA_URL": "kafka+ssl://ec2-1.example:9096,kafka+ssl://ec2-2.example:9096", **CERTIFICATES}

    assert from_heroku(environ) == {
        "bootstrap_servers": "ec2-1.example:9096,ec2-2.example:9096",
        "security_protocol": "ssl",
        "ssl_ca": "env:KAFKA_TRUSTED_CERT",
        "ssl_certificate": "env:KAFKA_CLIENT_CERT",
        "ssl_key": "env:KAFKA_CLIENT_CERT_KEY",
        "ssl_check_hostname": False,
    }


def test_from_heroku_reads_an_add_on_under_another_name() -> None:
    environ = {"EVENTS_URL": "kafka://localhost:9092/", "EVENTS_PREFIX": "smooth-1234."}

    assert from_heroku(environ, "EVENTS") == {"bootstrap_servers": "localhost:9092", "security_protocol": "plaintext"}
    assert prefix_from_heroku(environ, "EVENTS") == "smooth-1234."


@pytest.mark.parametrize("url", ["localhost:9092", "http://a:1", "kafka://", "kafka://a:1,kafka+ssl://b:2"])
def test_from_heroku_refuses_what_it_cannot_read(url: str) -> None:
    with pytest.raises(ConfigError, match="KAFKA_URL"):
        from_heroku({"KAFKA_URL": url})
