import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from headrace.errors import ConfigError
from headrace.model.secret import Secret
from headrace.sinks.signing import Signer, id_of, read_key

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = b'[{"text":"\xc3\x85lesund"}]'


def test_the_signature_is_the_one_that_the_specification_computes() -> None:
    """The standard's own library is the oracle."""
    headers = Signer([Secret(NEW)]).sign(["a", "b"], BODY, time.time())

    Webhook(NEW).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(BODY, headers)


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_a_secret_is_rotated_a_receiver_may_know_either(secret: str) -> None:
    headers = Signer([Secret(NEW), Secret(OLD)]).sign(["a"], BODY, time.time())

    Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body"])
def test_nothing_that_is_signed_can_be_changed(changed: str) -> None:
    now = time.time()
    headers = Signer([Secret(NEW)]).sign(["a"], BODY, now)
    forged = headers | {"webhook-id": "msg_other"} if changed == "webhook-id" else headers
    if changed == "webhook-timestamp":
        forged = headers | {changed: str(int(now) + 1)}

    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY + b" " if changed == "body" else BODY, forged)


@given(st.lists(st.text()).flatmap(lambda ids: st.tuples(st.just(ids), st.permutations(ids))))
def test_the_same_set_has_the_same_id_in_any_order(orders: tuple[list[str], list[str]]) -> None:
    assert id_of(orders[0]) == id_of(orders[1])


@given(st.lists(st.text()), st.lists(st.text()))
def test_another_set_has_another_id(one: list[str], other: list[str]) -> None:
    assert (id_of(one) == id_of(other)) == (sorted(one) == sorted(other))


def test_the_id_does_not_depend_on_how_ids_are_joined() -> None:
    assert len({id_of(["a", "b"]), id_of(["ab"]), id_of(["a,b"]), id_of(['a","b']), id_of(["a\nb"])}) == 5


def test_the_id_is_the_same_at_every_attempt_and_the_time_is_not() -> None:
    signer = Signer([Secret(NEW)])

    first, second = signer.sign(["a"], BODY, 1_000.9), signer.sign(["a"], BODY, 2_000.0)

    assert first["webhook-id"] == second["webhook-id"]
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1000", "2000")
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_***", "whsec_abc def", "whsec_abcd****", "c2VjcmV0", "WHSEC_c2VjcmV0", "whsec_é"]
)
def test_a_bad_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_key(Secret(text))

    assert "whsec_" in str(refused.value)
    assert text in ("", "whsec_") or text not in str(refused.value)


@given(st.binary(min_size=1, max_size=64))
def test_a_key_is_read_with_and_without_padding(key: bytes) -> None:
    encoded = base64.b64encode(key).decode()

    assert read_key(Secret(f"whsec_{encoded}")) == read_key(Secret(f"whsec_{encoded.rstrip('=')}")) == key


@pytest.mark.parametrize("count", [0, 3])
def test_one_or_two_secrets_are_taken(count: int) -> None:
    with pytest.raises(ConfigError, match=f"{count} secrets"):
        Signer([Secret(NEW)] * count)
