"""The editor-of-staging attack: a credential must not reach an API that it wasn't entered for."""

from dataclasses import replace

import pytest

from authconfigs import origins
from authconfigs.methods.base import Change
from authconfigs.models import AllowedOrigin, AuthConfig, OAuthToken
from authconfigs.origins import ADMIN_ONLY, TYPE_AGAIN
from authconfigs.saving import EditConflict, InvalidDraft, current_credential, save_config
from integrations.models import Connection, Integration
from integrations.saving import (
    ConnectionDraft,
    SavedConnection,
    delete_connection,
    save_connection,
)
from tenants.models import Environment, User
from tenants.roles import Role
from tests.authconfigs.saving.drafts import acting, bearer, oauth, plant_token
from tests.factories import make_environment, make_integration, make_member, make_tenant

pytestmark = pytest.mark.django_db

VENDOR = "https://api.example.com/v1"
HERS = "https://editor.example.net/collect"


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


@pytest.fixture
def billing(staging: Environment) -> Integration:
    return make_integration(staging.tenant)


@pytest.fixture
def editor(staging: Environment) -> User:
    return make_member(staging.tenant, Role.EDITOR)


@pytest.fixture
def admin(staging: Environment) -> User:
    return make_member(staging.tenant, Role.ADMIN)


def draft(config: AuthConfig | None, url: str = VENDOR, **fields: object) -> ConnectionDraft:
    wanted = ConnectionDraft(name="default", base_url=url, auth_config=config)
    return replace(wanted, **fields)  # type: ignore[arg-type]


def save(
    wanted: ConnectionDraft,
    billing: Integration,
    staging: Environment,
    connection: Connection | None = None,
    **who: bool,
) -> SavedConnection:
    return save_connection(
        wanted, integration=billing, environment=staging, connection=connection, **who
    )


def api_origins(config: AuthConfig) -> set[str]:
    rows = AllowedOrigin.objects.filter(config=config, purpose="api")
    return set(rows.values_list("origin", flat=True))


def test_a_first_connection_by_whoever_set_the_secrets_lists_its_origin(
    staging: Environment, billing: Integration, editor: User
) -> None:
    with acting(editor, staging):
        config = save_config(bearer(), environment=staging).config
        saved = save(draft(config), billing, staging)

        assert saved.added_origins == ("https://api.example.com",)
        assert api_origins(config) == {"https://api.example.com"}
        config.refresh_from_db()
        assert config.hosts == "api.example.com"


