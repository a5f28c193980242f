"""What the history says of each exchange, and when somebody is told of it."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from authconfigs.errors import OutboundError, TokenFailed
from authconfigs.models import AuthConfig, OAuthToken, TokenEvent
from authconfigs.saving import draft_of, save_config
from authconfigs.saving.deleting import delete
from authconfigs.state import load_named_config
from authconfigs.tokens import Token, usable_token
from authconfigs.transport import Deadline
from integrations.demo.provider import Provider, accounts
from integrations.demo.provider.ledger import Grant
from integrations.models import Connection
from tenants.scope import tenant_scope
from tests.integrations.wired import (
    change_token,
    store_token,
    stored_token,
    the_config,
    wired_oauth,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def token(**arguments: Any) -> Token:
    state = load_named_config("acme", "crm", environment="staging")
    return usable_token(state, deadline=Deadline.after(10), **arguments)


def fail() -> None:
    with pytest.raises(TokenFailed):
        token(asks_again=True)


def expire() -> None:
    change_token(expires_at=timezone.now(), refresh_after=timezone.now(), retry_after_until=None)


def history() -> list[tuple[str, str, bool]]:
    """Kind, state afterwards and whether somebody is told, the oldest first."""
    row = stored_token()
    with tenant_scope(row.tenant_id):
        events = TokenEvent.objects.filter(config_id=row.config_id).order_by("at")
        return [(event.kind, event.state, event.mail_due) for event in events]


def test_every_exchange_is_in_the_history(provider: Provider) -> None:
    wired_oauth(provider, grant="password", options={"scope": "profile"})
    token()
    expire()
    token()
    expire()
    provider.switches.token = "500"
    fail()

    assert history() == [
        ("issued", "valid", False),
        ("refreshed", "valid", False),
        ("failed", "retrying", False),
    ]
    assert stored_token().requested_scope == "profile"
    with tenant_scope(stored_token().tenant_id):
        last = TokenEvent.objects.first()
        assert last is not None
        assert (last.actor, last.symptom) == ("system", "provider_error")
        assert last.summary == stored_token().failure_summary


def test_transition_is_told_once_and_the_state_lasts_from_then_on(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"
    fail()
    since = stored_token().state_since
    fail()
    provider.switches.token = "500"
    fail()
    assert stored_token().state_since == since
    provider.switches.token = ""
    token(asks_again=True)
    assert stored_token().state_since > since
    expire()
    provider.switches.token = "invalid_client"
    fail()

    assert history() == [
        ("failed", "stopped", True),
        ("failed", "stopped", False),
        ("failed", "stopped", False),
        ("issued", "valid", False),
        ("failed", "stopped", True),
    ]


def test_transition_after_an_edit_that_keeps_the_token_is_told_again(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"
    fail()
    edit()
    fail()

    assert [mail_due for _, _, mail_due in history()] == [True, True]


def test_refresh_of_a_consent_keeps_what_the_answer_doesnt_name(provider: Provider) -> None:
    wired_oauth(provider, grant="authorization_code", options={"keepalive_days": 10})
    connected_at = timezone.now() - timedelta(days=3)
    grant = Grant(accounts.CLIENT.client_id, "robin", "profile")
    given = provider.ledger.issue(grant, with_refresh=True)
    store_token(refresh_token=given["refresh_token"], granted_scope="profile")
    change_token(requested_scope="profile reports", connected_at=connected_at)
    provider.switches.token = "expires_missing"
    token()

    row = stored_token()
    assert (row.granted_scope, row.requested_scope) == ("profile", "profile reports")
    assert row.connected_at == connected_at
    assert row.expires_at is None
    assert row.refresh_after is not None
    assert timedelta(days=8) < row.refresh_after - timezone.now() < timedelta(days=10)


def edit(**options: Any) -> None:
    """Edit options of the config; without any, its description."""
    config = the_config()
    with tenant_scope(config.tenant_id):
        draft = draft_of(config)
        new: dict[str, Any] = (
            {"options": {**draft.options, **options}} if options else {"description": "edited"}
        )
        draft = replace(draft, secrets={}, **new)
        save_config(draft, environment=config.environment, config=config, as_admin=True)


def asked_meanwhile(provider: Provider, change: Any) -> None:
    """Ask for a token, and make a change while the provider takes its time."""
    provider.forget()
    provider.switches.token_delay = 0.4

    def ask() -> None:
        with suppress(OutboundError, OAuthToken.DoesNotExist):
            token()
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(500):
        if provider.count("POST /token"):
            break
        threading.Event().wait(0.01)
    change()
    asking.join()
    provider.switches.token_delay = 0


def test_edit_for_a_new_access_token_keeps_the_refresh_token_that_came_late(
    provider: Provider,
) -> None:
    wired_oauth(provider, grant="password", options={"scope": "profile"})
    token()
    expire()
    asked_meanwhile(provider, lambda: edit(audience="https://api.example.com"))

    row = stored_token()
    assert (row.access_token, row.lease_owner) == (None, None)
    assert row.refresh_token is not None
    assert token().refreshed
    assert provider.count("grant password") == 0
    assert provider.count("refresh_reuse") == 0
    assert [kind for kind, _, _ in history()] == ["issued", "discarded", "refreshed"]


def test_edit_for_a_new_grant_resurrects_nothing(provider: Provider) -> None:
    wired_oauth(provider, grant="password")
    token()
    expire()
    asked_meanwhile(provider, lambda: edit(client_id="another"))

    row = stored_token()
    assert (row.access_token, row.refresh_token, row.lease_owner) == (None, None, None)
    assert [kind for kind, _, _ in history()] == ["issued", "disconnected", "discarded"]


def test_deleted_config_leaves_nothing_of_a_late_token(provider: Provider) -> None:
    wired_oauth(provider)
    tenant_id = the_config().tenant_id

    def forget() -> None:
        with tenant_scope(tenant_id):
            Connection.objects.all().delete()
            delete(AuthConfig.objects.get())

    asked_meanwhile(provider, forget)

    with tenant_scope(tenant_id):
        assert not TokenEvent.objects.exists()
        assert not OAuthToken.objects.exists()
