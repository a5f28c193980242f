from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tenants.badges import until

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=30), "in 30 minutes"),
        (timedelta(minutes=29, seconds=1), "in 30 minutes"),
        (timedelta(minutes=29, milliseconds=200), "in 30 minutes"),
        (timedelta(minutes=29), "in 29 minutes"),
        (timedelta(minutes=59, seconds=30), "in 1 hour"),
        (timedelta(hours=1, minutes=59, seconds=30), "in 2 hours"),
        (timedelta(seconds=60), "in 1 minute"),
        (timedelta(seconds=59), "in 59 seconds"),
    ],
)
def test_time_that_is_left_counts_the_minute_that_has_begun(left: timedelta, words: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert until(NOW + left).replace("\xa0", " ") == words
