"""Disconnecting forgets in any case, withdraws where it can, and lets nothing that is late come back."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from authconfigs.authorization.disconnecting import disconnect
from authconfigs.models import DataKey, OAuthToken, TokenEvent
from authconfigs.saving import EditConflict, current_credential, draft_of, save_config
from authconfigs.state import load_config
from authconfigs.tokens.sweep import renew_now
from integrations.client import CallFailed, connect
from integrations.demo.provider import Provider
from tenants.models import AuditEvent
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import CONNECTED, Journey, back_from, link_of
from tests.authconfigs.consoles import browser, html, post_config, url
from tests.factories import posted
from tests.integrations.wired import stored_token, the_config

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def connected(provider: Provider, **options: Any) -> Journey:
    journey = back_from(provider, "connect", **options)
    assert journey.deliver() == CONNECTED
    return journey


def pressed(journey: Journey) -> str:
    """The config's page after "Disconnect" was pressed."""
    form = posted(journey.config.tenant)
    return html(journey.client.post(url("disconnect", journey.config.id), form, follow=True))


def is_forgotten() -> bool:
    row = stored_token()
    empty = (row.access_token, row.refresh_token, row.refresh_after, row.connected_at)
    assert row.lease_owner is None
    return empty == (None,) * 4 and row.state == OAuthToken.State.EMPTY


def test_tokens_are_withdrawn_and_forgotten(provider: Provider) -> None:
    journey = connected(provider)
    page = pressed(journey)
    assert "is disconnected: its tokens are forgotten. The provider withdrew them." in page
    assert url("disconnect", journey.config.id) not in page
    assert is_forgotten()
    assert provider.count("POST /revoke") == 2
    assert provider.ledger.consents() == []
    with tenant_scope(journey.config.tenant_id):
        assert TokenEvent.objects.values_list("kind", flat=True)[0] == "disconnected"
        assert AuditEvent.objects.filter(action="disconnect", actor="ann").count() == 1
    with pytest.raises(CallFailed) as failed:
        connect("acme", "crm", environment="staging").get("")
    assert failed.value.symptom == "reauthorization_required"
    assert "connected any more" in str(failed.value)
    assert "nothing to withdraw" in pressed(journey)


@pytest.mark.parametrize("auth", ["basic", "post"])
def test_revocation_authenticates_as_token_requests_do(provider: Provider, auth: str) -> None:
    pressed(connected(provider, client_auth=auth))
    assert provider.ledger.consents() == []
    asked = [one for one in provider.requests if one.endpoint == "/revoke"]
    assert [b"token_type_hint=refresh_token" in one.body for one in asked] == [True, False]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("503", "The revocation endpoint refuses (503"),
        ("invalid_client", "The revocation endpoint refuses (401 invalid_client)"),
        ("close", "by hand"),
        ("redirect", "The revocation endpoint refuses (307)"),
    ],
)
def test_provider_that_fails_is_said_and_the_tokens_are_forgotten(
    provider: Provider, failure: str, told: str
) -> None:
    journey = connected(provider)
    provider.switches.token = failure
    page = pressed(journey)
    assert "didn&#x27;t withdraw them" in page
    assert told in page
    assert is_forgotten()


def test_without_a_revocation_url_it_is_said(provider: Provider) -> None:
    journey = connected(provider, revocation_url="")
    assert "no revocation URL" in pressed(journey)
    assert is_forgotten()


def test_unreadable_secrets_are_forgotten_all_the_same(provider: Provider) -> None:
    journey = connected(provider)
    with tenant_scope(journey.config.tenant_id):
        DataKey.objects.all().delete()
    assert "by hand" in pressed(journey)
    assert is_forgotten()


def test_refresh_that_is_late_brings_nothing_back(provider: Provider) -> None:
    journey = connected(provider)
    provider.switches.token_delay = 0.4
    state = load_config(journey.config.id)
    late = threading.Thread(target=renewed, args=(state,))
    late.start()
    while provider.count("POST /token") < 2:
        pass
    with tenant_scope(journey.config.tenant_id):
        disconnect(the_config())
    late.join()
    assert is_forgotten()
    with tenant_scope(journey.config.tenant_id):
        kinds = set(TokenEvent.objects.values_list("kind", flat=True))
    assert "failed" not in kinds


