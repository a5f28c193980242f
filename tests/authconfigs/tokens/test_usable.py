"""Tokens through real sockets and a real database: one way to a usable one, whatever happens."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authconfigs.errors import OutboundError, TokenFailed
from authconfigs.state import ConfigState, load_named_config
from authconfigs.symptoms import Stage, Symptom
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

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def state() -> ConfigState:
    return load_named_config("acme", "crm", environment="staging")


def token(**arguments: Any) -> Token:
    return usable_token(state(), deadline=Deadline.after(10), **arguments)


def failure(**arguments: Any) -> TokenFailed:
    with pytest.raises(TokenFailed) as caught:
        token(**arguments)
    assert caught.value.stage is Stage.TOKEN
    return caught.value


def expire() -> None:
    change_token(expires_at=timezone.now(), refresh_after=timezone.now())


def enter_margin() -> None:
    change_token(refresh_after=timezone.now())


def test_new_token_is_stored_with_its_schedule(provider: Provider) -> None:
    wired_oauth(provider)

    got, row = token(), stored_token()

    assert got.refreshed
    assert (row.state, row.generation, row.attempt, row.token_revision) == ("valid", 1, 1, 1)
    assert row.access_token is not None
    assert row.access_token.reveal() == got.value
    assert (row.lease_owner, row.lease_expires_at) == (None, None)
    assert row.expires_at is not None
    assert row.refresh_after is not None
    assert row.refresh_after < row.expires_at
    assert timedelta(seconds=290) < row.expires_at - timezone.now() <= timedelta(seconds=300)


def test_good_token_is_reused_without_a_request(provider: Provider) -> None:
    wired_oauth(provider)
    first, second = token(), token()

    assert second.value == first.value
    assert (second.refreshed, second.generation) == (False, 1)
    assert second.detail.startswith("reused, expires in ")
    assert provider.count("POST /token") == 1


def test_repr_shows_no_token(provider: Provider) -> None:
    wired_oauth(provider)
    got = token()

    assert got.value not in repr(got)


def test_password_grant_renews_with_its_refresh_token(provider: Provider) -> None:
    wired_oauth(provider, grant="password")
    token()
    expire()

    assert token().refreshed
    assert provider.count("grant password") == 1
    assert provider.count("grant refresh_token") == 1


@pytest.mark.parametrize("answer", ["refresh_null", "refresh_empty", "refresh_absent"])
def test_refresh_token_that_isnt_answered_again_is_kept(provider: Provider, answer: str) -> None:
    wired_oauth(provider, grant="password")
    provider.switches.refresh = "keep"
    token()
    expire()
    provider.switches.token = answer
    token()
    expire()

    assert token().refreshed
    assert provider.count("grant password") == 1
    assert provider.count("grant refresh_token") == 2


def test_dead_refresh_token_of_a_password_grant_is_dropped_and_the_password_tried(
    provider: Provider,
) -> None:
    wired_oauth(provider, grant="password")
    token()
    provider.ledger.revoke_all()
    expire()

    assert token().refreshed
    assert provider.count("grant refresh_token") == 1
    assert provider.count("grant password") == 2
    assert stored_token().state == "valid"


def test_refused_password_is_tried_once_and_then_stops(provider: Provider) -> None:
    wired_oauth(provider, grant="password")
    token()
    expire()
    provider.switches.token = "invalid_grant"

    first, second = failure(), failure()

    assert first.symptom is second.symptom is Symptom.TOKEN_ENDPOINT_CONFIG
    assert provider.count("POST /token") == 3
    row = stored_token()
    assert row.state == "stopped"
    assert row.refresh_token is None


def test_client_credentials_ignore_a_refresh_token(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "refresh_extra"
    token()
    expire()
    token()

    assert stored_token().refresh_token is None
    assert provider.count("grant client_credentials") == 2


def test_refused_client_stops_until_somebody_asks_again(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"

    first, second = failure(), failure()
    assert (first.symptom, first.status) == (second.symptom, second.status)
    assert first.summary == second.summary
    assert provider.count("POST /token") == 1

    provider.switches.token = ""
    assert token(asks_again=True).refreshed
    assert stored_token().state == "valid"
    assert stored_token().failure_symptom == ""


def test_network_failure_of_who_asks_again_leaves_it_stopped(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"
    failure()
    provider.switches.token = "500"
    failure(asks_again=True)

    row = stored_token()
    assert (row.state, row.failure_symptom) == ("stopped", "token_endpoint_config")


def test_failed_endpoint_delays_the_sweep_and_not_the_next_call(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "500"
    assert failure().symptom is Symptom.PROVIDER_ERROR

    row = stored_token()
    assert row.state == "retrying"
    assert row.next_attempt_at is not None
    assert row.next_attempt_at > timezone.now()

    provider.switches.token = ""
    assert token().refreshed


def test_answered_wait_is_kept_for_a_minute_at_most(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token, provider.switches.retry_after = "429", "3600"

    first, second = failure(), failure(asks_again=True)

    assert first.symptom is second.symptom is Symptom.PROVIDER_RATE_LIMITED
    assert "until" in second.summary
    assert provider.count("POST /token") == 1
    until = stored_token().retry_after_until
    assert until is not None
    assert timedelta(seconds=50) < until - timezone.now() <= timedelta(seconds=60)

    provider.switches.token = ""
    change_token(retry_after_until=timezone.now())
    assert token().refreshed


def test_failure_in_the_margin_leaves_the_good_token_in_use(provider: Provider) -> None:
    wired_oauth(provider)
    first = token()
    enter_margin()
    provider.switches.token = "500"

    assert token().value == token().value == first.value
    assert provider.count("POST /token") == 2


def test_refusal_in_the_margin_leaves_the_good_token_in_use(provider: Provider) -> None:
    wired_oauth(provider)
    first = token()
    enter_margin()
    provider.switches.token = "invalid_client"

    assert token().value == token().value == first.value
    assert provider.count("POST /token") == 2
    expire()
    assert failure().symptom is Symptom.TOKEN_ENDPOINT_CONFIG
    assert provider.count("POST /token") == 2


def test_token_in_its_margin_is_renewed_by_a_call(provider: Provider) -> None:
    wired_oauth(provider)
    first = token()
    enter_margin()

    assert token().value != first.value


@pytest.mark.parametrize("answer", ["expires_zero", "expires_negative"])
def test_token_without_lifetime_is_good_for_the_call_at_hand(
    provider: Provider, answer: str
) -> None:
    wired_oauth(provider)
    provider.switches.token = answer

    assert token().refreshed
    assert token().refreshed
    assert stored_token().refresh_after is None


@pytest.mark.parametrize("answer", ["expires_missing", "expires_null", "expires_junk"])
def test_token_of_unknown_lifetime_is_used_until_refused(provider: Provider, answer: str) -> None:
    wired_oauth(provider)
    provider.switches.token = answer
    token()

    assert not token().refreshed
    assert stored_token().expires_at is None
    assert token(refused_generation=1).refreshed


def test_huge_lifetime_ends_after_ten_years(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "expires_huge"
    token()

    expires_at = stored_token().expires_at
    assert expires_at is not None
    assert timedelta(days=3649) < expires_at - timezone.now() < timedelta(days=3654)


def test_narrower_scope_is_stored_and_no_error(provider: Provider) -> None:
    wired_oauth(provider, options={"scope": "profile reports"})
    provider.switches.token = "scope_narrower"
    token()

    assert stored_token().granted_scope == "profile"


def test_code_grant_that_was_never_connected_sends_nothing(provider: Provider) -> None:
    wired_oauth(provider, grant="authorization_code")

    assert failure().symptom is Symptom.REAUTHORIZATION_REQUIRED
    assert provider.count("connections") == 0


def test_dead_refresh_token_of_a_code_grant_needs_a_person_and_no_more_calls(
    provider: Provider,
) -> None:
    wired_oauth(provider, grant="authorization_code")
    store_token(refresh_token="dead")

    first, second = failure(), failure()

    assert first.symptom is second.symptom is Symptom.REAUTHORIZATION_REQUIRED
    assert provider.count("POST /token") == 1
    assert stored_token().state == "reauthorization_required"


def test_edit_that_outdates_the_token_asks_for_another(provider: Provider) -> None:
    wired_oauth(provider)
    first = token()
    change_config(revision=2, token_revision=2)

    second = token()
    assert second.refreshed
    assert second.value != first.value
    assert stored_token().token_revision == 2


def test_switched_off_config_asks_for_nothing(provider: Provider) -> None:
    wired_oauth(provider)
    change_config(disabled_at=timezone.now())

    with pytest.raises(OutboundError) as caught:
        token()
    assert (caught.value.symptom, caught.value.stage) == (
        Symptom.BLOCKED_BY_POLICY,
        Stage.CONFIG,
    )
    assert provider.count("connections") == 0


@pytest.mark.parametrize(
    "moved",
    [
        {"generation": 2},
        {"generation": 1, "token_revision": 2},
        {"generation": 2, "token_revision": 2},
    ],
)
def test_token_that_another_process_stored_is_used_and_no_remembered_one(
    provider: Provider, moved: dict[str, int]
) -> None:
    wired_oauth(provider)
    store_token(access_token="ours", state="valid", generation=1)
    assert token().value == "ours"
    change_config(token_revision=moved.get("token_revision", 1))
    store_token(access_token="theirs", **moved)

    assert token().value == "theirs"
