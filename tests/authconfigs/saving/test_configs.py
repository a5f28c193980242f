from dataclasses import replace

import pytest
from django.test import override_settings
from django.utils import timezone

from authconfigs.fields import Stored
from authconfigs.methods.base import Change
from authconfigs.models import AllowedOrigin, AuthConfig, Credential, OAuthToken
from authconfigs.saving import (
    ConfigDraft,
    EditConflict,
    InUse,
    InvalidDraft,
    current_credential,
    delete,
    draft_of,
    save_config,
    switch_config,
)
from tenants.models import AuditEvent, Environment, User
from tests.authconfigs.saving.drafts import acting, bearer, oauth
from tests.factories import (
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_tenant,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


@pytest.fixture
def ada(staging: Environment) -> User:
    return make_member(staging.tenant, username="ada@acme")


def fresh(config: AuthConfig) -> AuthConfig:
    return AuthConfig.objects.get(id=config.id)


def test_a_new_config_has_its_options_whole_and_its_secret_sealed(
    staging: Environment, ada: User
) -> None:
    with acting(ada, staging):
        saved = save_config(bearer(" planted-token\n"), environment=staging)
        credential = current_credential(fresh(saved.config))

    assert saved.created
    assert set(saved.fields) >= {"name", "method", "token"}
    assert saved.notes == ("White space around the token was removed.",)
    assert credential.options == {"header": "Authorization", "prefix": "Bearer"}
    assert credential.secrets.reveal() == {"token": "planted-token"}
    state = credential.secret_state["token"]
    assert state["by"] == str(ada.id)
    assert state["by_name"] == "ada@acme"
    assert state["fingerprint"].startswith("1:")
    assert "planted-token" not in str(credential.secret_state)


def test_a_config_has_a_token_row_exactly_when_its_method_uses_one(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(name="a"), environment=staging).config
        crm = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config
        assert list(OAuthToken.objects.values_list("config_id", flat=True)) == [crm.id]

        save_config(bearer(name="crm"), environment=staging, config=crm)
        save_config(
            replace(oauth(secrets={"client_secret": "s"}), name="a"),
            environment=staging,
            config=config,
        )

        assert list(OAuthToken.objects.values_list("config_id", flat=True)) == [config.id]


def test_what_lists_search_is_in_columns(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config

        assert fresh(config).client_id == "console"
        assert fresh(config).hosts == "auth.example.com"


def test_a_blank_secret_keeps_the_stored_one(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
        before = current_credential(config).secret_state
        saved = save_config(
            bearer(None, options={"prefix": "Token"}), environment=staging, config=config
        )
        credential = current_credential(fresh(config))

    assert saved.fields == ("prefix",)
    assert credential.secrets.reveal() == {"token": "planted-token"}
    assert credential.secret_state == before


def test_saving_what_is_stored_writes_nothing(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
        saved = save_config(bearer(), environment=staging, config=fresh(config))

        assert saved.fields == ()
        assert fresh(config).revision == 1
        assert AuditEvent.objects.count() == 1


def test_every_change_grows_the_revision(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
        saved = save_config(
            bearer(description="For invoices"), environment=staging, config=fresh(config)
        )

        assert saved.fields == ("description",)
        assert fresh(config).revision == 2
        assert fresh(config).token_revision == 1


def test_a_needed_secret_cannot_be_cleared(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
        with pytest.raises(InvalidDraft) as refused:
            save_config(
                bearer(None, cleared=frozenset({"token"})), environment=staging, config=config
            )

        assert list(refused.value.errors) == ["token"]
        assert fresh(config).revision == 1


def test_an_optional_secret_can_be_cleared(staging: Environment) -> None:
    basic = ConfigDraft(
        name="legacy", method="basic", options={"username": "svc"}, secrets={"password": "pw"}
    )
    with acting(None, staging):
        config = save_config(basic, environment=staging).config
        cleared = replace(basic, secrets={}, cleared=frozenset({"password"}))
        saved = save_config(cleared, environment=staging, config=config)
        credential = current_credential(fresh(config))

    assert saved.fields == ("password",)
    assert credential.secrets.reveal() == {}
    assert credential.secret_state == {}


def test_a_change_of_method_drops_the_secrets_of_the_old_one(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
        other = ConfigDraft(
            name="billing", method="api_key", options={"key": "X-Key"}, secrets={"value": "v"}
        )
        saved = save_config(other, environment=staging, config=config)
        credential = current_credential(fresh(config))

    assert "method" in saved.fields
    assert credential.options == {"key": "X-Key", "placement": "header"}
    assert credential.secrets.reveal() == {"value": "v"}
    assert set(credential.secret_state) == {"value"}


def test_errors_name_the_field_and_never_the_value(staging: Environment) -> None:
    with acting(None, staging), pytest.raises(InvalidDraft) as refused:
        save_config(bearer("plan\nted", name="Not a slug"), environment=staging)

    assert set(refused.value.errors) == {"name", "token"}
    assert "ted" not in str(refused.value.errors["token"])


def test_a_name_is_taken_per_environment(staging: Environment) -> None:
    production = make_environment(staging.tenant, "production", protected=True)
    with acting(None, staging):
        save_config(bearer(), environment=staging)
        save_config(bearer(), environment=production)
        other = save_config(bearer(name="other"), environment=staging).config

        with pytest.raises(InvalidDraft, match="already"):
            save_config(bearer(), environment=staging)
        with pytest.raises(InvalidDraft, match="already"):
            save_config(bearer(), environment=staging, config=other)


def test_saving_over_an_unseen_change_is_refused_and_says_by_whom(
    staging: Environment, ada: User
) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
        mine = fresh(config)
    with acting(ada, staging):
        save_config(bearer(description="hers"), environment=staging, config=config)
    with acting(None, staging):
        with pytest.raises(EditConflict, match=r"by ada@acme at .* open it again"):
            save_config(bearer(description="mine"), environment=staging, config=mine)

        assert fresh(config).description == "hers"
        assert AuditEvent.objects.count() == 2


def test_a_form_drawn_from_an_older_revision_is_refused(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
        save_config(bearer(description="a"), environment=staging, config=config)
        with pytest.raises(EditConflict):
            save_config(
                bearer(description="b"),
                environment=staging,
                config=fresh(config),
                seen_revision=1,
            )


def test_the_trail_names_fields_and_holds_no_value(staging: Environment, ada: User) -> None:
    with acting(ada, staging):
        config = save_config(bearer(), environment=staging).config
        save_config(bearer("planted-second"), environment=staging, config=config)
        event = AuditEvent.objects.filter(action="change").get()

    assert event.actor == "ada@acme"
    assert event.fields == ["token"]
    assert event.environment == "staging"


def test_unreadable_secrets_stay_untouched_until_all_are_typed_again(
    staging: Environment,
) -> None:
    password = oauth("password", secrets={"client_secret": "s", "password": "p"})
    with acting(None, staging):
        config = save_config(password, environment=staging).config
        broken = b"\x01\x00\x00\x00\x01broken"
        rows = Credential.objects.filter(config=config)
        rows.update(secrets=Stored(broken))

        save_config(
            replace(password, secrets={}, description="x"),
            environment=staging,
            config=fresh(config),
        )
        with pytest.raises(InvalidDraft, match="can't be decrypted"):
            save_config(
                replace(password, secrets={"password": "q"}, description="x"),
                environment=staging,
                config=fresh(config),
            )
        assert rows.get().secrets.ciphertext == broken

        both = replace(password, secrets={"client_secret": "t", "password": "q"}, description="x")
        save_config(both, environment=staging, config=fresh(config))
        assert current_credential(fresh(config)).secrets.reveal() == both.secrets


@override_settings(OAUTH_PASSWORD_GRANT=False)
def test_a_method_that_is_switched_off_is_not_saved(staging: Environment) -> None:
    with acting(None, staging), pytest.raises(InvalidDraft, match="switched off"):
        save_config(oauth("password", secrets={"password": "p"}), environment=staging)


def test_a_config_is_switched_off_and_on(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
        switch_config(config, disabled=True)
        assert fresh(config).disabled_at is not None
        switch_config(config, disabled=False)

        assert fresh(config).disabled_at is None
        assert fresh(config).revision == 3


def test_what_is_used_is_not_deleted_and_its_users_are_named(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(bearer(), environment=staging).config
    integration = make_integration(staging.tenant, "invoices")
    make_connection(integration, staging, config)
    make_connection(integration, staging, config, name="eu")
    with acting(None, staging):
        with pytest.raises(InUse) as refused:
            delete(config)
        assert refused.value.users == [
            "connection invoices (staging)",
            "connection invoices:eu (staging)",
        ]
        with pytest.raises(InUse, match=r"auth config billing \(staging\), connection invoices"):
            delete(staging)
        with pytest.raises(InUse, match=r"connection invoices \(staging\)"):
            delete(integration)
        assert not AuditEvent.objects.filter(action="delete").exists()


def test_an_unused_config_is_deleted(staging: Environment) -> None:
    with acting(None, staging):
        config = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config
        delete(config)

        assert not AuthConfig.objects.exists()
        assert not OAuthToken.objects.exists()
        assert not AllowedOrigin.objects.exists()
        assert AuditEvent.objects.get(action="delete").object_name == "crm"


def test_a_draft_of_a_config_changes_nothing(staging: Environment, ada: User) -> None:
    wanted = bearer(description="x", owner=ada, rotate_by=timezone.now().date())
    with acting(None, staging):
        config = save_config(wanted, environment=staging).config

        assert save_config(draft_of(config), environment=staging, config=config).fields == ()
        assert save_config(bearer(), environment=staging, config=config).change is Change.NOTHING
