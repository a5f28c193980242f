"""What is deleted while somebody works with it is missing, as it would be a moment later: never an error of ours."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from integrations.demo.provider import Provider
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope, unscoped
from tests.authconfigs.authorization.journeys import REFUSED, back_from, code_config
from tests.authconfigs.consoles import MISSING, browser, html, url
from tests.factories import posted
from tests.integrations.wired import the_config

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def apart(work: Callable[[], None]) -> threading.Thread:
    """The work, begun in another thread."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def config_deleted() -> None:
    config = the_config()
    with tenant_scope(config.tenant_id):
        config.connections.all().delete()
        config.delete()


def tenant_deleted() -> None:
    with unscoped("a test"):
        Tenant.objects.get(slug="acme").delete()


@contextmanager
def once_found(act: Callable[[], None]) -> Iterator[None]:
    """Let something happen elsewhere once this thread has looked the config up."""
    done: list[bool] = []

    def wrapper(execute: Any, sql: str, *more: Any) -> Any:
        result = execute(sql, *more)
        if not done and sql.startswith('SELECT "authconfigs_authconfig"'):
            done.append(True)
            apart(act).join(10)
        return result

    with connection.execute_wrapper(wrapper):
        yield
    assert done


@pytest.mark.parametrize("button", ["connect", "consent_link", "disconnect", "refresh", "expire"])
def test_button_of_a_config_that_is_deleted_meanwhile_answers_as_for_a_missing_one(
    provider: Provider, button: str
) -> None:
    config = code_config(provider)
    client: Client = browser(config.tenant)
    with once_found(config_deleted):
        answer = client.post(url(button, config.id), posted(config.tenant))
    missing = client.post(url(button, MISSING), posted(config.tenant))
    assert (answer.status_code, missing.status_code) == (404, 404)
    assert html(answer).replace(str(config.id), "") == html(missing).replace(str(MISSING), "")


@pytest.mark.parametrize("way", ["connect", "link"])
@pytest.mark.parametrize("act", [config_deleted, tenant_deleted])
def test_consent_for_what_is_deleted_meanwhile_stores_nothing_and_says_so(
    provider: Provider, act: Callable[[], None], way: str
) -> None:
    journey = back_from(provider, way)
    provider.switches.token_delay = 0.5
    ends: list[Any] = []
    late = apart(lambda: ends.append(journey.deliver()))
    while not provider.ledger.consents():
        assert late.is_alive()
    act()
    late.join()
    assert ends == [REFUSED]
    with tenant_scope(journey.config.tenant_id):
        assert AuditEvent.objects.filter(action="connect").exists()
