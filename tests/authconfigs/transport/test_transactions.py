"""No request to another server waits inside of a database transaction."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from authconfigs.transport import Deadline, Door
from tests.authconfigs.transport.factories import make_door, send
from tests.servers.raw import serve
from tests.servers.scripts import answer


def opening(door: Door, url: str) -> None:
    door.open(url, deadline=Deadline.after(5))


def guarded(door: Door, url: str) -> None:
    door.guard(requests.Session(), deadline=Deadline.after(5), max_bytes=100).get(url)


EVERY_WAY = pytest.mark.parametrize("attempt", [send, opening, guarded])


@EVERY_WAY
@pytest.mark.django_db(transaction=True)
def test_an_open_transaction_refuses(attempt: Callable[[Door, str], object]) -> None:
    with serve(answer()) as server:
        with transaction.atomic(), pytest.raises(TransactionManagementError):
            attempt(make_door(), server.url())
        assert server.connections == 0
        attempt(make_door(), server.url())
        server.wait_for_connections(1)
        assert server.connections == 1


@EVERY_WAY
@pytest.mark.django_db
def test_a_test_cases_own_transaction_does_not_count(
    attempt: Callable[[Door, str], object],
) -> None:
    with serve(answer()) as server:
        assert connection.in_atomic_block
        attempt(make_door(), server.url())
        server.wait_for_connections(1)
        assert server.connections == 1
        with transaction.atomic(), pytest.raises(TransactionManagementError):
            attempt(make_door(), server.url())
        with transaction.atomic(savepoint=False), pytest.raises(TransactionManagementError):
            attempt(make_door(), server.url())
        server.wait_for_connections(1)
        assert server.connections == 1


@pytest.mark.django_db(transaction=True)
def test_a_transaction_without_atomic_refuses_too() -> None:
    with serve(answer()) as server:
        transaction.set_autocommit(False)
        try:
            with pytest.raises(TransactionManagementError):
                send(make_door(), server.url())
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)
        assert server.connections == 0


@pytest.mark.django_db(transaction=True)
def test_a_thread_holds_no_pooled_connection_while_it_waits() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has a pool")

    def held() -> bool:
        connection.ensure_connection()
        try:
            with serve(answer()) as server:
                send(make_door(), server.url())
                return connection.connection is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(held).result()
