from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs.tokens.schedule import Schedule, rest, retry_after, schedule

ASKED = datetime(2030, 1, 1, tzinfo=UTC)
BEAT = timedelta(seconds=60)


def planned_at(*, beat: timedelta = timedelta(), **known: Any) -> Schedule:
    return schedule(ASKED, beat=beat, **known)


def test_margin_is_a_share_of_the_lifetime() -> None:
    planned = planned_at(expires_in=100, jitter=1.0)

    assert planned == Schedule(ASKED + timedelta(seconds=100), ASKED + timedelta(seconds=80))


def test_margin_of_a_long_lifetime_is_capped() -> None:
    planned = planned_at(expires_in=86400, jitter=1.0)

    assert planned.refresh_after == ASKED + timedelta(days=1) - timedelta(minutes=5)


def test_margin_of_a_long_lifetime_outlives_the_recovery_from_a_crash() -> None:
    planned = planned_at(expires_in=86400, jitter=0.0)

    assert planned.expires_at is not None
    assert planned.refresh_after is not None
    assert planned.expires_at - planned.refresh_after > timedelta(seconds=150)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("lifetime", [180, 240, 300, 600, 3600, 86400])
def test_margin_reaches_over_a_beat_so_that_no_token_lapses_between_two(
    lifetime: float, jitter: float
) -> None:
    planned = planned_at(expires_in=lifetime, beat=BEAT, jitter=jitter)

    assert planned.expires_at is not None
    assert planned.refresh_after is not None
    margin = planned.expires_at - planned.refresh_after
    assert margin >= 1.5 * BEAT
    assert margin <= timedelta(seconds=lifetime) / 2


@pytest.mark.parametrize("lifetime", [10, 60, 100])
def test_margin_of_a_token_that_lives_shorter_than_beats_is_half_of_its_lifetime(
    lifetime: float,
) -> None:
    planned = planned_at(expires_in=lifetime, beat=BEAT)

    assert planned.refresh_after == ASKED + timedelta(seconds=lifetime) / 2


def test_margin_of_beats_is_spread_as_well() -> None:
    soon, late = (planned_at(expires_in=300, beat=BEAT, jitter=jitter) for jitter in (1.0, 0.0))

    assert soon.refresh_after == ASKED + timedelta(seconds=300 - 120)
    assert late.refresh_after == ASKED + timedelta(seconds=300 - 90)


def test_unknown_lifetime_has_no_schedule() -> None:
    assert planned_at(expires_in=None) == Schedule(None, None)


@pytest.mark.parametrize("seconds", [0, -1, -(10**9)])
def test_no_lifetime_is_for_the_call_at_hand_and_gives_the_sweep_nothing(seconds: float) -> None:
    assert planned_at(expires_in=seconds) == Schedule(ASKED, None)


@pytest.mark.parametrize("seconds", [10 * 365 * 86400.0 + 1, 1e300])
def test_lifetime_ends_after_ten_years(seconds: float) -> None:
    assert planned_at(expires_in=seconds).expires_at == ASKED + timedelta(days=3650)


@pytest.mark.parametrize(("lifetime", "latest"), [(None, 10), (0, 10), (864000, 10), (86400, 1)])
def test_refresh_token_that_dies_of_idleness_is_used_in_time(
    lifetime: float | None, latest: int
) -> None:
    ends = planned_at(expires_in=lifetime).expires_at
    for jitter in (0.0, 1.0):
        planned = planned_at(expires_in=lifetime, keep_alive=timedelta(days=10), jitter=jitter)
        assert planned.expires_at == ends
        assert planned.refresh_after is not None
        days = (planned.refresh_after - ASKED) / timedelta(days=1)
        assert 0.89 * latest < days < latest


@given(expires_in=st.floats(), jitter=st.floats(0, 1), beat=st.sampled_from([timedelta(), BEAT]))
def test_token_is_renewed_while_it_lives(expires_in: float, jitter: float, beat: timedelta) -> None:
    planned = planned_at(expires_in=expires_in, beat=beat, jitter=jitter)

    if planned.refresh_after is not None:
        assert planned.expires_at is not None
        assert ASKED <= planned.refresh_after <= planned.expires_at


def test_rest_doubles_up_to_a_quarter_of_an_hour() -> None:
    rests = [rest(failures, jitter=1.0).total_seconds() for failures in (1, 2, 3, 6, 1000)]

    assert rests == [30, 60, 120, 900, 900]


@pytest.mark.parametrize(
    ("answered", "honoured"),
    [(None, None), (0, None), (-5, None), (float("nan"), None), (30, 30), (3600, 60)],
)
def test_retry_after_is_honoured_for_a_minute_at_most(
    answered: float | None, honoured: float | None
) -> None:
    expected = None if honoured is None else timedelta(seconds=honoured)

    assert retry_after(answered) == expected
