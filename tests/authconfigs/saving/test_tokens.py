"""What each field's change does to a stored token: the list of the contract, line by line."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authconfigs.methods.base import Change
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.saving import ConfigDraft, preview_change, save_config, switch_config
from tenants.models import Environment
from tests.authconfigs.saving.drafts import acting, oauth, plant_token
from tests.factories import make_environment, make_tenant

pytestmark = pytest.mark.django_db

NOTHING, ACCESS, GRANT = Change.NOTHING, Change.NEW_ACCESS_TOKEN, Change.NEW_GRANT
SECRETS = {
    "client_credentials": {"client_secret": "s"},
    "password": {"client_secret": "s", "password": "p"},
    "authorization_code": {"client_secret": "s"},
}
ROWS: list[tuple[str, dict[str, Any], Change]] = [
    ("client_credentials", {"header": "X-Token"}, NOTHING),
    ("client_credentials", {"header_prefix": ""}, NOTHING),
    ("client_credentials", {"scope": "a b"}, ACCESS),
    ("client_credentials", {"audience": "https://api.example.com"}, ACCESS),
    ("client_credentials", {"token_params": {"resource": ["a", "b"]}}, ACCESS),
    ("client_credentials", {"token_headers": {"X-Tenant": "eu"}}, ACCESS),
    ("client_credentials", {"token_body": "json"}, ACCESS),
    ("client_credentials", {"client_auth": "post"}, ACCESS),
    ("client_credentials", {"token_url": "https://auth.example.com/v2/token?x=1"}, ACCESS),
    ("client_credentials", {"token_url": "https://login.example.com/token"}, GRANT),
    ("client_credentials", {"token_url": "https://auth.example.com:8443/token"}, GRANT),
    ("client_credentials", {"client_id": "another"}, GRANT),
    ("password", {"scope": "a"}, ACCESS),
    ("password", {"username": "other"}, GRANT),
    ("authorization_code", {"scope": "a"}, NOTHING),
    ("authorization_code", {"authorize_params": {"access_type": "offline"}}, NOTHING),
    ("authorization_code", {"authorization_url": "https://auth.example.com/v2?x=1"}, NOTHING),
    ("authorization_code", {"authorization_url": "https://other.example.com/"}, GRANT),
    ("authorization_code", {"issuer": "https://auth.example.com"}, NOTHING),
    ("authorization_code", {"audience": "https://api.example.com"}, ACCESS),
]


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


def stored(
    kind: str, staging: Environment, *, refresh_token: str | None = "planted-refresh"
) -> tuple[ConfigDraft, AuthConfig]:
    """A saved config with a token, and the draft that it came from."""
    draft = oauth(kind, secrets=dict(SECRETS[kind]))
    config = save_config(draft, environment=staging).config
    plant_token(config, refresh_token=refresh_token)
    return draft, config


def edited(draft: ConfigDraft, config: AuthConfig, staging: Environment, **new: Any) -> OAuthToken:
    """The token's row after saving the draft with these changes."""
    save_config(
        replace(draft, secrets={}, **new), environment=staging, config=config, widen_origins=True
    )
    return OAuthToken.objects.get(config=config)


@pytest.mark.parametrize(("kind", "options", "change"), ROWS)
def test_a_change_of_an_option_does_what_the_contract_says(
    staging: Environment, kind: str, options: dict[str, Any], change: Change
) -> None:
    with acting(None, staging):
        draft, config = stored(kind, staging)
        wanted = {**draft.options, **options}
        assert preview_change(config, replace(draft, options=wanted)) is change

        row = edited(draft, config, staging, options=wanted)

    assert (row.access_token is not None) is (change is NOTHING)
    assert (row.refresh_token is not None) is (change is not GRANT)
    assert config.revision == 2
    assert config.token_revision == (1 if change is NOTHING else 2)
    assert row.token_revision == config.token_revision


@pytest.mark.parametrize(
    ("kind", "secret", "change"),
    [
        ("client_credentials", "client_secret", ACCESS),
        ("password", "client_secret", ACCESS),
        ("password", "password", GRANT),
        ("authorization_code", "client_secret", ACCESS),
    ],
)
def test_another_secret_does_what_the_contract_says(
    staging: Environment, kind: str, secret: str, change: Change
) -> None:
    with acting(None, staging):
        draft, config = stored(kind, staging)
        saved = save_config(
            replace(draft, secrets={secret: "another"}), environment=staging, config=config
        )
        row = OAuthToken.objects.get(config=config)

    assert saved.change is change
    assert row.access_token is None
    assert (row.refresh_token is not None) is (change is ACCESS)


