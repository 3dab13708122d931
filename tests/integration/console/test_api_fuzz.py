"""The API answers whatever it is sent, as its own description says: schemathesis makes requests of it, right and wrong.

Over a socket and with tokens, as programs ask; what it reads are memory stores.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case

from headrace.console.access.tokens import Signer, claim_of
from headrace.console.views.every import ACTIONS, VIEWS
from headrace.console.web.openapi import describe
from headrace.console.web.served import Served
from unit.console.two_orgs import ORGS, SETTINGS, TwoOrgs, canary

OURS, THEIRS = ORGS
EXAMPLES = 3
"""Right requests of each operation, and as many wrong ones, of each of two who ask."""

SCHEMA = schemathesis.openapi.from_dict(describe(VIEWS, ACTIONS)).exclude(path_regex="/stream$")
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok)}

load_all_checks()
LEFT_OUT = {
    "not_a_server_error",  # it knows no exception by status; see `is_no_fault`
    "negative_data_rejection",  # in a query text stands for numbers, and an empty value for one that was left out
    "positive_data_acceptance",  # what is nowhere is a 404, and dates that contradict each other are a 400
}
UNKNOWN_YET = HTTPStatus.SERVICE_UNAVAILABLE
"""The one server error that is described: what Kafka or a thread has not told yet cannot be answered."""


def is_no_fault(_context: object, response: Response, _case: object) -> None:
    """Of what the server answers for its own sake, only that it does not know yet is meant."""
    status = response.status_code
    assert status < HTTPStatus.INTERNAL_SERVER_ERROR or status == UNKNOWN_YET, "nobody expected it"


CHECKED: Any = CHECKS.get_by_names([name for name in CHECKS.get_all_names() if name not in LEFT_OUT])
CHECKED = [*CHECKED, is_no_fault]


@pytest.fixture(scope="module")
def stores() -> TwoOrgs:
    return TwoOrgs()


@pytest.fixture(scope="module")
def url(stores: TwoOrgs) -> Iterator[str]:
    with Served(stores.app(SETTINGS), "127.0.0.1", 0) as served:
        yield served.url


def token(stores: TwoOrgs, org: str | None) -> dict[str, str]:
    made = Signer(SETTINGS.secret).sign(claim_of("robot", org, stores.clock.wall() + 3600))
    return {"Authorization": f"Bearer {made}"}


@pytest.mark.parametrize("org", [None, OURS], ids=["operator", "viewer"])
@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_answers_as_it_is_described(stores: TwoOrgs, url: str, label: str, org: str | None) -> None:
    operation = OPERATIONS[label]
    asked = operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    headers, names = token(stores, org), stores.names(OURS)
    session = requests.Session()

    @settings(
        max_examples=2 * EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=asked, is_there=st.booleans())
    def ask(case: Case[Any], is_there: bool) -> None:
        if is_there:
            case.path_parameters = {name: names.get(name, each) for name, each in case.path_parameters.items()}
        response = case.call(base_url=url, headers=headers, session=session)
        case.validate_response(response, checks=CHECKED, headers=headers)
        assert org is None or canary(THEIRS) not in response.text

    with session:
        ask()
