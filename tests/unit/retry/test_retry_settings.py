"""Retry tiers ascend, each once."""

import pytest

from headrace.model.units import Duration
from headrace.retry.settings import RetrySettings


def test_settings_default_to_four_tiers_and_a_day() -> None:
    settings = RetrySettings()

    assert [str(tier) for tier in settings.tiers] == ["5s", "30s", "5m", "1h"]
    assert str(settings.give_up_after) == "1d"


@pytest.mark.parametrize(
    ("tiers", "sentence"),
    [
        ([], "empty"),
        (["30s", "5s"], "5s does not come after 30s"),
        (["60s", "1m"], "1m does not come after 1m"),
        (["0s", "5s"], "longer than nothing"),
    ],
)
def test_settings_refuse_tiers_that_are_no_schedule(tiers: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RetrySettings(tiers=[Duration.parse(text) for text in tiers])
