"""What each field's change does to a stored token: the list of the contract, line by line."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authconfigs import methods
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
CLIENT, PASSWORD, CODE = SECRETS
SAME, OTHER = "https://auth.example.com", "https://login.example.com"
# What the contract says of a change of each field, per OAuth method; `*` is all three.
ROWS: list[tuple[str, dict[str, Any], Change]] = [
    ("*", {"header": "X-Token"}, NOTHING),
    ("*", {"header_prefix": ""}, NOTHING),
    ("*", {"default_lifetime": 60}, NOTHING),
    ("*", {"expired_statuses": [403]}, NOTHING),
    ("*", {"expired_text": "token_expired"}, NOTHING),
    ("*", {"token_response": {"access_token": "data.token"}}, NOTHING),
    ("*", {"expiry_format": "epoch"}, NOTHING),
    ("*", {"audience": "https://api.example.com"}, ACCESS),
    ("*", {"token_params": {"resource": ["a", "b"]}}, ACCESS),
    ("*", {"token_headers": {"X-Tenant": "eu"}}, ACCESS),
    ("*", {"token_body": "json"}, ACCESS),
    ("*", {"client_auth": "post"}, ACCESS),
    ("*", {"token_url": f"{SAME}/v2/token?x=1"}, ACCESS),
    ("*", {"token_url": f"{OTHER}/token"}, GRANT),
    ("*", {"token_url": f"{SAME}:8443/token"}, GRANT),
    ("*", {"client_id": "another"}, GRANT),
    (CLIENT, {"scope": "a b"}, ACCESS),
    (PASSWORD, {"scope": "a"}, ACCESS),
    (PASSWORD, {"username": "other"}, GRANT),
    (CODE, {"scope": "a"}, NOTHING),
    (CODE, {"authorize_params": {"access_type": "offline"}}, NOTHING),
    (CODE, {"authorization_url": f"{SAME}/v2?x=1"}, NOTHING),
    (CODE, {"authorization_url": f"{OTHER}/"}, GRANT),
    (CODE, {"issuer": SAME}, NOTHING),
    (CODE, {"refresh_params": {"expires": "3600"}}, NOTHING),
    (CODE, {"keepalive_days": 30}, NOTHING),
    (CODE, {"refresh_url": f"{SAME}/refresh"}, NOTHING),
    (CODE, {"refresh_url": f"{OTHER}/refresh"}, GRANT),
    (CODE, {"revocation_url": f"{SAME}/revoke"}, NOTHING),
    (CODE, {"revocation_url": f"{OTHER}/revoke"}, GRANT),
]
CASES = [
    (kind, options, change)
    for of, options, change in ROWS
    for kind in (SECRETS if of == "*" else [of])
]
SECRET_ROWS: list[tuple[str, str, Any, Change]] = [
    *((kind, "client_secret", "another", ACCESS) for kind in SECRETS),
    *((kind, "secret_token_params", {"key": "another"}, ACCESS) for kind in SECRETS),
    (PASSWORD, "password", "another", GRANT),
    (CODE, "refresh_token", "another", GRANT),
]
# The same of URLs that are there already: what they were, and what they become.
URLS: list[tuple[dict[str, Any], dict[str, Any], Change]] = [
    ({"issuer": SAME}, {"issuer": f"{SAME}/other"}, GRANT),
    ({"issuer": SAME}, {"issuer": ""}, NOTHING),
    ({"refresh_url": f"{OTHER}/a"}, {"refresh_url": f"{OTHER}/b?c"}, NOTHING),
    ({"refresh_url": f"{OTHER}/a"}, {"refresh_url": f"{SAME}/a"}, GRANT),
    ({"refresh_url": f"{OTHER}/a"}, {"refresh_url": ""}, NOTHING),
    ({"revocation_url": f"{OTHER}/a"}, {"revocation_url": f"{OTHER}/b"}, NOTHING),
    ({"revocation_url": f"{OTHER}/a"}, {"revocation_url": "https://c.example.com/"}, GRANT),
    ({"revocation_url": f"{OTHER}/a"}, {"revocation_url": ""}, NOTHING),
]


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


def stored(
    kind: str,
    staging: Environment,
    *,
    refresh_token: str | None = "planted-refresh",
    secrets: dict[str, Any] | None = None,
    **options: Any,
) -> tuple[ConfigDraft, AuthConfig]:
    """A saved config with a token, and the draft that it came from."""
    draft = oauth(kind, secrets={**SECRETS[kind], **(secrets or {})}, **options)
    config = save_config(draft, environment=staging).config
    plant_token(config, refresh_token=refresh_token)
    return draft, config


def edited(draft: ConfigDraft, config: AuthConfig, staging: Environment, **new: Any) -> OAuthToken:
    """The token's row after saving the draft with these changes."""
    save_config(
        replace(draft, secrets={}, **new), environment=staging, config=config, widen_origins=True
    )
    return OAuthToken.objects.get(config=config)


