"""One exchange for all: threads of a process, and whoever holds the lease in another one."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from authconfigs.errors import TokenFailed
from authconfigs.state import ConfigEdited, load_named_config
from authconfigs.symptoms import Symptom
from authconfigs.tokens import Token, usable_token
from authconfigs.transport import Deadline
from integrations.demo.provider import Provider
from tests.integrations.wired import (
    change_config,
    change_token,
    store_token,
    stored_token,
    wired_oauth,
)

pytestmark = pytest.mark.django_db(transaction=True)

_Result = TypeVar("_Result")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def token(seconds: float = 10) -> Token:
    state = load_named_config("acme", "crm", environment="staging")
    return usable_token(state, deadline=Deadline.after(seconds))


def apart(work: Callable[[], _Result]) -> Callable[[], _Result]:
    """The work for another thread, which closes its connection to the database afterwards."""

    def run() -> _Result:
        try:
            return work()
        finally:
            connection.close()

    return run


def somebody_else_has_the_lease(seconds: float = 30) -> None:
    change_token(lease_owner=uuid4(), lease_expires_at=timezone.now() + timedelta(seconds=seconds))


def when_asked(provider: Provider) -> None:
    """Wait until the token endpoint has been asked."""
    for _ in range(500):
        if provider.count("POST /token"):
            return
        time.sleep(0.01)
    raise AssertionError("nobody asked for a token")


def test_threads_of_one_process_share_one_exchange(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token_delay = 0.3

    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: apart(token)(), range(8)))

    assert provider.count("POST /token") == 1
    assert len({one.value for one in tokens}) == 1
    assert sum(one.refreshed for one in tokens) == 1


def test_who_waits_gets_the_holders_token(provider: Provider) -> None:
    wired_oauth(provider)
    somebody_else_has_the_lease()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(apart(token))
        time.sleep(0.2)
        store_token(
            access_token="the holder's", generation=1, attempt=1, lease_owner=None, state="valid"
        )
        got = waiting.result()

    assert (got.value, got.refreshed) == ("the holder's", False)
    assert provider.count("connections") == 0


def test_who_waits_gets_the_holders_failure(provider: Provider) -> None:
    wired_oauth(provider)
    somebody_else_has_the_lease()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(apart(token))
        time.sleep(0.2)
        change_token(
            attempt=1,
            lease_owner=None,
            state="retrying",
            failure_symptom="network",
            failure_summary="Nobody answers.",
        )
        with pytest.raises(TokenFailed, match="Nobody answers") as caught:
            waiting.result()

    assert caught.value.symptom is Symptom.NETWORK
    assert provider.count("connections") == 0


def test_who_waits_longer_than_the_timeout_gives_up(provider: Provider, settings: Settings) -> None:
    settings.OUTBOUND_TIMEOUT = 0.5
    wired_oauth(provider)
    somebody_else_has_the_lease()

    started = time.monotonic()
    with pytest.raises(TokenFailed) as caught:
        token()

    assert caught.value.symptom is Symptom.TIMEOUT
    assert 0.4 < time.monotonic() - started < 3
    assert provider.count("connections") == 0


def test_lease_of_a_crashed_holder_is_taken_over_when_it_ends(provider: Provider) -> None:
    wired_oauth(provider)
    somebody_else_has_the_lease(seconds=0.5)

    assert token().refreshed
    assert provider.count("POST /token") == 1
    assert stored_token().lease_owner is None


def test_token_in_its_margin_is_used_while_somebody_else_renews_it(provider: Provider) -> None:
    wired_oauth(provider)
    first = token()
    change_token(refresh_after=timezone.now())
    somebody_else_has_the_lease()

    assert token().value == first.value
    assert provider.count("POST /token") == 1


def test_late_token_of_an_edited_config_is_discarded(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token_delay = 0.5
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(apart(token))
        when_asked(provider)
        change_config(revision=2, token_revision=2)
        with pytest.raises(ConfigEdited):
            late.result()

    row = stored_token()
    assert (row.access_token, row.generation) == (None, 0)


def test_late_failure_of_an_edited_config_is_discarded(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token_delay = 0.5
    provider.switches.token = "invalid_client"
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(apart(token))
        when_asked(provider)
        change_config(revision=2, token_revision=2)
        with pytest.raises(ConfigEdited):
            late.result()

    assert stored_token().state == "empty"


def test_result_of_a_lease_that_was_lost_is_discarded(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token_delay = 0.5
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(apart(token))
        when_asked(provider)
        store_token(
            access_token="the newer one", generation=1, attempt=1, lease_owner=None, state="valid"
        )
        assert late.result().value == "the newer one"

    row = stored_token()
    assert row.access_token is not None
    assert (row.access_token.reveal(), row.generation) == ("the newer one", 1)


def test_dead_refresh_token_isnt_the_end_when_somebody_else_won(provider: Provider) -> None:
    wired_oauth(provider, grant="authorization_code")
    store_token(refresh_token="spent by somebody else")
    provider.switches.token_delay = 0.5
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(apart(token))
        when_asked(provider)
        store_token(access_token="theirs", generation=1, attempt=1, lease_owner=None, state="valid")
        assert late.result().value == "theirs"

    assert stored_token().state == "valid"


def test_failed_exchange_gives_the_lease_back(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "close"

    with pytest.raises(TokenFailed):
        token()

    row = stored_token()
    assert (row.lease_owner, row.lease_expires_at, row.attempt) == (None, None, 1)


def test_late_result_doesnt_win_over_who_took_the_lease_over(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token_delay = 0.5
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(apart(token))
        when_asked(provider)
        somebody_else_has_the_lease()
        time.sleep(1)
        assert stored_token().access_token is None
        store_token(access_token="theirs", generation=1, attempt=1, lease_owner=None, state="valid")
        assert late.result().value == "theirs"
