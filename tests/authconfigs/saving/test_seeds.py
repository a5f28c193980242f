"""A refresh token that is pasted in: where a stored token begins, and never where it ends."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from authconfigs.models import AuthConfig, DataKey, OAuthToken, TokenEvent
from authconfigs.saving import SavedConfig, current_credential, draft_of, save_config
from tenants.models import Environment
from tests.authconfigs.saving.drafts import acting, oauth
from tests.factories import make_environment, make_member, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


def seeded(staging: Environment, seed: str = "seed-1", **options: Any) -> AuthConfig:
    draft = oauth(
        "authorization_code", secrets={"client_secret": "s", "refresh_token": seed}, **options
    )
    return save_config(draft, environment=staging).config


def rotate(config: AuthConfig) -> None:
    """The provider has given another one since."""
    row = OAuthToken.objects.get(config=config)
    row.access_token, row.refresh_token = "live-access", "live-refresh"
    row.state, row.generation, row.refresh_after = OAuthToken.State.VALID, 1, None
    row.save()


def edited(config: AuthConfig, staging: Environment, **changes: Any) -> SavedConfig:
    fresh = AuthConfig.objects.select_related("environment").get(id=config.id)
    draft = replace(draft_of(fresh), **changes)
    return save_config(draft, environment=staging, config=fresh, widen_origins=True)


def tokens(config: AuthConfig) -> tuple[str | None, str | None]:
    row = OAuthToken.objects.get(config=config)
    return tuple(
        None if sealed is None else sealed.reveal()
        for sealed in (row.access_token, row.refresh_token)
    )  # type: ignore[return-value]


def test_a_pasted_refresh_token_is_due_at_once_and_says_whose_it_is(staging: Environment) -> None:
    ann = make_member(staging.tenant, username="ann")
    with acting(ann, staging):
        config = seeded(staging)
        row = OAuthToken.objects.get(config=config)
        (event,) = TokenEvent.objects.all()

    assert (row.state, row.access_token) == ("empty", None)
    assert row.refresh_token is not None
    assert row.refresh_token.reveal() == "seed-1"
    assert row.refresh_after is not None
    assert row.connected_at is not None
    assert abs((row.refresh_after - timezone.now()).total_seconds()) < 10
    assert abs((row.connected_at - timezone.now()).total_seconds()) < 10
    assert row.connected_by == "ann"
    assert (event.kind, event.state, event.actor) == ("connected", "empty", "ann")


def test_another_seed_takes_the_place_of_whatever_is_stored(staging: Environment) -> None:
    with acting(None, staging):
        config = seeded(staging)
        rotate(config)
        saved = edited(config, staging, secrets={"refresh_token": "seed-2"})
        row = OAuthToken.objects.get(config=config)

        assert saved.fields == ("refresh_token",)
        assert tokens(config) == (None, "seed-2")
        assert row.token_revision == saved.config.token_revision == 2
        assert row.refresh_after is not None
        assert row.lease_owner is None


@pytest.mark.parametrize("rotates", [False, True], ids=["same key", "after a rotation"])
@pytest.mark.parametrize("change", [{}, {"description": "edited"}])
def test_the_same_seed_never_overwrites_the_live_token(
    staging: Environment, rotates: bool, change: dict[str, Any]
) -> None:
    with acting(None, staging):
        config = seeded(staging)
        rotate(config)
    if rotates:
        call_command("rotate_encryption_keys", "--data-keys", verbosity=0)
    with acting(None, staging):
        saved = edited(config, staging, secrets={"refresh_token": " seed-1\n"}, **change)

        assert saved.fields == tuple(change)
        assert tokens(config) == ("live-access", "live-refresh")
        assert saved.config.token_revision == 1


def test_the_same_seed_is_not_sent_to_another_origin(staging: Environment) -> None:
    with acting(None, staging):
        config = seeded(staging)
        options = {**current_credential(config).options, "token_url": "https://b.example.com/t"}
        saved = edited(
            config,
            staging,
            options=options,
            secrets={"client_secret": "s", "refresh_token": "seed-1"},
        )

        assert tokens(config) == (None, None)
    assert any("paste another one, or connect" in note for note in saved.notes)


def test_a_seed_that_is_cleared_leaves_what_grew_from_it(staging: Environment) -> None:
    with acting(None, staging):
        config = seeded(staging)
        rotate(config)
        saved = edited(config, staging, cleared=frozenset({"refresh_token"}))

        assert saved.fields == ("refresh_token",)
        assert tokens(config) == ("live-access", "live-refresh")
        assert set(current_credential(saved.config).secret_state) == {"client_secret"}


@pytest.mark.parametrize("rotates", [False, True], ids=["same key", "after a rotation"])
def test_a_seed_that_was_cleared_and_is_pasted_again_leaves_what_grew_from_it(
    staging: Environment, rotates: bool
) -> None:
    with acting(None, staging):
        config = seeded(staging)
        rotate(config)
        edited(config, staging, cleared=frozenset({"refresh_token"}))
    if rotates:
        call_command("rotate_encryption_keys", "--data-keys", verbosity=0)
        DataKey.objects.filter(retired_at__isnull=False).delete()
    with acting(None, staging):
        saved = edited(config, staging, secrets={"refresh_token": "seed-1"})
        assert saved.fields == ()
        assert tokens(config) == ("live-access", "live-refresh")

        edited(config, staging, secrets={"refresh_token": "seed-2"})
        assert tokens(config) == (None, "seed-2")


def test_a_seed_that_was_cleared_is_nowhere_any_more(staging: Environment) -> None:
    with acting(None, staging):
        config = seeded(staging)
        rotate(config)
        edited(config, staging, cleared=frozenset({"refresh_token"}))
        row = OAuthToken.objects.get(config=config)
        held = [
            current_credential(config).secrets,
            row.access_token,
            row.refresh_token,
            row.seed_digest,
        ]
        assert not any("seed-1" in str(sealed.reveal()) for sealed in held)


def test_a_seed_takes_root_again_where_nothing_of_it_is_stored(staging: Environment) -> None:
    with acting(None, staging):
        config = seeded(staging)
        rotate(config)
        options = {**current_credential(config).options, "client_id": "another"}
        edited(config, staging, options=options, cleared=frozenset({"refresh_token"}))
        assert tokens(config) == (None, None)
        edited(config, staging, secrets={"refresh_token": "seed-1"})
        assert tokens(config) == (None, "seed-1")


def test_an_edit_of_something_else_leaves_the_live_token(staging: Environment) -> None:
    with acting(None, staging):
        config = seeded(staging)
        rotate(config)
        edited(config, staging, secrets={"client_secret": "another"})

        assert tokens(config) == (None, "live-refresh")
