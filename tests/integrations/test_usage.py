"""Usage: counted in memory, written in batches, never in a call's way."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from authconfigs.models import AuthConfig
from integrations import usage
from integrations.calls import Call, perform
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection, UsageCount
from integrations.targets import load_target
from tenants.models import Tenant
from tenants.scope import tenant_scope, unscoped
from tests.integrations.wired import NAME, wired, wired_oauth

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    usage.recorder.forget()
    yield
    usage.recorder.forget()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def called(path: str = "") -> None:
    perform(load_target(NAME), Call("GET", path))


def written() -> int:
    with unscoped("a test reads all figures"):
        return sum(UsageCount.objects.values_list("count", flat=True))


def wait_for_threads() -> None:
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer) and thread.interval < 1:
            thread.join(5)


def counts() -> dict[tuple[str, str], int]:
    usage.flush()
    with unscoped("a test reads all figures"):
        return {(one.kind, one.outcome): one.count for one in UsageCount.objects.all()}


def test_calls_and_refreshes_are_counted_by_how_they_end(provider: Provider) -> None:
    wired_oauth(provider)
    called()
    called()
    called("/fail/nothing")
    provider.switches.api = "500"
    called()

    assert counts() == {
        ("call", "ok"): 3,
        ("call", "provider_error"): 1,
        ("refresh", "ok"): 1,
    }


def test_failures_without_an_answer_are_counted(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"
    for _ in range(2):
        with pytest.raises(Exception, match="refuses"):
            called()

    assert counts() == {
        ("call", "token_endpoint_config"): 2,
        ("refresh", "token_endpoint_config"): 1,
    }


def test_batches_add_up_in_the_hours_row(provider: Provider) -> None:
    wired(provider.base_url + "/open", method=None)
    called()
    assert counts() == {("call", "ok"): 1}
    called()
    called()

    assert counts() == {("call", "ok"): 3}
    with unscoped("a test reads all figures"):
        row = UsageCount.objects.get()
    assert row.hour == timezone.now().replace(minute=0, second=0, microsecond=0)
    assert (row.config_id, row.slot) == (UsageCount.NOTHING, "")


def test_use_is_written_to_connection_and_config(provider: Provider) -> None:
    wired(
        provider.base_url + "/bearer",
        options={"header": "Authorization", "prefix": "Bearer"},
        secrets={"token": accounts.BEARER_TOKEN},
    )
    called()
    usage.flush()

    with tenant_scope(Tenant.objects.get().id):
        for row in (Connection.objects.get(), AuthConfig.objects.get()):
            assert row.last_used_at is not None
            assert timezone.now() - row.last_used_at < timedelta(seconds=10)


def test_a_test_isnt_use(provider: Provider) -> None:
    target = load_target(wired(provider.base_url + "/open", method=None))
    usage.record_use(
        target.tenant_id,
        kind=UsageCount.Kind.TEST,
        outcome="ok",
        connection_id=target.connection_id,
    )
    usage.flush()

    assert counts() == {("test", "ok"): 1}
    with tenant_scope(target.tenant_id):
        assert Connection.objects.get().last_used_at is None


def test_figures_of_a_deleted_tenant_are_dropped(provider: Provider) -> None:
    wired(provider.base_url + "/open", method=None)
    called()
    usage.record_use(uuid4(), kind=UsageCount.Kind.CALL, outcome="ok")

    assert counts() == {("call", "ok"): 1}


def test_counting_doesnt_touch_the_database(
    provider: Provider, django_assert_num_queries: object
) -> None:
    target = load_target(wired(provider.base_url + "/open", method=None))

    with django_assert_num_queries(0):  # type: ignore[operator]
        for _ in range(100):
            usage.record_use(target.tenant_id, kind=UsageCount.Kind.CALL, outcome="ok")


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_written_by_itself_after_a_while(provider: Provider, settings: Settings) -> None:
    settings.USAGE_FLUSH_SECONDS = 0.1
    wired(provider.base_url + "/open", method=None)
    called()
    called()
    until = time.monotonic() + 5
    while time.monotonic() < until and not written():
        time.sleep(0.05)

    assert written() == 2
    wait_for_threads()


@pytest.mark.django_db(transaction=True)
def test_a_large_batch_is_written_at_once(
    provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.USAGE_FLUSH_SECONDS = 3600
    monkeypatch.setattr(usage, "LARGEST_BATCH", 3)
    target = load_target(wired(provider.base_url + "/open", method=None))
    for outcome in ("ok", "network", "timeout"):
        usage.record_use(target.tenant_id, kind=UsageCount.Kind.CALL, outcome=outcome)
    wait_for_threads()

    assert written() == 3
