"""Secrets that are mappings: what is kept, what is told of each name, and who is said to have set them."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from authconfigs.fields import seal
from authconfigs.models import AuthConfig, Credential, OAuthToken
from authconfigs.saving import InvalidDraft, SavedConfig, current_credential, draft_of, save_config
from tenants.models import Environment, User
from tests.authconfigs.saving.drafts import acting, oauth, plant_token
from tests.factories import make_environment, make_member, make_tenant

pytestmark = pytest.mark.django_db

PARAMS = {"key": "planted-key", "realm": ["planted-a", "planted-b"]}


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


def stored(staging: Environment) -> AuthConfig:
    secrets = {"client_secret": "s", "secret_token_params": PARAMS}
    return save_config(oauth(secrets=secrets), environment=staging).config


def edited(config: AuthConfig, staging: Environment, params: Any, **draft: Any) -> SavedConfig:
    fresh = AuthConfig.objects.get(id=config.id)
    wanted = replace(draft_of(fresh, secrets={"secret_token_params": params}), **draft)
    return save_config(wanted, environment=staging, config=fresh)


def state(config: AuthConfig) -> Any:
    return Credential.objects.get(config=config).secret_state["secret_token_params"]


def people(staging: Environment) -> tuple[User, User]:
    ann, bob = (make_member(staging.tenant, username=name) for name in ("ann", "bob"))
    return ann, bob


def test_each_name_tells_who_set_it_and_how_many_values_it_has(staging: Environment) -> None:
    ann, bob = people(staging)
    with acting(ann, staging):
        config = stored(staging)
        whole = state(config)
        plant_token(config)
    with acting(bob, staging):
        saved = edited(config, staging, '{"key": null, "realm": "planted-c"}')
        part = state(config)
        row = OAuthToken.objects.get(config=config)

    assert {name: known["by_name"] for name, known in whole["keys"].items()} == {
        "key": "ann",
        "realm": "ann",
    }
    assert "values" not in whole["keys"]["key"]
    assert whole["keys"]["realm"]["values"] == 2
    assert whole["by"] == str(ann.id)
    assert part["keys"]["key"] == whole["keys"]["key"]
    assert (part["keys"]["realm"]["by_name"], part["keys"]["realm"].get("values")) == ("bob", None)
    # Bob can't claim what Ann typed.
    assert part["by"] == ""
    assert "planted" not in str(part)
    assert saved.fields == ("secret_token_params",)
    assert row.access_token is None
    assert row.refresh_token is not None
    with acting(None, staging):
        assert current_credential(saved.config).secrets.reveal()["secret_token_params"] == {
            "key": "planted-key",
            "realm": "planted-c",
        }


def test_names_that_all_keep_their_values_change_nothing(staging: Environment) -> None:
    with acting(None, staging):
        config = stored(staging)
        assert edited(config, staging, {"realm": None, "key": None}).fields == ()


def test_a_new_origin_wants_every_name_typed_again(staging: Environment) -> None:
    ann, _ = people(staging)
    with acting(ann, staging):
        config = stored(staging)
        options = {**current_credential(config).options, "token_url": "https://b.example.com/t"}
        secrets: dict[str, Any] = {
            "client_secret": "s",
            "secret_token_params": {**PARAMS, "key": None},
        }
        with pytest.raises(InvalidDraft) as refused:
            edited(config, staging, {}, options=options, secrets=secrets)
        assert set(refused.value.errors) == {"token_url", "secret_token_params"}

        secrets["secret_token_params"] = PARAMS
        saved = edited(config, staging, {}, options=options, secrets=secrets)
    assert saved.added_origins == ("https://b.example.com",)


def test_what_can_not_be_opened_is_typed_again_whole(staging: Environment) -> None:
    with acting(None, staging):
        config = stored(staging)
        column = Credential._meta.get_field("secrets")
        of_another_row = seal(column, PARAMS, tenant_id=config.tenant_id, row_id=uuid4())
        Credential.objects.filter(config=config).update(secrets=of_another_row)

        with pytest.raises(InvalidDraft, match="type all of it again"):
            edited(config, staging, {"key": None, "realm": "x"})
