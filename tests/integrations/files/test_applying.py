from pathlib import Path
from typing import Any

import pytest
from django.db import connection as db_connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from authconfigs.models import AllowedOrigin, AuthConfig, OAuthToken
from authconfigs.saving import current_credential
from integrations.models import Connection, Integration
from tenants.models import AuditEvent, Environment, Tenant
from tenants.scope import tenant_scope, unscoped
from tests.authconfigs.saving.drafts import plant_token
from tests.integrations.files.applied import (
    apply_file,
    apply_tenant,
    basic,
    with_config,
    with_connection,
    with_integration,
)

pytestmark = pytest.mark.django_db

SCOPED = (Environment, AuthConfig, Integration, Connection, AllowedOrigin, AuditEvent)


def everything() -> list[dict[str, Any]]:
    with unscoped("a test compares all rows"):
        models: tuple[type[Model], ...] = (Tenant, *SCOPED)
        return [row for model in models for row in model._default_manager.order_by("pk").values()]


def config(name: str = "billing") -> AuthConfig:
    with unscoped("a test looks at one row"):
        return AuthConfig.objects.select_related("environment").get(name=name)


def secrets(name: str = "billing") -> dict[str, Any]:
    with unscoped("a test looks at one row"):
        stored: dict[str, Any] = current_credential(config(name)).secrets.reveal()
        return stored


def connection(name: str = "default") -> Connection:
    with unscoped("a test looks at one row"):
        return Connection.objects.select_related("revision", "auth_config").get(name=name)


def test_a_file_makes_what_it_describes(tmp_path: Path) -> None:
    run = apply_tenant(tmp_path, basic())

    assert run.code == 0
    assert run.lines == [
        "+ tenant acme: name",
        "+ environment acme/staging (staging): name, protected",
        "+ environment acme/production (production): name, protected",
        "+ auth config acme/billing (staging): name, method, key, placement, value",
        "+ integration acme/billing: slug, name, headers, query",
        "+ connection acme/billing (staging): base_url, auth_config, revision, timeout, test_path, test_expect",
        "+ origin acme/billing (staging): api https://api.example.com",
    ]
    assert run.stderr == ""
    assert secrets() == {"value": "planted-key"}
    assert connection().auth_config == config()
    assert connection().test_expect == [200]
    with unscoped("a test looks at all rows"):
        assert Environment.objects.get(slug="production").protected


