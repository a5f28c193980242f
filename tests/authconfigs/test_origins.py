"""A secret goes only to the origins that it was entered for: token endpoints. APIs: tests/integrations/saving."""

from dataclasses import replace
from typing import Any

import pytest

from authconfigs import origins
from authconfigs.methods.base import Change
from authconfigs.models import AllowedOrigin, AuthConfig, OAuthToken
from authconfigs.origins import ADMIN_ONLY, TYPE_AGAIN
from authconfigs.saving import InvalidDraft, current_credential, save_config
from tenants.models import Environment, User
from tenants.roles import Role
from tests.authconfigs.saving.drafts import TOKEN_URL, acting, oauth, plant_token
from tests.factories import make_environment, make_member, make_tenant

pytestmark = pytest.mark.django_db

ELSEWHERE = "https://editor.example.net/token"
TOKEN = origins.Purpose.TOKEN


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


@pytest.fixture
def editor(staging: Environment) -> User:
    return make_member(staging.tenant, Role.EDITOR)


def listed(config: AuthConfig) -> list[tuple[str, str]]:
    return list(
        AllowedOrigin.objects.filter(config=config)
        .order_by("origin")
        .values_list("purpose", "origin")
    )


def test_a_new_config_lists_the_origin_of_its_token_url(staging: Environment, editor: User) -> None:
    with acting(editor, staging):
        saved = save_config(oauth(secrets={"client_secret": "s"}), environment=staging)

        assert saved.added_origins == ("https://auth.example.com",)
        assert listed(saved.config) == [("token", "https://auth.example.com")]
        assert AllowedOrigin.objects.get().added_by == editor.username


def test_another_path_asks_for_nothing(staging: Environment, editor: User) -> None:
    draft = oauth(secrets={"client_secret": "s"})
    with acting(None, staging):
        config = save_config(draft, environment=staging).config
    with acting(editor, staging):
        save_config(
            oauth(token_url="https://AUTH.example.com:443/v2"), environment=staging, config=config
        )
        assert listed(config) == [("token", "https://auth.example.com")]


def test_an_editor_cannot_point_the_token_url_at_another_origin(
    staging: Environment, editor: User
) -> None:
    draft = oauth("password", secrets={"client_secret": "s", "password": "p"})
    with acting(None, staging):
        config = save_config(draft, environment=staging).config
    with acting(editor, staging):
        for secrets in ({}, {"password": "p"}, {"client_secret": "s"}, {"client_secret": " "}):
            with pytest.raises(InvalidDraft) as refused:
                save_config(
                    oauth("password", secrets=secrets, token_url=ELSEWHERE),
                    environment=staging,
                    config=config,
                )
            typed = {name for name, secret in secrets.items() if secret.strip()}
            missing = {"client_secret", "password"} - typed
            assert set(refused.value.errors) == {"token_url", *missing}
            assert all(refused.value.errors[name] == [TYPE_AGAIN] for name in missing)
        config.refresh_from_db()
        assert config.revision == 1
        assert listed(config) == [("token", "https://auth.example.com")]


@pytest.mark.parametrize("field", ["refresh_url", "revocation_url"])
def test_every_url_that_secrets_go_to_asks_for_them_again(
    staging: Environment, editor: User, field: str
) -> None:
    with acting(None, staging):
        draft = oauth("authorization_code", secrets={"client_secret": "s"})
        config = save_config(draft, environment=staging).config
    there: dict[str, Any] = {field: ELSEWHERE}
    with acting(editor, staging):
        with pytest.raises(InvalidDraft) as refused:
            save_config(oauth("authorization_code", **there), environment=staging, config=config)
        assert set(refused.value.errors) == {field, "client_secret"}

        saved = save_config(
            oauth("authorization_code", secrets={"client_secret": "s"}, **there),
            environment=staging,
            config=config,
        )
        assert saved.change is Change.NEW_GRANT
        assert ("token", "https://editor.example.net") in listed(config)
        near: dict[str, Any] = {field: "https://auth.example.com/other"}
        save_config(oauth("authorization_code", **near), environment=staging, config=config)
        assert listed(config) == [("token", "https://auth.example.com")]


def test_an_admin_is_asked_for_the_secrets_too(staging: Environment) -> None:
    admin = make_member(staging.tenant, Role.ADMIN)
    with acting(admin, staging):
        config = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config
        with pytest.raises(InvalidDraft, match=TYPE_AGAIN):
            save_config(
                oauth(token_url=ELSEWHERE), environment=staging, config=config, as_admin=True
            )


def test_whoever_types_every_secret_again_may_move_the_token_url(
    staging: Environment, editor: User
) -> None:
    draft = oauth(secrets={"client_secret": "s"})
    with acting(None, staging):
        config = save_config(draft, environment=staging).config
        plant_token(config)
    with acting(editor, staging):
        saved = save_config(
            oauth(secrets={"client_secret": "s"}, token_url=ELSEWHERE),
            environment=staging,
            config=config,
        )

        assert saved.change is Change.NEW_GRANT
        assert saved.added_origins == ("https://editor.example.net",)
        assert listed(config) == [("token", "https://editor.example.net")]
        assert OAuthToken.objects.get().access_token is None


