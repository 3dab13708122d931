"""Passwords: kept so that nobody reads them, and guessed at no more often than the throttle lets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.console.access.accounts import ADVISED, Accounts, Cost, Scrypt
from headrace.console.access.throttle import Throttle
from headrace.console.settings import Person
from headrace.errors import ConfigError
from headrace.model.secret import Secret

CHEAP = Cost(log_n=4, passes=1)


def people(**passwords: str) -> dict[str, Person]:
    return {name: Person(password=Secret(text), org=name) for name, text in passwords.items()}


@pytest.mark.parametrize("kept", ["correct horse", str(Scrypt.of("correct horse", CHEAP))], ids=["as it is", "scrypt"])
def test_the_password_lets_in_and_no_other(kept: str) -> None:
    accounts = Accounts(people(ada=kept, bob="battery"), CHEAP)
    assert accounts.check("ada", "correct horse") == accounts.find("ada")
    for name, password in (("ada", "battery"), ("ada", ""), ("ada", kept[:-1]), ("eve", "correct horse"), ("", "")):
        assert accounts.check(name, password) is None


def test_what_is_kept_of_a_password_is_no_password() -> None:
    kept = str(Scrypt.of("correct horse", CHEAP))
    assert Accounts(people(ada=kept), CHEAP).check("ada", kept) is None


def test_two_that_have_the_same_password_do_not_show_it() -> None:
    assert str(Scrypt.of("same", CHEAP)) != str(Scrypt.of("same", CHEAP))


@pytest.mark.parametrize("kept", ["$scrypt$", "$scrypt$ln=30,r=8,p=1$YWFhYWFhYWFhYWFhYWFhYQ==$" + "A" * 43 + "="])
def test_a_damaged_one_stops_the_start(kept: str) -> None:
    with pytest.raises(ConfigError, match=r"console\.people\.ada\.password is damaged"):
        Accounts(people(ada=kept))


def test_a_guess_at_a_name_that_nobody_has_costs_what_any_guess_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer derives one key, at the same cost, whatever is known of the name."""
    costs: list[Cost] = []

    def derive(password: str, salt: bytes, cost: Cost) -> bytes:
        costs.append(cost)
        return b""

    monkeypatch.setattr("headrace.console.access.accounts._derive", derive)
    stored = "$scrypt$ln=14,r=8,p=5$YWFhYWFhYWFhYWFhYWFhYQ==$" + "A" * 43 + "="
    accounts = Accounts(people(ada=stored, bob="battery"))
    for name in ("ada", "bob", "eve"):
        accounts.check(name, "guess")
    assert costs == [ADVISED] * 3


def test_a_throttle_lets_a_few_and_then_one_now_and_then() -> None:
    throttle = Throttle(tries=3, seconds=30)
    assert [throttle.take("ada", 0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 10.0, 10.0]
    assert throttle.take("ada", 9.0) == 1.0
    assert throttle.take("ada", 10.0) == 0.0
    assert throttle.take("ada", 10.0) == 10.0


def test_a_throttle_forgets_a_try_that_does_not_count() -> None:
    throttle = Throttle(tries=1, seconds=30)
    for _ in range(5):
        assert throttle.take("ada", 0.0) == 0.0
        throttle.give_back("ada")


@given(st.lists(st.text(max_size=8), unique=True, max_size=200))
def test_a_throttle_does_not_grow_and_lets_no_key_have_more(keys: list[str]) -> None:
    throttle = Throttle(tries=2, seconds=10, places=16)
    let = [key for key in keys for _ in range(5) if throttle.take(key, 0.0) == 0.0]
    assert len(let) <= 2 * 16
    assert all(let.count(key) <= 2 for key in keys)
    assert len(throttle._free_at) == 16


def test_one_who_fills_a_throttle_does_not_stop_the_others() -> None:
    throttle = Throttle(tries=10, seconds=300)
    for _ in range(10_000):
        throttle.take("eve", 0.0)
    assert sum(throttle.take(f"person {each}", 0.0) == 0.0 for each in range(100)) >= 98
