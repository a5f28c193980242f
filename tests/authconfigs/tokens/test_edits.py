"""What an edit of each field does to the stored token, through the one save path and a real token endpoint."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from authconfigs import methods
from authconfigs.errors import TokenFailed
from authconfigs.fields import Sealed
from authconfigs.methods.base import Change
from authconfigs.models import TokenEvent
from authconfigs.saving import ConfigDraft, SavedConfig, draft_of, save_config
from integrations.calls import Call, perform
from integrations.demo.provider import Provider, accounts
from integrations.targets import load_target
from tenants.scope import tenant_scope
from tests.integrations.wired import NAME, store_token, stored_token, the_config, wired_oauth

pytestmark = pytest.mark.django_db

NOTHING: dict[str, Any] = {
    "name": "renamed",
    "description": "Key of the CRM team",
    "rotate_by": date(2031, 1, 1),
    "header": "X-Token",
    "header_prefix": "Token",
    "token_response": {"expires_in": "data.ttl"},
    "expiry_format": "milliseconds",
    "default_lifetime": 60,
    "expired_statuses": [419],
    "expired_text": "token_expired",
}
NEW_ACCESS_TOKEN: dict[str, Any] = {
    "scope": "profile reports",
    "audience": "https://api.example.com",
    "token_params": {"resource": "https://api.example.com"},
    "secret_token_params": {"api_key": "planted"},
    "token_headers": {"X-Tenant": "eu-1"},
    "token_body": "json",
    "client_auth": "post",
    "client_secret": "another secret",
    "token_url": "?path=or-query",
}
NEW_GRANT: dict[str, Any] = {
    "client_id": accounts.PUBLIC_CLIENT.client_id,
    "username": "another",
    "password": "another password",
}
COLUMNS = {"name", "description", "rotate_by"}
SECRETS = {"client_secret", "password", "secret_token_params", "refresh_token"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def save(change: Mapping[str, Any]) -> SavedConfig:
    config = the_config()
    with tenant_scope(config.tenant_id):
        draft = draft_of(config)
        columns = {name: value for name, value in change.items() if name in COLUMNS}
        secrets = {name: value for name, value in change.items() if name in SECRETS}
        options = {n: v for n, v in change.items() if n not in COLUMNS | SECRETS}
        edited: ConfigDraft = replace(
            draft, **columns, secrets=secrets, options={**draft.options, **options}
        )
        return save_config(
            edited, environment=config.environment, config=config, as_admin=True, widen_origins=True
        )


def called(provider: Provider) -> str | None:
    """Call once; the grant of the token request that it made, if any."""
    provider.forget()
    # What the provider thinks of the edit doesn't matter here.
    with suppress(TokenFailed):
        perform(load_target(NAME), Call("GET", ""))
    sent = [one for one in provider.requests if one.endpoint == "/token"]
    if not sent:
        return None
    body = sent[0].body.decode()
    return body if body.startswith("{") else parse_qs(body)["grant_type"][0]


def with_a_token(provider: Provider) -> str:
    wired_oauth(provider, grant="password", options={"scope": "profile"}, path="/open")
    called(provider)
    access_token = stored_token().access_token
    assert access_token is not None
    return str(access_token.reveal())


@pytest.mark.parametrize("field", NOTHING)
def test_field_that_does_nothing_keeps_the_token(provider: Provider, field: str) -> None:
    before = with_a_token(provider)

    assert save({field: NOTHING[field]}).change is Change.NOTHING
    assert called(provider) is None
    assert stored_token().access_token is not None
    assert stored_token().access_token.reveal() == before


@pytest.mark.parametrize("field", NEW_ACCESS_TOKEN)
def test_field_that_outdates_the_access_token_keeps_and_uses_the_refresh_token(
    provider: Provider, field: str
) -> None:
    before = with_a_token(provider)
    value = NEW_ACCESS_TOKEN[field]
    if field == "token_url":
        value = provider.token_url + value

    assert save({field: value}).change is Change.NEW_ACCESS_TOKEN
    assert stored_token().refresh_token is not None
    assert "refresh_token" in str(called(provider))
    access_token = stored_token().access_token
    assert access_token is None or access_token.reveal() != before


@pytest.mark.parametrize("field", NEW_GRANT)
def test_field_that_is_a_new_grant_drops_everything(provider: Provider, field: str) -> None:
    with_a_token(provider)

    assert save({field: NEW_GRANT[field]}).change is Change.NEW_GRANT
    row = stored_token()
    assert (row.access_token, row.refresh_token) == (None, None)
    assert called(provider) == "password"


def test_token_url_at_another_origin_is_a_new_grant(provider: Provider) -> None:
    with_a_token(provider)
    with Provider() as other:
        assert save({"token_url": other.token_url}).change is Change.NEW_GRANT
        assert (stored_token().access_token, stored_token().refresh_token) == (None, None)
        assert called(other) == "password"


def test_every_field_of_the_grant_is_covered() -> None:
    method = methods.by_code("oauth2_password")

    fields = {*method.option_names, *method.secret_names}
    assert fields <= {*NOTHING, *NEW_ACCESS_TOKEN, *NEW_GRANT}


def revealed(sealed: Sealed | None) -> str | None:
    return None if sealed is None else str(sealed.reveal())


def events() -> list[TokenEvent]:
    with tenant_scope(the_config().tenant_id):
        return list(TokenEvent.objects.all())


def connected(provider: Provider, **tokens: Any) -> None:
    wired_oauth(provider, grant="authorization_code", options={"scope": "profile"}, path="/open")
    store_token(access_token="granted", generation=1, state="valid", **tokens)


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "profile reports"},
        {"authorize_params": {"prompt": "consent"}},
        {"issuer": "https://issuer.example"},
        {"authorization_url": "?prompt=login"},
        {"refresh_url": "?refresh"},
        {"revocation_url": "?revoke"},
        {"refresh_params": {"expires": "60"}},
        {"keepalive_days": 7},
        *({name: value} for name, value in NOTHING.items()),
    ],
    ids=lambda change: next(iter(change)),
)
def test_edit_that_does_nothing_never_asks_a_person(
    provider: Provider, change: dict[str, Any]
) -> None:
    connected(provider, refresh_token="granted")
    change = {n: provider.token_url + v if n.endswith("_url") else v for n, v in change.items()}

    assert save(change).change is Change.NOTHING
    assert called(provider) is None
    row = stored_token()
    assert (row.state, revealed(row.access_token)) == ("valid", "granted")
    assert revealed(row.refresh_token) == "granted"


@pytest.mark.parametrize("field", sorted({*NEW_ACCESS_TOKEN} - {"scope"}))
def test_edit_that_outdates_the_access_token_never_asks_a_person(
    provider: Provider, field: str
) -> None:
    connected(provider, refresh_token="granted")
    value = NEW_ACCESS_TOKEN[field]
    value = provider.token_url + value if field == "token_url" else value

    assert save({field: value}).change is Change.NEW_ACCESS_TOKEN
    row = stored_token()
    assert (row.state, row.access_token) == ("empty", None)
    assert revealed(row.refresh_token) == "granted"
    assert "refresh_token" in str(called(provider))
    assert b"granted" in provider.requests[0].body


@pytest.mark.parametrize(
    "field", ["token_url", "refresh_url", "revocation_url", "authorization_url"]
)
def test_another_origin_never_receives_the_stored_refresh_token(
    provider: Provider, field: str
) -> None:
    connected(provider, refresh_token="granted")
    with Provider() as other:
        assert save({field: other.token_url}).change is Change.NEW_GRANT
        row = stored_token()
        assert (row.state, row.access_token, row.refresh_token) == ("empty", None, None)
        with pytest.raises(TokenFailed) as failure:
            perform(load_target(NAME), Call("GET", ""))
        assert failure.value.symptom == "reauthorization_required"
        assert other.requests == []
    assert [event.kind for event in events()] == ["disconnected"]


def test_refresh_url_is_where_tokens_are_renewed(provider: Provider) -> None:
    connected(provider, refresh_token="granted", expires_at=timezone.now())
    save({"refresh_url": f"{provider.base_url}/elsewhere", "refresh_params": {"expires": "60"}})
    with suppress(TokenFailed):
        perform(load_target(NAME), Call("GET", ""))

    assert [one.endpoint for one in provider.requests] == ["/elsewhere"]
    assert parse_qs(provider.requests[0].body.decode())["expires"] == ["60"]


def test_consent_without_refresh_token_keeps_its_access_token(provider: Provider) -> None:
    connected(provider)

    assert save({"audience": "https://api.example.com"}).change is Change.NEW_ACCESS_TOKEN
    row = stored_token()
    assert row.access_token is not None
    assert row.token_revision == the_config().token_revision
    perform(load_target(NAME), Call("GET", ""))
    assert provider.requests[0].header("Authorization") == "Bearer granted"


def test_another_issuer_is_a_new_grant(provider: Provider) -> None:
    connected(provider, refresh_token="granted")
    save({"issuer": "https://issuer.example"})

    assert save({"issuer": "https://other.example"}).change is Change.NEW_GRANT
    assert stored_token().refresh_token is None


@pytest.mark.parametrize("field", ["description", "header"])
def test_any_edit_asks_again_where_it_had_stopped(provider: Provider, field: str) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"
    called(provider)
    assert called(provider) is None
    provider.switches.token = ""

    save({field: NOTHING[field]})

    assert called(provider) == "client_credentials"


def test_edit_clears_an_answered_wait(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "429"
    with pytest.raises(TokenFailed, match="wait"):
        perform(load_target(NAME), Call("GET", ""))
    provider.switches.token = ""

    save({"description": "edited"})

    assert called(provider) == "client_credentials"