def test_an_origin_that_was_given_up_is_a_new_one_again(staging: Environment, editor: User) -> None:
    """Else an editor lists an own origin while the config holds nothing of worth, and comes back to it later."""
    with acting(editor, staging):
        config = save_config(
            oauth(secrets={"client_secret": "dummy"}, token_url=ELSEWHERE), environment=staging
        ).config
        save_config(oauth(secrets={"client_secret": "dummy"}), environment=staging, config=config)
    with acting(make_member(staging.tenant, Role.ADMIN), staging):
        save_config(
            oauth(secrets={"client_secret": "real"}),
            environment=staging,
            config=config,
            confirms_origins=True,
        )
    with acting(editor, staging), pytest.raises(InvalidDraft, match=TYPE_AGAIN):
        save_config(oauth(token_url=ELSEWHERE), environment=staging, config=config)


def test_without_a_secret_to_type_only_an_admin_may_move_the_token_url(
    staging: Environment, editor: User
) -> None:
    with acting(editor, staging):
        config = save_config(oauth(client_auth="none"), environment=staging).config
        moved = oauth(client_auth="none", token_url=ELSEWHERE)
        with pytest.raises(InvalidDraft) as refused:
            save_config(moved, environment=staging, config=config)
        assert refused.value.errors == {"token_url": [ADMIN_ONLY]}

        save_config(moved, environment=staging, config=config, as_admin=True)
        assert listed(config) == [("token", "https://editor.example.net")]


def test_an_editor_cannot_clear_the_secret_and_move_the_token_url_in_one_step(
    staging: Environment, editor: User
) -> None:
    with acting(None, staging):
        config = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config
    moved = replace(oauth(token_url=ELSEWHERE), cleared=frozenset({"client_secret"}))
    with acting(editor, staging):
        with pytest.raises(InvalidDraft) as refused:
            save_config(moved, environment=staging, config=config)
        assert refused.value.errors == {"token_url": [ADMIN_ONLY]}
        save_config(moved, environment=staging, config=config, as_admin=True)


def test_a_new_secret_goes_only_to_origins_that_whoever_types_it_knows(
    staging: Environment, editor: User
) -> None:
    admin = make_member(staging.tenant, Role.ADMIN)
    own, worthless, real, next_one = (
        oauth(secrets={"client_secret": secret}, token_url=url)
        for secret, url in (
            ("own", TOKEN_URL),
            ("worthless", ELSEWHERE),
            ("real", ELSEWHERE),
            ("next", ELSEWHERE),
        )
    )
    with acting(admin, staging):
        config = save_config(own, environment=staging).config
        save_config(
            replace(own, secrets={"client_secret": "mine"}), environment=staging, config=config
        )
    with acting(editor, staging):
        save_config(worthless, environment=staging, config=config)
    with acting(admin, staging):
        before = current_credential(config).secret_state
        with pytest.raises(InvalidDraft, match="added by editor") as refused:
            save_config(real, environment=staging, config=config)
        assert set(refused.value.errors) == {"confirm_origins"}
        assert current_credential(config).secret_state == before
        config.refresh_from_db()
        save_config(
            replace(worthless, description="No secret changes."), environment=staging, config=config
        )
        save_config(real, environment=staging, config=config, confirms_origins=True)
        save_config(next_one, environment=staging, config=config)
    another = make_member(staging.tenant, Role.ADMIN, username="another")
    with acting(another, staging), pytest.raises(InvalidDraft, match="added by editor"):
        save_config(real, environment=staging, config=config)
    with acting(None, staging):
        save_config(real, environment=staging, config=AuthConfig.objects.get())


def test_with_a_persons_consent_stored_only_an_admin_may_move_the_token_url(
    staging: Environment, editor: User
) -> None:
    draft = oauth("authorization_code", secrets={"client_secret": "s"})
    moved = replace(draft, options={**draft.options, "token_url": ELSEWHERE})
    with acting(editor, staging):
        config = save_config(draft, environment=staging).config
        plant_token(config)
        with pytest.raises(InvalidDraft) as refused:
            save_config(moved, environment=staging, config=config)
        assert refused.value.errors == {"token_url": [ADMIN_ONLY]}

        saved = save_config(moved, environment=staging, config=config, as_admin=True)
        assert saved.change is Change.NEW_GRANT
        assert OAuthToken.objects.get().refresh_token is None


def test_a_file_widens_the_list(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config
        saved = save_config(
            oauth(token_url=ELSEWHERE), environment=staging, config=config, widen_origins=True
        )

        assert saved.added_origins == ("https://editor.example.net",)
        assert listed(config) == [("token", "https://editor.example.net")]


def test_another_method_asks_for_its_own_secrets_and_sends_none_of_the_old_ones(
    staging: Environment, editor: User
) -> None:
    with acting(None, staging):
        config = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config
    with acting(editor, staging):
        hers = oauth(
            "password", secrets={"client_secret": "t", "password": "q"}, token_url=ELSEWHERE
        )
        save_config(hers, environment=staging, config=config)

        assert listed(config) == [("token", "https://editor.example.net")]
        secrets = config.credentials.get().secrets.reveal()
        assert secrets == {"client_secret": "t", "password": "q"}


def test_a_client_secret_never_goes_to_an_api(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config

        assert origins.listed(config, TOKEN) == {"https://auth.example.com"}
        assert origins.listed(config, origins.Purpose.API) == frozenset()
        assert TOKEN_URL.startswith("https://auth.example.com/")