def test_an_editor_cannot_point_a_connection_at_another_origin(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(admin, staging):
        config = save_config(bearer(), environment=staging).config
        connection = save(draft(config), billing, staging).connection
    with acting(editor, staging):
        with pytest.raises(InvalidDraft) as refused:
            save(draft(config, HERS), billing, staging, connection)

        assert refused.value.errors["token"] == [TYPE_AGAIN]
        connection.refresh_from_db()
        assert connection.base_url == VENDOR
        assert api_origins(config) == {"https://api.example.com"}


def test_an_editor_cannot_attach_a_colleagues_unattached_config(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(admin, staging):
        config = save_config(bearer(), environment=staging).config
    with acting(editor, staging):
        with pytest.raises(InvalidDraft, match=TYPE_AGAIN):
            save(draft(config, HERS), billing, staging)

        assert api_origins(config) == set()
        assert not Connection.objects.exists()


def test_an_editor_cannot_add_a_second_connection_elsewhere(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(admin, staging):
        config = save_config(bearer(), environment=staging).config
        save(draft(config), billing, staging)
    with acting(editor, staging):
        with pytest.raises(InvalidDraft, match=TYPE_AGAIN):
            save(draft(config, HERS, name="hers"), billing, staging)

        save(draft(config, f"{VENDOR}/v2", name="second"), billing, staging)


def test_setting_one_of_two_secrets_is_not_setting_them_all(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(admin, staging):
        whole = oauth("password", secrets={"client_secret": "s", "password": "p"})
        config = save_config(whole, environment=staging).config
    with acting(editor, staging):
        save_config(
            replace(whole, secrets={"client_secret": "hers"}), environment=staging, config=config
        )
        with pytest.raises(InvalidDraft, match=TYPE_AGAIN):
            save(draft(config, HERS), billing, staging)


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_is_not_typing_the_secret_again(
    staging: Environment, billing: Integration, editor: User, admin: User, blank: str
) -> None:
    with acting(admin, staging):
        config = save_config(bearer(), environment=staging).config
        connection = save(draft(config), billing, staging).connection
    with acting(editor, staging):
        with pytest.raises(InvalidDraft, match=TYPE_AGAIN):
            save(draft(config, HERS, secrets={"token": blank}), billing, staging, connection)
        with pytest.raises(InvalidDraft):
            save(draft(config, HERS, secrets={"other": "x"}), billing, staging, connection)

        assert api_origins(config) == {"https://api.example.com"}


def test_typing_the_secret_again_moves_the_connection_and_keeps_what_is_stored(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(admin, staging):
        config = save_config(bearer(), environment=staging).config
        connection = save(draft(config), billing, staging).connection
    with acting(editor, staging):
        wanted = draft(config, HERS, secrets={"token": "planted-token"})
        saved = save(wanted, billing, staging, connection)

        assert saved.change is Change.NOTHING
        assert api_origins(config) == {"https://editor.example.net"}
        config.refresh_from_db()
        assert config.revision == 1
        assert config.hosts == "editor.example.net"


def test_a_guess_at_the_secret_replaces_it_and_is_a_new_grant(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(admin, staging):
        config = save_config(oauth(secrets={"client_secret": "s"}), environment=staging).config
        connection = save(draft(config), billing, staging).connection
        plant_token(config)
    with acting(editor, staging):
        wanted = draft(config, HERS, secrets={"client_secret": "guess"})
        saved = save(wanted, billing, staging, connection)

        assert saved.change is Change.NEW_GRANT
        row = OAuthToken.objects.get(config=config)
        assert row.access_token is None
        assert row.refresh_token is None
        config = AuthConfig.objects.get(id=config.id)
        assert current_credential(config).secrets.reveal() == {"client_secret": "guess"}


def test_an_origin_that_was_left_is_a_new_one_again(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(editor, staging):
        config = save_config(bearer("dummy"), environment=staging).config
        connection = save(draft(config, HERS), billing, staging).connection
        save(draft(config, secrets={"token": "dummy"}), billing, staging, connection)
        assert api_origins(config) == {"https://api.example.com"}
    with acting(admin, staging):
        real = bearer("planted-token")
        save_config(real, environment=staging, config=config, confirms_origins=True)
    with acting(editor, staging), pytest.raises(InvalidDraft, match=TYPE_AGAIN):
        save(draft(config, HERS), billing, staging, connection)


def test_an_origin_stays_listed_while_another_connection_leads_there(
    staging: Environment, billing: Integration, editor: User
) -> None:
    with acting(editor, staging):
        config = save_config(bearer(), environment=staging).config
        first = save(draft(config), billing, staging).connection
        second = save(draft(config, name="second"), billing, staging).connection
        delete_connection(second)
        assert api_origins(config) == {"https://api.example.com"}
        save(draft(None), billing, staging, first)

        assert api_origins(config) == set()


def test_without_a_secret_whoever_made_the_config_attaches_it_first(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(editor, staging):
        config = save_config(oauth(client_auth="none"), environment=staging).config
    other = make_member(staging.tenant, Role.EDITOR, username="other@acme")
    with acting(other, staging), pytest.raises(InvalidDraft) as refused:
        save(draft(config, HERS), billing, staging)
    assert refused.value.errors == {"base_url": [ADMIN_ONLY]}

    with acting(editor, staging):
        connection = save(draft(config), billing, staging).connection
        with pytest.raises(InvalidDraft, match=ADMIN_ONLY):
            save(draft(config, HERS), billing, staging, connection)
    with acting(admin, staging):
        save(draft(config, HERS), billing, staging, connection, as_admin=True)
        assert api_origins(config) == {"https://editor.example.net"}


def test_with_a_persons_consent_stored_only_an_admin_leads_it_anywhere(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(editor, staging):
        wanted = oauth("authorization_code", secrets={"client_secret": "s"})
        config = save_config(wanted, environment=staging).config
        plant_token(config)
        with pytest.raises(InvalidDraft, match=ADMIN_ONLY):
            save(draft(config, HERS, secrets={"client_secret": "s"}), billing, staging)
    with acting(admin, staging):
        with pytest.raises(InvalidDraft, match=TYPE_AGAIN):
            save(draft(config), billing, staging, as_admin=True)
        save(draft(config, secrets={"client_secret": "s"}), billing, staging, as_admin=True)
        assert api_origins(config) == {"https://api.example.com"}


def test_a_secret_that_was_replaced_meanwhile_goes_nowhere_new(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(editor, staging):
        config = save_config(bearer("dummy"), environment=staging).config
        seen = AuthConfig.objects.prefetch_related("credentials").get(id=config.id)
    with acting(admin, staging):
        save_config(bearer("planted-token"), environment=staging, config=config)
    with acting(editor, staging):
        with pytest.raises(EditConflict):
            save(draft(seen, HERS), billing, staging)

        assert api_origins(config) == set()
        assert not Connection.objects.exists()


def test_a_file_widens_the_list(staging: Environment, billing: Integration, admin: User) -> None:
    with acting(admin, staging):
        config = save_config(bearer(), environment=staging).config
    with acting(None, staging):
        saved = save(draft(config, HERS), billing, staging, widen_origins=True)

        assert saved.added_origins == ("https://editor.example.net",)


def test_a_demand_tells_a_form_what_to_ask_for(
    staging: Environment, editor: User, admin: User
) -> None:
    with acting(admin, staging):
        config = save_config(bearer(), environment=staging).config
    with acting(editor, staging):
        asked = origins.demand(
            config,
            current_credential(config),
            origin="https://editor.example.net",
            purpose=origins.Purpose.API,
        )

    assert asked == origins.Demand(secrets=("token",), admin=False)


def test_an_origin_listed_over_a_worthless_secret_doesnt_get_the_next_one(
    staging: Environment, billing: Integration, editor: User, admin: User
) -> None:
    with acting(admin, staging):
        config = save_config(bearer("real"), environment=staging).config
    with acting(editor, staging):
        save(draft(config, HERS, secrets={"token": "worthless"}), billing, staging)
        config = AuthConfig.objects.get(id=config.id)
    with acting(admin, staging), pytest.raises(InvalidDraft, match="added by editor"):
        save_config(bearer("real"), environment=staging, config=config)
