from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import ConfigError
from headrace.model.secret import Secret
from headrace.sinks.http_settings import HttpSettings, check_http

URL = "https://crm.example/orgs/{org}/events"


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "http://127.0.0.1:8080",
        "http://[::1]:8080/in",
        "https://crm.example/in?org={org}&again={org}",
        "https://bücher.example/straße/%7Bx%7D",
    ],
)
def test_a_usable_url_is_taken(url: str) -> None:
    check_http(HttpSettings(url=url))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "of the form"),
        ("crm.example/in", "of the form"),
        ("ftp://crm.example/in", "of the form"),
        ("https:///in", "of the form"),
        ("https://crm.example:port/in", "cannot be read"),
        ("https://crm.example:99999/in", "cannot be read"),
        ("https://[::1/in", "cannot be read"),
        ("https://a..example/", "cannot be read"),
        (f"https://{'a' * 64}.example/", "cannot be read"),
        ("https://crm.example/in here", "unprintable"),
        ("https://crm.example\\@evil.example/", "unprintable"),
        ("https://crm.example/\r\nX: y", "unprintable"),
        ("https://user:pass@crm.example/in", "a user or a password"),
        ("https://crm.example/in#part", "#fragment"),
        ("https://crm.example/{bot}/in", r"'\{bot\}'"),
        ("https://crm.example/{org/in", r"'\{'"),
        ("https://crm.example/{{org}}/in", r"'\{'"),
        ("https://{org}.example/in", "in its host"),
        ("https://{org}/in", "in its host"),
    ],
)
def test_an_unusable_url_is_refused_with_its_reason(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as refused:
        check_http(HttpSettings(url=url))

    assert str(refused.value).startswith("url ")
    assert "pass" not in str(refused.value).replace("password", "")


def test_a_bad_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^secret "):
        check_http(HttpSettings(url=URL, secret=[Secret("hunter2")]))


def test_headers_are_taken() -> None:
    check_http(HttpSettings(url=URL, headers={"Authorization": Secret("Bearer x"), "X-Team": Secret("réseau")}))


@pytest.mark.parametrize("name", ["", "X Team", "X:Team", "X\n", "é"])
def test_a_bad_name_of_a_header_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no name of an HTTP header"):
        check_http(HttpSettings(url=URL, headers={name: Secret("v")}))


@pytest.mark.parametrize("name", ["Content-Type", "webhook-id", "CONTENT-LENGTH", "Host"])
def test_a_header_that_every_post_sets_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="every post sets itself"):
        check_http(HttpSettings(url=URL, headers={name: Secret("v")}))


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\x00", "北京"])
def test_a_bad_value_of_a_header_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ConfigError, match="line break") as refused:
        check_http(HttpSettings(url=URL, headers={"X-Team": Secret(value)}))

    assert value not in str(refused.value)


@given(st.text() | st.text().map(lambda text: f"https://{text}"))
def test_any_url_is_taken_or_refused(url: str) -> None:
    """Nothing but the one error comes out, whatever a person wrote."""
    with suppress(ConfigError):
        check_http(HttpSettings(url=url))


def test_what_is_secret_is_never_shown() -> None:
    settings = HttpSettings(url=URL, secret=[Secret("whsec_x")], headers={"Authorization": Secret("Bearer x")})

    assert "whsec" not in repr(settings)
    assert "Bearer" not in repr(settings)
