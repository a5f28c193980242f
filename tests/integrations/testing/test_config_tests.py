"""The test of an auth config: of the connections that use it, or of its token endpoint alone."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from authconfigs.symptoms import Symptom
from integrations import testing
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection
from tenants.models import AuditEvent
from tenants.scope import tenant_scope
from tests.integrations.testing.cases import (
    another_connection,
    bearer,
    config,
    names_of,
    stored,
    tenant_id,
    verdict_of,
)
from tests.integrations.wired import stored_token, wired_oauth

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def without_connection() -> None:
    with tenant_scope(tenant_id()):
        Connection.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_every_connection_that_uses_it_is_tested(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    another_connection("second", provider.base_url + "/basic")
    rows = testing.test_config(config().id)

    assert [row.symptom for row in rows] == ["", "placement_or_format_mismatch"]
    assert {row.config_id for row in rows} == {config().id}


@pytest.mark.parametrize(
    ("paths", "told"),
    [({}, "(empty)"), ({"access_token": "data.nothing"}, "access_token: data.nothing")],
)
def test_answer_whose_fields_are_nested_leads_to_their_paths(
    provider: Provider, paths: dict[str, str], told: str
) -> None:
    wired_oauth(provider, options={"token_response": paths})
    without_connection()
    provider.switches.token = "nested"
    (row,) = testing.test_config(config().id)

    assert (row.symptom, row.stage) == ("provider_error", "token")
    (number,) = [i for i, check in enumerate(row.checks) if f"answer” is {told}: " in check]
    assert row.check_fields[number] == "token_response"


def test_oauth_config_without_connection_proves_its_token_endpoint(provider: Provider) -> None:
    wired_oauth(provider)
    without_connection()
    (row,) = testing.test_config(config().id)

    assert (row.ok, row.stage, row.connection_id) == (True, "token", None)
    assert names_of(row) == ["config", "token"]
    assert row.token_refreshed
    assert row.negative_control == "not_run"
    assert stored_token().generation == 1
    with tenant_scope(tenant_id()):
        assert AuditEvent.objects.get(action="test").object_type == "authconfig"


def test_token_endpoint_is_asked_although_a_token_is_stored(provider: Provider) -> None:
    wired_oauth(provider)
    without_connection()
    testing.test_config(config().id)
    provider.switches.token = "invalid_client"
    (row,) = testing.test_config(config().id)

    assert verdict_of(row) == (Symptom.TOKEN_ENDPOINT_CONFIG, "token")
    assert any(accounts.CLIENT.client_id in check for check in row.checks)
    assert len(stored()) == 2


def test_config_that_was_never_connected_says_so(provider: Provider) -> None:
    wired_oauth(provider, grant="authorization_code")
    without_connection()
    (row,) = testing.test_config(config().id)

    assert verdict_of(row) == (Symptom.REAUTHORIZATION_REQUIRED, "token")


def test_document_of_a_configs_test_has_no_connection(provider: Provider) -> None:
    wired_oauth(provider)
    without_connection()
    document = testing.document_of_test(testing.test_config(config().id)[0])

    assert (document["integration"], document["connection"]) == (None, None)
    assert document["environment"] == "staging"


def test_static_config_without_connection_has_nothing_to_test(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    without_connection()

    assert testing.test_config(config().id) == []


def test_token_test_counts_against_the_rate(provider: Provider, settings: Any) -> None:
    settings.TEST_RATE_PER_MINUTE = 1
    wired_oauth(provider)
    without_connection()
    testing.test_config(config().id)
    (row,) = testing.test_config(config().id)

    assert verdict_of(row) == (Symptom.TOO_MANY_TESTS, "config")
    assert provider.count("POST /token") == 1


def test_config_of_another_tenant_isnt_there(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    ours = config().id

    with tenant_scope(uuid4()), pytest.raises(LookupError):
        testing.test_config(ours)
    assert provider.count("connections") == 0
