from dataclasses import replace
from typing import Any

import pytest

from authconfigs.saving import EditConflict, InvalidDraft, save_config
from integrations.models import Connection, Integration
from integrations.saving import (
    ConnectionDraft,
    delete_connection,
    revision_of,
    save_connection,
)
from tenants.models import AuditEvent, Environment
from tests.authconfigs.saving.drafts import acting, bearer
from tests.factories import make_environment, make_integration, make_tenant

pytestmark = pytest.mark.django_db

DRAFT = ConnectionDraft(name="default", base_url="https://api.example.com/v1", auth_config=None)


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


@pytest.fixture
def billing(staging: Environment) -> Integration:
    return make_integration(staging.tenant, headers={"Accept": "application/json"})


def test_a_new_connection_runs_the_head(staging: Environment, billing: Integration) -> None:
    with acting(None, staging):
        saved = save_connection(DRAFT, integration=billing, environment=staging)
        row = Connection.objects.get()

    assert saved.created
    assert saved.fields == ("base_url", "revision")
    assert row.revision_id == billing.head_id
    assert row.host == "api.example.com"
    assert row.revision_number == 1


def test_a_change_grows_the_revision_and_is_in_the_trail(
    staging: Environment, billing: Integration
) -> None:
    with acting(None, staging):
        row = save_connection(DRAFT, integration=billing, environment=staging).connection
        wanted = replace(DRAFT, timeout=5, test_path="/ping", test_expect=(200, 204))
        saved = save_connection(wanted, integration=billing, environment=staging, connection=row)
        stored = Connection.objects.get()
        event = AuditEvent.objects.filter(action="change").get()

    assert saved.fields == ("timeout", "test_path", "test_expect")
    assert stored.revision_number == 2
    assert stored.test_expect == [200, 204]
    assert event.object_name == "billing"
    assert event.environment == "staging"
    assert event.fields == ["test_expect", "test_path", "timeout"]


def test_saving_what_is_stored_writes_nothing(staging: Environment, billing: Integration) -> None:
    with acting(None, staging):
        row = save_connection(DRAFT, integration=billing, environment=staging).connection
        saved = save_connection(DRAFT, integration=billing, environment=staging, connection=row)

        assert saved.fields == ()
        assert Connection.objects.get().revision_number == 1
        assert AuditEvent.objects.count() == 1


def test_a_connection_keeps_its_revision_when_the_head_moves(
    staging: Environment, billing: Integration
) -> None:
    with acting(None, staging):
        row = save_connection(DRAFT, integration=billing, environment=staging).connection
        before = row.revision_id
        billing.head = revision_of(billing, {"Accept": "text/xml"}, {})
        billing.save()
        save_connection(DRAFT, integration=billing, environment=staging, connection=row)

        assert Connection.objects.get().revision_id == before


def test_saving_over_an_unseen_change_is_refused(
    staging: Environment, billing: Integration
) -> None:
    with acting(None, staging):
        row = save_connection(DRAFT, integration=billing, environment=staging).connection
        mine = Connection.objects.get()
        changed = replace(DRAFT, timeout=5)
        save_connection(changed, integration=billing, environment=staging, connection=row)
        with pytest.raises(EditConflict, match="was changed by root"):
            save_connection(
                replace(DRAFT, timeout=6), integration=billing, environment=staging, connection=mine
            )

        assert Connection.objects.get().timeout == 5


def test_an_auth_config_of_another_environment_is_refused(
    staging: Environment, billing: Integration
) -> None:
    production = make_environment(staging.tenant, "production", protected=True)
    with acting(None, staging):
        config = save_config(bearer(), environment=production).config
        with pytest.raises(InvalidDraft, match="Choose an auth config of staging"):
            save_connection(
                replace(DRAFT, auth_config=config), integration=billing, environment=staging
            )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", ""),
        ("base_url", "api.example.com"),
        ("base_url", "ftp://api.example.com"),
        ("base_url", "https://"),
        ("base_url", "https:///v1"),
        ("base_url", "https://user@api.example.com"),
        ("base_url", "https://user:pass@api.example.com"),
        ("base_url", "https://@api.example.com"),
        ("base_url", "https://api.example.com?a=1"),
        ("base_url", "https://api.example.com?"),
        ("base_url", "https://api.example.com/#x"),
        ("base_url", "https://api.example.com/ v1"),
        ("base_url", "https://api.example.com\t.evil.example"),
        ("base_url", "https://api.example.com\\@evil.example"),
        ("base_url", "https://api.example.com:99999"),
        ("base_url", "https://api.example.com/ü"),
        ("base_url", "https://[::1"),
        ("base_url", "https://api.example.com/" + "x" * 1000),
        ("name", "Not a slug"),
        ("timeout", 0),
        ("timeout", 10**9),
        ("test_method", "GET /"),
        ("test_path", "https://evil.example/"),
        ("test_path", "//evil.example/"),
        ("test_path", "/../x"),
        ("test_headers", {"Host": "evil.example"}),
        ("test_headers", {"X-A": "a\r\nX-B: b"}),
        ("test_headers", {"X-A": "a", "x-a": "b"}),
        ("test_body", "a\0"),
        ("test_body", "\ud800"),
        ("test_expect", (99,)),
        ("test_expect", (600,)),
    ],
)
def test_what_cannot_be_sent_is_refused(
    staging: Environment, billing: Integration, field: str, value: Any
) -> None:
    with acting(None, staging):
        with pytest.raises(InvalidDraft) as refused:
            save_connection(
                replace(DRAFT, **{field: value}), integration=billing, environment=staging
            )

        assert list(refused.value.errors) == [field]
        assert not Connection.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8765",
        "https://api.example.com/",
        "https://api.example.com/v1/%C3%BC",
        "https://bücher.example/v1",
        "https://[2001:db8::1]:8443/v1",
        "HTTPS://API.example.com",
    ],
)
def test_addresses_are_judged_by_syntax_and_scheme_alone(
    staging: Environment, billing: Integration, url: str
) -> None:
    with acting(None, staging):
        save_connection(replace(DRAFT, base_url=url), integration=billing, environment=staging)

        assert Connection.objects.get().base_url == url


def test_a_name_is_taken_per_integration_and_environment(
    staging: Environment, billing: Integration
) -> None:
    production = make_environment(staging.tenant, "production", protected=True)
    with acting(None, staging):
        save_connection(DRAFT, integration=billing, environment=staging)
        save_connection(DRAFT, integration=billing, environment=production)
        with pytest.raises(InvalidDraft, match="already"):
            save_connection(DRAFT, integration=billing, environment=staging)


def test_a_connection_is_deleted(staging: Environment, billing: Integration) -> None:
    with acting(None, staging):
        row = save_connection(DRAFT, integration=billing, environment=staging).connection
        delete_connection(row)

        assert not Connection.objects.exists()
        assert AuditEvent.objects.filter(action="delete").get().object_name == "billing"