def test_applying_it_again_changes_nothing(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    before = everything()
    run = apply_tenant(tmp_path, basic())

    assert (run.code, run.stdout) == (0, "nothing to do\n")
    assert everything() == before


def test_the_document_of_a_change(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    run = apply_tenant(tmp_path, with_config(description="For invoices"), "--json")

    assert run.document == {
        "ok": True,
        "changed": True,
        "changes": [
            {
                "action": "update",
                "kind": "auth_config",
                "name": "acme/billing",
                "environment": "staging",
                "fields": ["description"],
            }
        ],
        "errors": [],
    }


def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    dry = apply_tenant(tmp_path, basic(), "--dry-run", "--json")

    assert everything() == []
    assert dry.document == apply_tenant(tmp_path, basic(), "--json").document
    assert apply_tenant(tmp_path, basic(), "--dry-run").stdout == "nothing to do\n"
    told = apply_tenant(tmp_path, with_config(description="x"), "--dry-run")
    assert told.lines[-1] == "dry run: nothing was changed"


def test_one_problem_keeps_everything_as_it_was(tmp_path: Path) -> None:
    run = apply_tenant(tmp_path, with_connection(base_url="ftp://x"))

    assert run.code == 2
    assert run.stdout == ""
    assert run.stderr.startswith("tenants[0].integrations[0].connections[0].base_url (line 1): ")
    assert everything() == []


def test_what_a_file_does_not_mention_is_left_alone(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    run = apply_tenant(tmp_path, {"slug": "acme"})

    assert run.stdout == "nothing to do\n"
    apply_tenant(tmp_path, {"slug": "acme", "integrations": [{"slug": "billing"}]})
    assert connection().timeout == 10


def test_an_absent_key_keeps_and_null_resets(tmp_path: Path) -> None:
    apply_tenant(
        tmp_path,
        with_config(
            description="x",
            rotate_by="2027-01-31",
            disabled=True,
            options={"key": "X-K", "placement": "query"},
        ),
    )
    bare = {"name": "billing", "environment": "staging"}
    assert apply_tenant(tmp_path, with_config(**bare)).code == 0
    with unscoped("a test looks at one row"):
        assert current_credential(config()).options == {"key": "X-API-Key", "placement": "query"}
    assert config().description == "x"
    assert config().disabled_at is not None

    nulls = {"description": None, "rotate_by": None, "disabled": None, "owner": None}
    run = apply_tenant(tmp_path, with_config(**nulls, options={"placement": None}))

    assert run.lines == [
        "~ auth config acme/billing (staging): description, rotate_by, disabled, placement"
    ]
    assert config().description == ""
    assert config().rotate_by is None
    assert config().disabled_at is None


def test_null_options_are_all_reset(tmp_path: Path) -> None:
    bearer = {"method": "bearer", "secrets": {"token": "t"}}
    apply_tenant(tmp_path, with_config(**bearer, options={"header": "X-T", "prefix": ""}))
    apply_tenant(tmp_path, with_config(**bearer, options=None))

    with unscoped("a test looks at one row"):
        options = current_credential(config()).options
    assert options == {"header": "Authorization", "prefix": "Bearer"}


@pytest.mark.parametrize("given", [{}, {"secrets": None}, {"secrets": {"value": None}}])
def test_an_absent_secret_is_kept(tmp_path: Path, given: dict[str, Any]) -> None:
    apply_tenant(tmp_path, basic())
    tenant = basic()
    del tenant["auth_configs"][0]["secrets"]
    tenant["auth_configs"][0].update(given)

    assert apply_tenant(tmp_path, tenant).stdout == "nothing to do\n"
    assert secrets() == {"value": "planted-key"}


@pytest.mark.parametrize("blank", ["", "  ", "${env:BLANK}"])
def test_an_empty_secret_clears_where_the_method_can_do_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    monkeypatch.setenv("BLANK", "")
    refused = apply_tenant(tmp_path, with_config(secrets={"value": blank}))
    assert refused.code == 2
    assert refused.stderr.startswith("tenants[0].auth_configs[0].secrets.value (line 1): ")

    oauth = {
        "method": "oauth2_client_credentials",
        "options": {"token_url": "https://auth.example.com/", "client_id": "a"},
    }
    apply_tenant(tmp_path, with_config(**oauth, secrets={"client_secret": "s"}))
    run = apply_tenant(tmp_path, with_config(**oauth, secrets={"client_secret": blank}))

    assert run.lines == ["~ auth config acme/billing (staging): client_secret"]
    assert secrets() == {}


def test_placeholders_are_replaced_and_everything_else_is_literal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_KEY", "from-environment")
    (tmp_path / "key").write_text("from-file\n")
    for given, value in (
        ("${env:BILLING_KEY}", "from-environment"),
        ("${file:key}", "from-file"),
        ("$${env:BILLING_KEY}", "$${env:BILLING_KEY}"),
        ("$BILLING_KEY", "$BILLING_KEY"),
    ):
        assert apply_tenant(tmp_path, with_config(secrets={"value": given})).code == 0
        assert secrets() == {"value": value}


def test_options_are_never_placeholders(tmp_path: Path) -> None:
    bearer = {"method": "bearer", "options": {"prefix": "${env:X}"}, "secrets": {"token": "t"}}
    assert apply_tenant(tmp_path, with_config(**bearer)).code == 0
    with unscoped("a test looks at one row"):
        assert current_credential(config()).options["prefix"] == "${env:X}"


def test_every_missing_variable_is_named(tmp_path: Path) -> None:
    tenant = with_config(secrets={"value": "${env:NOT_SET_ONE}"})
    tenant["staff"] = [{"username": "ada", "password": "${env:NOT_SET_TWO}"}]
    run = apply_tenant(tmp_path, tenant)

    assert run.code == 2
    assert run.stderr.splitlines() == [
        "tenants[0].staff[0].password (line 1): The environment variable NOT_SET_TWO isn't set. Set it, or use"
        " --keep-secrets to keep what is stored.",
        "tenants[0].auth_configs[0].secrets.value (line 1): The environment variable NOT_SET_ONE isn't set. Set it, or use"
        " --keep-secrets to keep what is stored.",
    ]


def test_trimming_is_said_without_the_value(tmp_path: Path) -> None:
    run = apply_tenant(tmp_path, with_config(secrets={"value": " planted-key\n"}))

    assert run.code == 0
    assert run.stderr == "tenants[0].auth_configs[0]: White space around the value was removed.\n"
    assert secrets() == {"value": "planted-key"}


def test_passwords_are_not_trimmed(tmp_path: Path) -> None:
    run = apply_tenant(
        tmp_path,
        with_config(method="basic", options={"username": "a"}, secrets={"password": " p "}),
    )

    assert run.stderr == ""
    assert secrets() == {"password": " p "}


class TestKeepSecrets:
    @pytest.fixture(autouse=True)
    def _applied(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, basic())

    @pytest.mark.parametrize("value", ["${env:NOT_SET_ANYWHERE}", "another-literal", ""])
    def test_every_stored_secret_stays(self, tmp_path: Path, value: str) -> None:
        run = apply_tenant(tmp_path, with_config(secrets={"value": value}), "--keep-secrets")

        assert (run.code, run.stdout) == (0, "nothing to do\n")
        assert secrets() == {"value": "planted-key"}

    @pytest.mark.parametrize("secret", [{"value": "${env:NOT_SET_ANYWHERE}"}, {}])
    def test_a_new_row_that_needs_one_is_an_error(
        self, tmp_path: Path, secret: dict[str, str]
    ) -> None:
        run = apply_tenant(tmp_path, with_config(name="other", secrets=secret), "--keep-secrets")

        assert run.code == 2
        assert "auth_configs[0].secrets.value" in run.stderr

    def test_a_new_row_takes_a_literal(self, tmp_path: Path) -> None:
        tenant = with_config(name="other", secrets={"value": "v"})
        assert apply_tenant(tmp_path, tenant, "--keep-secrets").code == 0
        assert secrets("other") == {"value": "v"}

    def test_a_new_method_needs_its_secrets(self, tmp_path: Path) -> None:
        bearer = with_config(method="bearer", options={}, secrets={"token": "${env:NOT_SET}"})
        assert apply_tenant(tmp_path, bearer, "--keep-secrets").code == 2


def test_origins_of_connections_and_token_urls_are_widened_and_said(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    run = apply_tenant(tmp_path, with_connection(base_url="https://eu.example.com"))

    assert run.lines == [
        "~ connection acme/billing (staging): base_url",
        "+ origin acme/billing (staging): api https://eu.example.com",
    ]
    with unscoped("a test looks at all rows"):
        assert [row.origin for row in AllowedOrigin.objects.all()] == ["https://eu.example.com"]


def test_a_change_drops_of_a_token_what_its_field_declares(tmp_path: Path) -> None:
    oauth: dict[str, Any] = {
        "method": "oauth2_password",
        "options": {
            "token_url": "https://auth.example.com/",
            "client_id": "a",
            "username": "u",
        },
        "secrets": {"password": "p"},
    }
    apply_tenant(tmp_path, with_config(**oauth))
    with tenant_scope(config().tenant_id):
        plant_token(config())
        apply_tenant(tmp_path, with_config(**oauth))
        assert OAuthToken.objects.get().access_token is not None

        apply_tenant(tmp_path, with_config(**oauth | {"options": {"scope": "a"}}))
        row = OAuthToken.objects.get()
        assert row.access_token is None
        assert row.refresh_token is not None

        apply_tenant(tmp_path, with_config(**oauth | {"options": {"client_id": "b"}}))
        assert OAuthToken.objects.get().refresh_token is None


class TestRevisions:
    """Which connections of a file run which headers and query."""

    def headers(self, name: str = "default") -> dict[str, str]:
        found: dict[str, str] = connection(name).revision.headers
        return found

    def test_listed_connections_take_the_head_that_the_file_gives(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, basic())
        run = apply_tenant(tmp_path, with_integration(headers={"Accept": "text/xml"}))

        assert run.lines == [
            "~ integration acme/billing: headers",
            "~ connection acme/billing (staging): revision",
        ]
        assert self.headers() == {"Accept": "text/xml"}

    def test_connections_that_are_not_listed_keep_theirs(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, basic())
        apply_tenant(tmp_path, with_integration(headers={"Accept": "text/xml"}, connections=[]))

        assert self.headers() == {"Accept": "application/json"}

    def test_without_any_an_existing_connection_keeps_its_revision_and_a_new_one_takes_the_head(
        self, tmp_path: Path
    ) -> None:
        apply_tenant(tmp_path, basic())
        apply_tenant(tmp_path, with_integration(headers={"Accept": "text/xml"}, connections=[]))
        tenant = basic()
        del tenant["integrations"][0]["headers"]
        tenant["integrations"][0]["connections"].append(
            {"environment": "staging", "name": "second", "base_url": "https://b.example.com"}
        )
        apply_tenant(tmp_path, tenant)

        assert self.headers() == {"Accept": "application/json"}
        assert self.headers("second") == {"Accept": "text/xml"}

    def test_a_connections_own_keys_win_and_a_missing_one_comes_from_the_head(
        self, tmp_path: Path
    ) -> None:
        own = with_connection(query={"limit": 5, "tag": ["a", "b"]})
        apply_tenant(tmp_path, own)

        assert connection().revision.query == {"limit": "5", "tag": ["a", "b"]}
        assert self.headers() == {"Accept": "application/json"}
        assert apply_tenant(tmp_path, own).stdout == "nothing to do\n"

    def test_null_takes_the_heads_again(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, with_connection(headers={"Accept": "text/xml"}))
        apply_tenant(tmp_path, with_connection(headers=None))

        assert self.headers() == {"Accept": "application/json"}

    def test_equal_content_is_the_same_revision(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, basic())
        apply_tenant(tmp_path, with_integration(headers={"Accept": "text/xml"}))
        apply_tenant(tmp_path, basic())

        assert connection().revision.number == 1


def test_a_test_request_merges_by_key_and_null_resets_it(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    apply_tenant(tmp_path, with_connection(test={"method": "post", "body": "x"}))
    assert connection().test_method == "POST"
    assert connection().test_path == "/ping"

    apply_tenant(tmp_path, with_connection(test=None))
    row = connection()
    assert (row.test_method, row.test_path, row.test_body, row.test_expect) == ("GET", "", None, [])
    assert row.negative_control


def test_a_connection_without_authentication(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    run = apply_tenant(tmp_path, with_connection(auth_config=None))

    assert run.lines == ["~ connection acme/billing (staging): auth_config"]
    assert connection().auth_config is None


def test_a_config_is_of_the_connections_environment(tmp_path: Path) -> None:
    run = apply_tenant(tmp_path, with_connection(environment="production"))

    assert run.code == 2
    assert "connections[0].auth_config (line 1): production has no auth config" in run.stderr


def test_the_same_name_in_another_environment_is_another_config(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    tenant = with_config(environment="production")
    del tenant["integrations"]
    run = apply_tenant(tmp_path, tenant)

    assert run.lines[0].startswith("+ auth config acme/billing (production)")


class TestPrune:
    def test_what_is_not_mentioned_is_deleted(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, basic())
        run = apply_tenant(tmp_path, {"slug": "acme"}, "--prune")

        assert run.lines == [
            "- connection acme/billing (staging)",
            "- integration acme/billing",
            "- auth config acme/billing (staging)",
        ]
        with unscoped("a test looks at all rows"):
            assert Environment.objects.count() == 2
            assert not AuthConfig.objects.exists()

    def test_what_is_mentioned_stays(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, basic())

        assert apply_tenant(tmp_path, basic(), "--prune").stdout == "nothing to do\n"

    def test_a_config_that_a_connection_uses_is_mentioned_by_it(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, basic())

        assert apply_tenant(tmp_path, basic(auth_configs=[]), "--prune").stdout == "nothing to do\n"

    def test_other_tenants_and_people_are_never_touched(self, tmp_path: Path) -> None:
        staff = [{"username": "ada@acme", "role": "admin"}]
        apply_tenant(tmp_path, basic(slug="globex"))
        apply_tenant(tmp_path, basic(staff=staff))
        apply_tenant(tmp_path, {"slug": "acme"}, "--prune")

        assert Tenant.objects.count() == 2
        with unscoped("a test looks at all rows"):
            assert {row.tenant.slug for row in AuthConfig.objects.all()} == {"globex"}
        assert apply_tenant(tmp_path, {"slug": "acme", "staff": staff}).stdout == "nothing to do\n"

    def test_a_dry_run_deletes_nothing(self, tmp_path: Path) -> None:
        apply_tenant(tmp_path, basic())
        run = apply_tenant(tmp_path, {"slug": "acme"}, "--prune", "--dry-run", "--json")

        assert run.document["changes"][0] == {
            "action": "delete",
            "kind": "connection",
            "name": "acme/billing",
            "environment": "staging",
            "fields": [],
        }
        assert apply_tenant(tmp_path, basic()).stdout == "nothing to do\n"


def test_a_tenant_is_switched_off_and_on(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    assert apply_tenant(tmp_path, basic(disabled=True)).lines == ["~ tenant acme: disabled"]
    assert apply_tenant(tmp_path, basic()).stdout == "nothing to do\n"
    assert apply_tenant(tmp_path, basic(disabled=False)).lines == ["~ tenant acme: disabled"]
    assert Tenant.objects.get().disabled_at is None


def test_a_name_left_out_is_the_slug(tmp_path: Path) -> None:
    apply_file(tmp_path, "tenants: [{slug: acme, environments: [{slug: staging}]}]")

    assert Tenant.objects.get().name == "acme"


def test_the_trail_names_the_shell(tmp_path: Path) -> None:
    apply_tenant(tmp_path, basic())
    with unscoped("a test looks at all rows"):
        events = list(AuditEvent.objects.all())

    assert {event.via for event in events} == {"shell"}
    assert {event.object_type for event in events} == {
        "tenant",
        "environment",
        "authconfig",
        "integration",
        "connection",
    }
    assert "planted-key" not in str([event.fields for event in events])


def many(number: int) -> dict[str, Any]:
    tenant = basic()
    configs, integrations = tenant["auth_configs"], tenant["integrations"]
    tenant["auth_configs"] = [{**configs[0], "name": f"c{index}"} for index in range(number)]
    tenant["integrations"] = [
        {
            **integrations[0],
            "slug": f"i{index}",
            "connections": [{**integrations[0]["connections"][0], "auth_config": f"c{index}"}],
        }
        for index in range(number)
    ]
    return tenant


def queries(path: Path, number: int) -> int:
    with CaptureQueriesContext(db_connection) as captured:
        assert apply_tenant(path, many(number)).code == 0
    return len(captured)


def test_what_does_not_change_costs_the_same_queries_for_many_as_for_few(tmp_path: Path) -> None:
    made = queries(tmp_path, 5)
    few = queries(tmp_path, 5)
    assert queries(tmp_path, 25) < made + 20 * 35
    assert queries(tmp_path, 25) == few