def test_a_secret_that_is_typed_again_as_it_was_keeps_the_token(staging: Environment) -> None:
    with acting(None, staging):
        draft, config = stored("password", staging)
        saved = save_config(draft, environment=staging, config=config)

        assert saved.fields == ()
        assert OAuthToken.objects.get(config=config).access_token is not None


@pytest.mark.parametrize("field", ["name", "description"])
def test_a_change_of_the_text_keeps_the_token(staging: Environment, field: str) -> None:
    with acting(None, staging):
        draft, config = stored("client_credentials", staging)
        row = edited(draft, config, staging, **{field: "other"})

    assert row.access_token is not None
    assert config.token_revision == 1


def test_another_method_drops_everything(staging: Environment) -> None:
    with acting(None, staging):
        _, config = stored("password", staging)
        draft = oauth("client_credentials", secrets={"client_secret": "s"})
        save_config(draft, environment=staging, config=config)
        row = OAuthToken.objects.get(config=config)

    assert row.access_token is None
    assert row.refresh_token is None
    assert row.token_revision == config.token_revision == 2


def test_a_code_grant_without_refresh_token_keeps_its_access_token(staging: Environment) -> None:
    with acting(None, staging):
        draft, config = stored("authorization_code", staging, refresh_token=None)
        row = edited(draft, config, staging, options={**draft.options, "client_auth": "post"})

    assert row.access_token is not None
    assert row.state == OAuthToken.State.VALID
    assert row.expires_at is not None
    assert row.token_revision == config.token_revision == 2


def test_a_kept_refresh_token_that_was_scheduled_is_used_at_once(staging: Environment) -> None:
    with acting(None, staging):
        draft, config = stored("password", staging)
        row = edited(draft, config, staging, options={**draft.options, "scope": "a"})

    assert row.expires_at is None
    assert row.refresh_after is not None
    assert abs(row.refresh_after - timezone.now()) < timedelta(seconds=10)


def test_nothing_is_scheduled_once_everything_is_dropped(staging: Environment) -> None:
    with acting(None, staging):
        draft, config = stored("password", staging)
        row = edited(draft, config, staging, options={**draft.options, "client_id": "other"})

    assert row.refresh_after is None
    assert row.state == OAuthToken.State.EMPTY


@pytest.mark.parametrize("new", [{"description": "x"}, {"options": None}])
def test_any_edit_lifts_what_stopped_the_config(staging: Environment, new: dict[str, Any]) -> None:
    with acting(None, staging):
        draft, config = stored("client_credentials", staging)
        options = {**draft.options, "scope": "a"} if "options" in new else draft.options
        row = edited(draft, config, staging, **{**new, "options": options})

    assert row.state in (OAuthToken.State.VALID, OAuthToken.State.EMPTY)
    assert row.failures == 0
    assert row.failure_symptom == ""
    assert row.retry_after_until is None
    assert row.next_attempt_at is None


def test_an_edit_that_outdates_tokens_takes_the_lease_away(staging: Environment) -> None:
    with acting(None, staging):
        draft, config = stored("client_credentials", staging)
        kept = edited(draft, config, staging, description="x")
        assert kept.lease_owner is not None
        lost = edited(draft, config, staging, options={**draft.options, "scope": "a"})

    assert lost.lease_owner is None


def test_another_scope_of_a_code_grant_is_said_to_wait_for_consent(staging: Environment) -> None:
    with acting(None, staging):
        draft, config = stored("authorization_code", staging)
        saved = save_config(
            replace(draft, secrets={}, options={**draft.options, "scope": "a"}),
            environment=staging,
            config=config,
        )

    assert any("connects the next time" in note for note in saved.notes)


def test_switching_off_keeps_the_token(staging: Environment) -> None:
    with acting(None, staging):
        _, config = stored("client_credentials", staging)
        switch_config(config, disabled=True)

        assert OAuthToken.objects.get(config=config).access_token is not None
