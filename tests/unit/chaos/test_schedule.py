"""A schedule is a value made from its seed, and fits into the run."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.nemesis import KINDS
from chaos.profile import DOWN, FULL, PROFILES, SMOKE, SOAK, Profile, destination_of, destinations, orgs, routes
from chaos.schedule import Fault, build

seeds = st.integers(0, 1 << 32)


@given(st.sampled_from([SMOKE, FULL, SOAK]), seeds)
def test_a_schedule_follows_from_its_seed(profile: Profile, seed: int) -> None:
    schedule = build(profile, seed)

    assert schedule == build(profile, seed)
    assert schedule != build(profile, seed + 1)
    assert msgspec.json.decode(msgspec.json.encode(schedule), type=tuple[Fault, ...]) == schedule


@given(st.sampled_from([SMOKE, FULL, SOAK]), seeds)
def test_faults_fit_into_the_load_and_a_lane_has_one_at_a_time(profile: Profile, seed: int) -> None:
    schedule = build(profile, seed)

    assert len(schedule) == sum(profile.faults.values())
    assert [fault.number for fault in schedule] == list(range(len(schedule)))
    assert all(fault.at > 0 and fault.at + fault.lasts < profile.load for fault in schedule)
    for lane in profile.lanes:
        faults = [fault for fault in schedule if fault.lane == lane]
        assert all(earlier.at + earlier.lasts <= later.at for earlier, later in pairwise(faults))


@given(st.sampled_from([SMOKE, FULL, SOAK]), seeds)
def test_a_fault_never_hits_the_org_that_is_down_anyway(profile: Profile, seed: int) -> None:
    targets = {fault.target for fault in build(profile, seed)}

    assert not targets & {DOWN, destination_of(DOWN)}
    assert targets <= {"", *orgs(), *destinations(), "broker-0", "broker-1", "broker-2"}


def test_full_has_sixty_faults_of_every_kind() -> None:
    schedule = build(FULL, 1)

    assert len(schedule) == 60
    assert {fault.kind for fault in schedule} == set(KINDS)


def test_without_disks_of_its_own_a_run_fills_none() -> None:
    assert "disks" not in {fault.lane for fault in build(FULL, 1, has_disks=False)}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_kind_can_be_played(profile: Profile) -> None:
    kinds = {kind for lane in profile.lanes.values() for kind in lane}

    assert kinds <= set(KINDS)


def test_every_org_has_the_event_log_and_one_more() -> None:
    assert all(names[0] == "log" and len(names) == 2 for names in routes().values())
    assert sum(destination_of(org) == "hub" for org in orgs()) > 1, "some orgs share one"
