"""The health of a connection on one line: figures of 24 hours and 30 days, since when it fails, and what was changed before."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from authconfigs.saving import ConfigDraft, save_config
from integrations.admin.strips import health_of, told
from integrations.changes import changes_within
from integrations.demo.provider import Provider, accounts
from integrations.figures import Totals, figures_of
from integrations.models import Connection, UsageCount
from integrations.targets import Name
from integrations.testing import test_connection as run_test
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.factories import make_config, make_connection, make_environment, make_integration

NAME = Name("acme", "billing", "staging")
NOW = datetime(2026, 11, 28, 14, 30, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def connection(tenant: Tenant) -> Connection:
    environment = make_environment(tenant)
    config = make_config(environment)
    return make_connection(make_integration(tenant), environment, config)


def count(connection: Connection, kind: str, outcome: str, number: int, *, hours_ago: int) -> None:
    hour = NOW.replace(minute=0) - timedelta(hours=hours_ago)
    of = {
        "connection_id": connection.id,
        "config_id": connection.auth_config_id or UsageCount.NOTHING,
    }
    if kind == "refresh":
        of["connection_id"] = UsageCount.NOTHING
    UsageCount.objects.create(
        hour=hour, kind=kind, outcome=outcome, count=number, slot="current", **of
    )


@pytest.fixture
def scoped(tenant: Tenant) -> object:
    with tenant_scope(tenant.id):
        yield


@pytest.mark.usefixtures("scoped")
class TestFigures:
    def test_hours_and_a_month(self, connection: Connection) -> None:
        count(connection, "call", "ok", 7, hours_ago=0)
        count(connection, "test", "wrong_or_missing_credential", 2, hours_ago=23)
        count(connection, "refresh", "network", 1, hours_ago=5)
        count(connection, "call", "ok", 100, hours_ago=24)
        count(connection, "call", "ok", 1000, hours_ago=31 * 24)

        found = figures_of([connection], now=NOW)[connection.id]

        assert (found.hours[23].requests, found.hours[23].bad) == (7, 0)
        assert (found.hours[0].refused, found.hours[18].failed_refreshes) == (2, 1)
        assert sum(hour.kinds.total() for hour in found.hours) == found.day.kinds.total() == 10
        assert found.month.kinds.total() == 110
        assert dict(found.month.kinds) == {"call": 107, "test": 2, "refresh": 1}

    def test_of_many_by_the_same_queries(
        self,
        tenant: Tenant,
        connection: Connection,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        others = [
            make_connection(make_integration(tenant, f"i-{number}"), connection.environment)
            for number in range(10)
        ]
        count(others[3], "call", "timeout", 3, hours_ago=1)
        with django_assert_num_queries(2):
            found = figures_of([connection, *others], now=NOW)
        assert [found[one.id].day.failed for one in others] == [0, 0, 0, 3, 0, 0, 0, 0, 0, 0]

    def test_figures_of_another_config_arent_its_own(self, connection: Connection) -> None:
        make_config(connection.environment, "other")
        UsageCount.objects.create(
            hour=NOW.replace(minute=0), kind="refresh", outcome="ok", count=9, slot="current"
        )
        assert figures_of([connection], now=NOW)[connection.id].month.kinds.total() == 0


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        ((), "nothing was sent"),
        ([("call", "ok", 1)], "1 call, all ok"),
        ([("call", "ok", 999), ("test", "insufficient_permission", 1)], "999 calls, 1 test, 1 % refused (401/403)"),
        ([("call", "timeout", 999), ("call", "ok", 1)], "1000 calls, 99 % failed"),
        ([("refresh", "network", 1), ("refresh", "ok", 1)], "2 refreshes, 1 failed"),
        ([("test", "ok", 1), ("refresh", "ok", 1)], "1 test, all ok; 1 refresh"),
    ],
)  # fmt: skip
def test_figures_in_words(totals: list[tuple[str, str, int]], words: str) -> None:
    found = Totals()
    for kind, outcome, number in totals:
        found.add(kind, outcome, number)
    assert told(found) == words


def replaced(connection: Connection, **draft: object) -> None:
    config = connection.auth_config
    assert config is not None
    with tenant_scope(config.tenant_id):
        save_config(
            ConfigDraft(name=config.name, method="bearer", **draft),  # type: ignore[arg-type]
            environment=config.environment,
            config=config,
        )
        config.refresh_from_db()


def test_failure_names_the_change_before_it(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    config = make_config(environment, secrets={"token": accounts.BEARER_TOKEN})
    with Provider() as provider:
        url = f"{provider.base_url}/bearer"
        row = make_connection(make_integration(tenant), environment, config, base_url=url)
        assert run_test(NAME).ok
        replaced(row, options={}, secrets={"token": "another-one"}, description="the new one")
        assert not run_test(NAME).ok
        first = run_test(NAME).started_at
        with tenant_scope(tenant.id):
            row = Connection.objects.select_related("auth_config").get()
            [line] = health_of([row], now=timezone.now())
            assert row.failing_since is not None
            assert row.failing_since < first
            assert "Failing since" in line.trouble
            assert "first after the secret changed at" in line.trouble
        replaced(row, options={}, secrets={"token": accounts.BEARER_TOKEN})
        assert run_test(NAME).ok
    row.refresh_from_db()
    assert row.failing_since is None
    with tenant_scope(tenant.id):
        assert health_of([row], now=timezone.now())[0].trouble == ""


def test_what_never_worked_says_so(tenant: Tenant, connection: Connection) -> None:
    connection.failing_since = timezone.now()
    with tenant_scope(tenant.id):
        assert "and never worked" in health_of([connection], now=timezone.now())[0].trouble


def test_a_description_is_no_change(tenant: Tenant, connection: Connection) -> None:
    begin = timezone.now()
    replaced(connection, options={}, secrets={}, description="for people")
    with tenant_scope(tenant.id):
        assert changes_within({connection: (begin, timezone.now())}) == {connection.id: []}
    replaced(connection, options={"prefix": "Token"}, secrets={})
    with tenant_scope(tenant.id):
        [change] = changes_within({connection: (begin, timezone.now())})[connection.id]
        assert change.words == "the Prefix changed"
        assert (
            changes_within({connection: (begin - timedelta(hours=1), begin)})[connection.id] == []
        )
