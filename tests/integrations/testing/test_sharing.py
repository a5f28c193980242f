"""Tests that run at once: one per connection, whose result all get; a rate that can't be raced past; many in bulk."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from django.db import connection as database
from django.utils import timezone

from authconfigs import rate
from authconfigs.database import database_now
from authconfigs.models import Starts
from integrations import testing
from integrations.demo.provider import Provider, accounts
from integrations.models import ControlTurn
from integrations.testing.rate import count_start
from tenants.scope import tenant_scope
from tests.integrations.testing.cases import (
    another_connection,
    bearer,
    change,
    connection,
    run,
    stored,
    tenant_id,
)
from tests.integrations.wired import NAME
from tests.servers.raw import Conversation, serve
from tests.servers.scripts import message

Result = TypeVar("Result")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def at_once(number: int, work: Callable[[], Result]) -> list[Result]:
    ready = threading.Barrier(number)

    def one(_: int) -> Result:
        ready.wait(10)
        try:
            return work()
        finally:
            database.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


class Crowd:
    """An API that takes a while, and knows how many it serves at once."""

    def __init__(self, pause: float = 0.2) -> None:
        self.pause, self.now, self.most, self.wrong_now, self.wrong_most = pause, 0, 0, 0, 0
        self._lock = threading.Lock()

    def __call__(self, talk: Conversation) -> None:
        while request := talk.read_request():
            wrong = request.header("Authorization") != b"Bearer demo-bearer-token"
            with self._lock:
                self.now += 1
                self.wrong_now += wrong
                self.most = max(self.most, self.now)
                self.wrong_most = max(self.wrong_most, self.wrong_now)
            time.sleep(self.pause)
            with self._lock:
                self.now -= 1
                self.wrong_now -= wrong
            talk.send(message("401 X" if wrong else "200 OK"))


@pytest.mark.django_db(transaction=True)
def test_whoever_asks_while_one_is_running_gets_that_ones_result() -> None:
    with serve(Crowd()) as server:
        bearer(server.url())
        rows = at_once(6, run)

        assert len(server.requests) == 2
    assert len({row.id for row in rows}) == 1
    assert rows[0].ok
    assert len(stored()) == 1


@pytest.mark.django_db
def test_test_of_somebody_who_died_is_taken_over(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    change(testing_owner=uuid4(), testing_until=timezone.now() + timedelta(seconds=0.5))
    started = time.monotonic()
    row = run()

    assert row.ok
    assert time.monotonic() - started >= 0.4


@pytest.mark.django_db
def test_failure_in_the_middle_frees_the_connection(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    bearer(provider.base_url + "/bearer")
    change(test_expect=["not a number"])
    with pytest.raises(ValueError, match="invalid literal"):
        run()

    assert connection().testing_owner is None


@pytest.mark.django_db(transaction=True)
def test_rate_holds_whoever_races(settings: Any, provider: Provider) -> None:
    settings.TEST_RATE_PER_MINUTE = 3
    bearer(provider.base_url + "/bearer")
    tenant = tenant_id()
    waits = at_once(8, lambda: count_start(tenant))

    assert sum(1 for wait in waits if wait is None) == 3
    assert all(0 < wait <= 60 for wait in waits if wait is not None)


@pytest.mark.django_db
def test_start_of_another_between_reading_and_writing_is_counted(
    settings: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TEST_RATE_PER_MINUTE = 1
    bearer(provider.base_url + "/bearer")
    tenant, others = tenant_id(), list[float | None]()
    clock = database_now

    def after_another() -> datetime:
        monkeypatch.setattr(rate, "database_now", clock)
        others.append(count_start(tenant))
        return clock()

    monkeypatch.setattr(rate, "database_now", after_another)

    assert count_start(tenant) is not None
    assert others == [None]


@pytest.mark.django_db
def test_rate_is_that_of_any_sixty_seconds(settings: Any, provider: Provider) -> None:
    settings.TEST_RATE_PER_MINUTE = 2
    bearer(provider.base_url + "/bearer")
    tenant, now = tenant_id(), timezone.now().timestamp()
    with tenant_scope(tenant):
        Starts.objects.create(kind=Starts.Kind.TEST, starts=[now - 61, now - 50])

    assert count_start(tenant) is None
    wait = count_start(tenant)
    assert wait is not None
    assert 8 < wait <= 10


@pytest.mark.django_db(transaction=True)
def test_bulk_runs_four_at_a_time_per_origin_and_counts_once(settings: Any) -> None:
    settings.TEST_RATE_PER_MINUTE = 1
    crowd = Crowd()
    with serve(crowd) as server:
        bearer(server.url(), token=accounts.BEARER_TOKEN)
        names = [NAME]
        names += [another_connection(f"c{number}", server.url()) for number in range(9)]
        rows = testing.test_connections(names)

    assert [row.ok for row in rows] == [True] * 10
    assert 2 <= crowd.most <= 4
    assert crowd.wrong_most == 1
    assert not ControlTurn.objects.exists()
    with tenant_scope(tenant_id()):
        assert len(Starts.objects.get(kind=Starts.Kind.TEST).starts) == 1


@pytest.mark.django_db(transaction=True)
def test_bulk_goes_on_after_one_that_breaks_off(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    broken = another_connection("broken", provider.base_url, test_expect=["soon"])
    other = another_connection("other", provider.base_url + "/bearer")
    rows = testing.test_connections([broken, NAME, other])

    assert [row.symptom for row in rows] == ["provider_error", "", ""]
    assert rows[0].summary == "The test broke off inside of the console (ValueError)."
    assert len(stored()) == 3


@pytest.mark.django_db
def test_bulk_over_the_limit_sends_nothing(settings: Any, provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    settings.TEST_RATE_PER_MINUTE = 1
    run()
    provider.forget()
    (row,) = testing.test_connections([NAME])

    assert row.symptom == "too_many_tests"
    assert not provider.requests


@pytest.mark.django_db
def test_scheduled_tests_dont_count(settings: Any, provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    settings.TEST_RATE_PER_MINUTE = 1
    testing.test_connections([NAME], scheduled=True)

    assert run().ok