def test_the_table_has_every_field_of_every_oauth_method() -> None:
    said = {kind: {name for of, row, _ in CASES if of == kind for name in row} for kind in SECRETS}
    assert said == {kind: set(methods.by_code(f"oauth2_{kind}").option_names) for kind in SECRETS}
    secrets = {(of, name) for of, name, *_ in SECRET_ROWS}
    assert secrets == {
        (kind, name) for kind in SECRETS for name in methods.by_code(f"oauth2_{kind}").secret_names
    }


@pytest.mark.parametrize(("before", "after", "change"), URLS)
def test_a_url_that_is_there_is_judged_by_its_origin(
    staging: Environment, before: dict[str, Any], after: dict[str, Any], change: Change
) -> None:
    with acting(None, staging):
        draft, config = stored(CODE, staging, **before)
        wanted = replace(draft, options={**draft.options, **after})
        assert preview_change(config, wanted) is change


@pytest.mark.parametrize(("kind", "options", "change"), CASES)
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


@pytest.mark.parametrize(("kind", "secret", "value", "change"), SECRET_ROWS)
def test_another_secret_does_what_the_contract_says(
    staging: Environment, kind: str, secret: str, value: Any, change: Change
) -> None:
    with acting(None, staging):
        draft, config = stored(kind, staging)
        saved = save_config(
            replace(draft, secrets={secret: value}), environment=staging, config=config
        )
        row = OAuthToken.objects.get(config=config)

    assert saved.change is change
    assert row.access_token is None
    kept = row.refresh_token.reveal() if row.refresh_token is not None else None
    grown = value if secret == "refresh_token" else None
    assert kept == ("planted-refresh" if change is ACCESS else grown)


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


def test_only_a_new_grant_takes_the_lease_of_a_refresh_away(staging: Environment) -> None:
    with acting(None, staging):
        draft, config = stored("client_credentials", staging)
        scoped = {**draft.options, "scope": "a"}
        assert edited(draft, config, staging, description="x").lease_owner is not None
        assert edited(draft, config, staging, options=scoped).lease_owner is not None
        lost = edited(draft, config, staging, options={**scoped, "client_id": "other"})

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


@pytest.mark.parametrize("scheduled", [None, timedelta(days=90)])
@pytest.mark.parametrize("refresh_token", ["planted-refresh", None])
def test_days_to_keep_alive_hold_for_the_token_that_is_stored(
    staging: Environment, scheduled: timedelta | None, refresh_token: str | None
) -> None:
    with acting(None, staging):
        draft, config = stored(CODE, staging, refresh_token=refresh_token)
        now = timezone.now()
        before = now + scheduled if scheduled else None
        OAuthToken.objects.update(obtained_at=now, refresh_after=before)
        row = edited(draft, config, staging, options={**draft.options, "keepalive_days": 30})

    kept = now + timedelta(days=27)
    assert row.refresh_after == (kept if refresh_token else before)


def test_days_to_keep_alive_never_put_off_what_is_due(staging: Environment) -> None:
    with acting(None, staging):
        draft, config = stored(CODE, staging)
        before = OAuthToken.objects.get().refresh_after
        OAuthToken.objects.update(obtained_at=timezone.now())
        row = edited(draft, config, staging, options={**draft.options, "keepalive_days": 30})

    assert row.refresh_after == before