def renewed(state: Any) -> None:
    try:
        renew_now(state, force=False)
    finally:
        connection.close()


def test_link_that_was_handed_out_before_counts_no_more(provider: Provider) -> None:
    journey = connected(provider)
    link = link_of(journey.client, journey.config)
    pressed(journey)
    assert Client().get(link).status_code == 400
    assert Client().get(link_of(journey.client, journey.config)).status_code == 200


def pasted(journey: Journey, seed: str) -> str:
    """The config's page after a refresh token was pasted in."""
    with tenant_scope(journey.config.tenant_id):
        answer = post_config(
            browser(journey.config.tenant), the_config(), refresh_token=seed, drop_grant="on"
        )
        assert answer.status_code == 302, html(answer)
        return html(journey.client.get(answer.headers["Location"]))


def held_secrets(journey: Journey) -> tuple[set[str], set[str]]:
    """The names of the secrets as they are told, and as they are sealed."""
    with tenant_scope(journey.config.tenant_id):
        credential = current_credential(the_config())
        return set(credential.secret_state), set(credential.secrets.reveal())


def test_pasted_refresh_token_is_forgotten_with_the_rest_and_takes_root_again(
    provider: Provider,
) -> None:
    journey = connected(provider)
    pasted(journey, "planted-seed")
    assert held_secrets(journey) == ({"client_secret", "refresh_token"},) * 2
    assert "Not set" in pressed(journey)
    assert held_secrets(journey) == ({"client_secret"},) * 2
    assert is_forgotten()
    with tenant_scope(journey.config.tenant_id):
        assert AuditEvent.objects.get(action="disconnect").fields == ["refresh_token"]
        revision = the_config().revision
    assert "Nothing was changed" not in pasted(journey, "planted-seed")
    row = stored_token()
    assert row.refresh_token is not None
    assert row.refresh_token.reveal() == "planted-seed"
    assert the_config().revision == revision + 1


@pytest.mark.parametrize("cleared", [True, False])
def test_what_a_disconnect_forgot_is_known_by_nothing(provider: Provider, cleared: bool) -> None:
    journey = connected(provider)
    pasted(journey, "planted-seed")
    if cleared:
        with tenant_scope(journey.config.tenant_id):
            form = {"clear-refresh_token": "on"}
            post_config(browser(journey.config.tenant), the_config(), **form)
    pressed(journey)
    pasted(journey, "planted-seed")
    assert stored_token().refresh_token is not None


def test_unreadable_secrets_dont_keep_a_pasted_refresh_token(provider: Provider) -> None:
    journey = connected(provider)
    pasted(journey, "planted-seed")
    with tenant_scope(journey.config.tenant_id):
        DataKey.objects.all().delete()
    pressed(journey)
    assert is_forgotten()
    with tenant_scope(journey.config.tenant_id):
        assert set(current_credential(the_config()).secret_state) == {"client_secret"}


def test_edit_under_way_doesnt_bring_a_forgotten_refresh_token_back(provider: Provider) -> None:
    journey = connected(provider)
    pasted(journey, "planted-seed")
    with tenant_scope(journey.config.tenant_id):
        before = the_config()
        environment = before.environment
        pressed(journey)
        draft = replace(draft_of(before, secrets={"client_secret": "another"}), description="x")
        with pytest.raises(EditConflict):
            save_config(draft, environment=environment, config=before)
    assert held_secrets(journey) == ({"client_secret"},) * 2


def test_form_that_was_drawn_before_saves_nothing(provider: Provider) -> None:
    """Nobody saves over what they haven't seen."""
    journey = connected(provider)
    pressed(journey)
    with tenant_scope(journey.config.tenant_id):
        page = html(post_config(browser(journey.config.tenant), journey.config, description="x"))
    assert "Open it again" in page
    assert the_config().description == ""
