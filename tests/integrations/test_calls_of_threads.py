"""Threads that call: none waits for another's slow API, and a database that was restarted is no obstacle."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from integrations.client import connect
from integrations.demo.provider import Provider
from tests.integrations.wired import wired

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 24


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def test_more_threads_than_pooled_connections_wait_for_a_slow_api_at_once(
    provider: Provider,
) -> None:
    wired(provider.base_url + "/open", method=None)
    provider.switches.api, provider.switches.slow_seconds = "slow", 1
    api = connect("acme", "crm", environment="staging")

    def called(_: int) -> int:
        try:
            return api.get().status_code
        finally:
            connection.close()

    started = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(called, range(THREADS))) == {200}
    assert time.monotonic() - started < 5


def test_call_after_the_database_was_restarted(provider: Provider) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server")
    wired(provider.base_url + "/open", method=None)
    api = connect("acme", "crm", environment="staging")
    api.get()
    backend = connection.connection.info.backend_pid
    with ThreadPoolExecutor(1) as pool:
        pool.submit(terminate, backend).result()

    assert api.get().status_code == 200


def terminate(backend: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    finally:
        connection.close()
