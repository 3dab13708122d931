"""Tokens: what is signed here is believed until it expires, and nothing else is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.console.access.gate import SESSION, Gate
from headrace.console.access.tokens import SHORTEST, Claim, Signer, claim_of
from headrace.console.settings import Person
from headrace.console.viewer import Viewer
from headrace.errors import ConfigError, SecretMissing
from headrace.model.secret import Secret
from headrace.testing.clock import FakeClock

SECRET = Secret("s" * SHORTEST)
SIGNER = Signer(SECRET)
TOKEN = SIGNER.sign(Claim(id="a1", name="ada", org="acme", expires=100.0))


def gate(
    *, people: dict[str, Person] | None = None, revoked: tuple[str, ...] = (), clock: FakeClock | None = None
) -> Gate:
    return Gate(SIGNER, people or {}, revoked, clock or FakeClock())


def test_a_token_says_what_was_signed_until_it_expires() -> None:
    assert SIGNER.read(TOKEN, 99.9) == Claim(id="a1", name="ada", org="acme", expires=100.0)
    assert SIGNER.read(TOKEN, 100.0) is None


def test_another_secret_believes_nothing() -> None:
    assert Signer(Secret("t" * SHORTEST)).read(TOKEN, 0.0) is None


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, len(TOKEN) - 1), letter=st.sampled_from("aZ09-_.~é\0"))
def test_a_token_with_another_letter_says_nothing_else(at: int, letter: str) -> None:
    """The last letter of a base64 text holds bits that nobody reads; what it says is the same then."""
    changed = TOKEN[:at] + letter + TOKEN[at + 1 :]
    claim = SIGNER.read(changed, 0.0)
    assert claim is None or (at == len(TOKEN) - 1 and claim.org == "acme") or changed == TOKEN


@given(st.text(max_size=60))
def test_nothing_that_is_no_token_is_one(text: str) -> None:
    assert SIGNER.read(text, 0.0) is None
    assert SIGNER.read(f"hr_{text}", 0.0) is None


def test_a_token_of_any_length_is_refused_without_reading_it() -> None:
    assert SIGNER.read(TOKEN + "a" * 2000, 0.0) is None


def test_what_was_signed_for_another_use_is_no_token() -> None:
    """A signature of the same key and another shape: its claim does not fit."""
    signed = "hr_" + str(SIGNER._serializer.dumps({"id": "a1", "org": None}))
    assert SIGNER.read(signed, 0.0) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"console\.secret has 7 characters, and needs 32; .*openssl rand"):
        Signer(Secret("secret!"))


def test_a_missing_secret_says_so() -> None:
    with pytest.raises(SecretMissing, match="the variable KEY is not set"):
        Signer(Secret.missing("console.secret: the variable KEY is not set; set it"))


def test_a_revoked_id_is_not_let_in() -> None:
    clock = FakeClock()
    kept, gone = (claim_of("robot", "acme", clock.wall() + 60) for _ in range(2))
    closed = gate(revoked=(gone.id,), clock=clock)
    assert closed.read(SIGNER.sign(kept)) == kept
    assert closed.read(SIGNER.sign(gone)) is None


def test_a_person_is_who_they_were() -> None:
    """A new password, another org or a removed person ends the sessions that were begun before."""
    person = Person(password=Secret("first"), org="acme")
    token = gate(people={"ada": person}).let_in("ada")
    found = gate(people={"ada": person}).read(token)

    assert found is not None
    assert found.viewer == Viewer("ada", "acme")
    assert gate(people={"ada": Person(password=Secret("second"), org="acme")}).read(token) is None
    assert gate(people={"ada": Person(password=Secret("first"))}).read(token) is None
    given = Person(password=Secret("first"), org="acme", may_erase=True)
    assert gate(people={"ada": given}).read(token) is None
    lost = gate(people={"ada": given}).let_in("ada")
    assert gate(people={"ada": person}).read(lost) is None
    assert gate(people={"bob": person}).read(token) is None


def test_erasing_is_for_operators_and_for_whom_it_was_given_to() -> None:
    person = Person(password=Secret("first"), org="acme", may_erase=True)
    opened = gate(people={"ada": person})
    tokens = [SIGNER.sign(claim_of("robot", org, 9e9, may_erase=may)) for org, may in (("acme", True), ("acme", False))]
    tokens += [opened.let_in("ada"), SIGNER.sign(claim_of("robot", None, 9e9))]

    claims = [opened.read(token) for token in tokens]

    assert [claim is not None and claim.viewer.may_erase for claim in claims] == [True, False, True, True]


def test_a_token_of_before_may_not_erase() -> None:
    """It was signed when a claim said nothing of it."""
    said = {"id": "a1", "name": "ada", "org": "acme", "expires": 9e9, "stamp": ""}
    claim = gate().read("hr_" + str(SIGNER._serializer.dumps(said)))

    assert claim is not None
    assert not claim.viewer.may_erase


def test_a_session_ends_when_it_is_left_and_by_itself() -> None:
    clock = FakeClock()
    opened = gate(people={"ada": Person(password=Secret("first"))}, clock=clock)
    left, kept = opened.let_in("ada"), opened.let_in("ada")
    claim = opened.read(left)
    assert claim is not None

    opened.let_out(claim)

    assert opened.read(left) is None
    assert opened.read(kept) is not None
    clock.advance(SESSION)
    assert opened.read(kept) is None


def test_what_was_left_is_forgotten_when_it_would_have_expired() -> None:
    clock = FakeClock()
    opened = gate(people={"ada": Person(password=Secret("first"))}, clock=clock)
    for _ in range(3):
        claim = opened.read(opened.let_in("ada"))
        assert claim is not None
        opened.let_out(claim)
        clock.advance(SESSION + 1)
    assert len(opened._left) == 1


def test_leaving_with_a_token_does_not_take_it_from_others() -> None:
    clock = FakeClock()
    opened = gate(clock=clock)
    token = SIGNER.sign(claim_of("robot", "acme", clock.wall() + 60))
    claim = opened.read(token)
    assert claim is not None
    opened.let_out(claim)
    assert opened.read(token) == claim
