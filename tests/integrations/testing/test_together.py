"""Bulk tests: what a worker does of them, what a second one doesn't, and how they end."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.bulk_tests import NotBegun, begin, cancel
from integrations.demo.provider import Provider, accounts
from integrations.models import BulkTest, BulkTestItem, Connection, ConnectionTest
from integrations.testing.together import forget_old, run, unfinished
from tenants.actor import Actor, acting_as
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        yield server


@pytest.fixture
def connections(tenant: Tenant, provider: Provider) -> list[Connection]:
    """Four that work, and the last one that doesn't."""
    environment = make_environment(tenant)
    config = make_config(environment, secrets={"token": accounts.BEARER_TOKEN})
    wrong = make_config(environment, "wrong", secrets={"token": "planted-wrong"})
    return [
        make_connection(
            make_integration(tenant, f"api-{number}"),
            environment,
            wrong if number == 4 else config,
            base_url=f"{provider.base_url}/bearer",
        )
        for number in range(5)
    ]


def begun(tenant: Tenant, connections: list[Connection]) -> BulkTest:
    ann = make_member(tenant, username="ann")
    with (
        tenant_scope(tenant.id),
        acting_as(Actor(ann.id, "ann", address="192.0.2.1", via="web")),
    ):
        return begin(connections, title="Staging")


def states(tenant: Tenant) -> list[bool | None]:
    with tenant_scope(tenant.id):
        return [item.ok for item in BulkTestItem.objects.all()]


def again(tenant: Tenant, bulk: BulkTest) -> BulkTest:
    with tenant_scope(tenant.id):
        return BulkTest.objects.get(id=bulk.id)


def test_worker_tests_all_as_whoever_began(tenant: Tenant, connections: list[Connection]) -> None:
    bulk = begun(tenant, connections)
    assert run(bulk.id) is False

    assert states(tenant) == [True] * 4 + [False]
    assert again(tenant, bulk).finished_at is not None
    with tenant_scope(tenant.id):
        last = BulkTestItem.objects.get(position=4)
        assert last.symptom == "wrong_or_missing_credential"
        assert str(ConnectionTest.objects.get(connection=connections[4]).id) == str(last.test_id)
        assert set(ConnectionTest.objects.values_list("actor", flat=True)) == {"ann"}
        assert set(AuditEvent.objects.filter(action="test").values_list("actor", flat=True)) == {
            "ann"
        }
    assert unfinished() == []


def test_cancelled_one_begins_nothing_more(
    tenant: Tenant, connections: list[Connection], provider: Provider
) -> None:
    bulk = begun(tenant, connections)
    with tenant_scope(tenant.id):
        assert cancel(bulk) is True
        assert cancel(bulk) is False
    assert run(bulk.id) is False

    assert states(tenant) == [None] * 5
    assert not provider.requests
    found = again(tenant, bulk)
    assert found.cancelled_at == found.finished_at is not None


def test_one_worker_at_a_time_and_another_once_it_is_gone(
    tenant: Tenant, connections: list[Connection], provider: Provider
) -> None:
    bulk = begun(tenant, connections)
    with tenant_scope(tenant.id):
        BulkTest.objects.update(runner=bulk.id, runner_until=timezone.now() + timedelta(minutes=1))
    assert unfinished() == []
    assert run(bulk.id) is False
    assert not provider.requests

    with tenant_scope(tenant.id):
        BulkTest.objects.update(runner_until=timezone.now())
        BulkTestItem.objects.filter(position=0).update(done_at=timezone.now(), ok=True)
    assert unfinished() == [bulk.id]
    assert run(bulk.id) is False
    assert states(tenant) == [True] * 4 + [False]
    with tenant_scope(tenant.id):
        assert ConnectionTest.objects.count() == 4


def test_what_is_gone_meanwhile_is_left_out(tenant: Tenant, connections: list[Connection]) -> None:
    bulk = begun(tenant, connections)
    with tenant_scope(tenant.id):
        Connection.objects.filter(id=connections[1].id).delete()
    assert run(bulk.id) is False
    assert states(tenant) == [True] * 3 + [False]


def test_it_counts_as_one_test(
    tenant: Tenant, connections: list[Connection], settings: Settings
) -> None:
    settings.TEST_RATE_PER_MINUTE = 1
    bulk = begun(tenant, connections)
    assert run(bulk.id) is False
    assert states(tenant) == [True] * 4 + [False]
    with tenant_scope(tenant.id), pytest.raises(NotBegun, match="wait"):
        begin(connections, title="Staging")


def test_queue_that_is_away_begins_nothing(
    tenant: Tenant, connections: list[Connection], tmp_path: Path
) -> None:
    folder = getattr(settings, "BROKER_DIR", None)
    if folder is None:
        pytest.skip("a server's queue can't be taken away here; the fault tests do it")
    folder.mkdir(exist_ok=True)
    shutil.move(folder, tmp_path / "away")
    folder.write_text("")
    try:
        with tenant_scope(tenant.id), pytest.raises(NotBegun, match="Queue unavailable"):
            begin(connections, title="Staging")
    finally:
        folder.unlink()
        shutil.move(tmp_path / "away", folder)
    with tenant_scope(tenant.id):
        assert not BulkTest.objects.exists()


def test_old_ones_are_forgotten(tenant: Tenant, connections: list[Connection]) -> None:
    old, young = begun(tenant, connections), None
    with tenant_scope(tenant.id):
        young = begin(connections, title="Staging")
        BulkTest.objects.filter(id=old.id).update(finished_at=timezone.now() - timedelta(days=31))
    forget_old()
    with tenant_scope(tenant.id):
        assert list(BulkTest.objects.values_list("id", flat=True)) == [young.id]
