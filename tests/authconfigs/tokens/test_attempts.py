"""Refusals that name no OAuth error: one may pass, three in a row stop the config."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authconfigs.errors import TokenFailed
from authconfigs.models import AuthConfig, OAuthToken, TokenEvent
from authconfigs.state import load_config
from authconfigs.symptoms import Symptom
from authconfigs.tokens import usable_token
from authconfigs.tokens.attempts import Attempt, counted
from authconfigs.tokens.bulk import refresh_many
from authconfigs.transport import Deadline
from tenants.scope import unscoped
from tests.authconfigs.tokens.rows import NOW, a_token, seconds
from tests.factories import make_config, make_environment, make_tenant
from tests.servers.raw import serve
from tests.servers.scripts import answer_by, message

REFUSED = "token_endpoint_config"
PAGE = message(
    "403 Forbidden",
    b"<!doctype html><title>Just a moment...</title>",
    headers=[("Content-Type", "text/html"), ("Retry-After", "45")],
)
TOKEN = message("200 OK", b'{"access_token": "new-token", "expires_in": 60}')
UNKNOWN_CLIENT = message("401 Unauthorized", b'{"error": "invalid_client"}')


def refusal(*, is_nameless: bool = True) -> TokenFailed:
    return TokenFailed("No.", symptom=Symptom(REFUSED), permanent=True, is_nameless=is_nameless)


@pytest.mark.parametrize(
    ("row", "attempt"),
    [
        ({}, Attempt(1, False)),
        ({"failures": 1, "failure_symptom": REFUSED}, Attempt(2, False)),
        ({"failures": 2, "failure_symptom": REFUSED}, Attempt(3, True)),
        ({"failures": 9, "failure_symptom": "timeout"}, Attempt(1, False)),
        (
            {"failures": 2, "failure_symptom": REFUSED, "next_attempt_at": seconds(1)},
            Attempt(2, False, rests_until=seconds(1)),
        ),
        (
            {"failures": 2, "failure_symptom": REFUSED, "next_attempt_at": NOW},
            Attempt(3, True),
        ),
    ],
)
def test_third_refusal_without_an_error_in_a_row_is_final(
    row: dict[str, Any], attempt: Attempt
) -> None:
    seen = a_token(**row)
    assert counted(refusal(), seen, now=NOW, had_one=True) == attempt
    at_once = Attempt(seen.failures + 1, True)
    assert counted(refusal(), seen, now=NOW, had_one=False) == at_once
    assert counted(refusal(is_nameless=False), seen, now=NOW, had_one=True) == at_once


@dataclass
class Endpoint:
    url: str
    says: bytes = PAGE
    asked: int = 0


@pytest.fixture
def endpoint(transactional_db: None) -> Iterator[Endpoint]:
    def say(_: object) -> bytes:
        found.asked += 1
        return found.says

    found = Endpoint("")
    with serve(answer_by(say)) as server:
        found.url = server.url("/token")
        yield found


def config_at(endpoint: Endpoint, **row: Any) -> AuthConfig:
    config = make_config(
        make_environment(make_tenant("acme")),
        "crm",
        method="oauth2_client_credentials",
        options={"token_url": endpoint.url, "client_id": "console"},
        secrets={"client_secret": "s3cret-of-the-client"},
    )
    change(refresh_after=timezone.now(), **row)
    return config


def change(**row: Any) -> None:
    with unscoped("test"):
        OAuthToken.objects.update(**row)


def swept(config: AuthConfig) -> OAuthToken:
    """The row after the sweep has renewed it, however long it had to rest."""
    change(next_attempt_at=None, retry_after_until=None, refresh_after=timezone.now())
    refresh_many([config.id])
    return stored()


def stored() -> OAuthToken:
    with unscoped("test"):
        return OAuthToken.objects.get()


def mails() -> list[bool]:
    with unscoped("test"):
        return list(TokenEvent.objects.order_by("at").values_list("mail_due", flat=True))


def test_web_page_in_a_refreshs_way_is_waited_for_and_the_third_stops_it(
    endpoint: Endpoint,
) -> None:
    config = config_at(endpoint, generation=1)
    for failures in (1, 2):
        row = swept(config)
        assert (row.state, row.failures, row.failure_symptom) == ("retrying", failures, REFUSED)
        assert "web page" in row.failure_summary
        assert row.retry_after_until is not None
        assert row.next_attempt_at is not None
        left = row.next_attempt_at - timezone.now()
        assert timedelta(seconds=35) < left <= timedelta(seconds=60)
    # The Retry-After is over, the rest isn't: calls ask, which counts for nothing and prolongs nothing.
    change(retry_after_until=None)
    endpoint.says = message("404 Not Found", b"<html>")
    for _ in range(2):
        with pytest.raises(TokenFailed) as caught:
            usable_token(load_config(config.id), deadline=Deadline.after(5))
        assert caught.value.symptom == REFUSED
    assert (stored().state, stored().failures, endpoint.asked) == ("retrying", 2, 4)
    assert stored().next_attempt_at == row.next_attempt_at
    assert not any(mails())

    row = swept(config)
    assert (row.state, row.failures, row.retry_after_until) == ("stopped", 3, None)
    swept(config)
    assert (mails().count(True), endpoint.asked) == (1, 5)


def test_token_in_between_begins_the_count_anew(endpoint: Endpoint) -> None:
    config = config_at(endpoint, generation=1)
    for says, expected in [(PAGE, 1), (PAGE, 2), (TOKEN, 0), (PAGE, 1), (PAGE, 2), (PAGE, 3)]:
        endpoint.says = says
        assert swept(config).failures == expected
    assert stored().state == "stopped"


@pytest.mark.parametrize(
    ("says", "generation"), [(PAGE, 0), (UNKNOWN_CLIENT, 1)], ids=["first token", "OAuth error"]
)
def test_what_waiting_doesnt_help_stops_it_at_once(
    endpoint: Endpoint, says: bytes, generation: int
) -> None:
    config = config_at(endpoint, generation=generation)
    endpoint.says = says
    row = swept(config)
    assert (row.state, row.failure_symptom, row.retry_after_until) == ("stopped", REFUSED, None)
    assert mails() == [True]


def test_first_use_of_a_pasted_refresh_token_is_a_refresh(endpoint: Endpoint) -> None:
    config = make_config(
        make_environment(make_tenant("acme")),
        "crm",
        method="oauth2_authorization_code",
        options={
            "token_url": endpoint.url,
            "authorization_url": endpoint.url,
            "client_id": "console",
        },
        secrets={"client_secret": "s3cret-of-the-client", "refresh_token": "seed-1234"},
    )
    assert [swept(config).state for _ in range(3)] == ["retrying", "retrying", "stopped"]


def test_person_who_asks_again_into_a_web_page_leaves_what_stopped_it(endpoint: Endpoint) -> None:
    config = config_at(endpoint, generation=1)
    endpoint.says = UNKNOWN_CLIENT
    swept(config)
    endpoint.says = PAGE
    with suppress(TokenFailed):
        usable_token(load_config(config.id), deadline=Deadline.after(5), asks_again=True)
    assert (stored().state, stored().failure_error) == ("stopped", "invalid_client")
    assert (mails().count(True), endpoint.asked) == (1, 2)
