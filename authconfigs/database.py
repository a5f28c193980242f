"""What the hand-written queries need on either database: its time, its spelling of values, and giving a connection back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from threading import current_thread, main_thread
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone


def database_now() -> datetime:
    """The time that all processes agree on, also inside a transaction. SQLite has no other clock than this machine's."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def database_answers(patience: float) -> bool:
    """Whether the database takes a connection within so many seconds; a pool would go on trying for half a minute."""
    if connection.vendor == "sqlite":
        return True
    from psycopg import Error, connect

    wanted = {**connection.get_connection_params(), "connect_timeout": max(round(patience), 2)}
    try:
        connect(**wanted).close()
    except Error:
        return False
    return True


@cache
def spelled(query: str, vendor: str) -> str:
    """The query with `{now}` and `{join_texts}` in the database's own words."""
    if vendor == "sqlite":
        return query.format(now="NULL", join_texts="group_concat")
    return query.format(now="clock_timestamp()", join_texts="string_agg")


def fetch_all(query: str, parameters: Sequence[Any]) -> list[Sequence[Any]]:
    """All rows of a hand-written query; UUIDs may be parameters."""
    with connection.cursor() as cursor:
        cursor.execute(spelled(query, connection.vendor), _adapted(parameters))
        rows: list[Sequence[Any]] = cursor.fetchall()
    return rows


def execute_each(query: str, rows: Sequence[Sequence[Any]]) -> list[int]:
    """How many rows each execution of a hand-written statement changes; PostgreSQL gets them in one go."""
    values = [_adapted(row) for row in rows]
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            return [cursor.execute(query, row).rowcount for row in values]
    with _prepared_cursor() as cursor:
        cursor.executemany(f"{query} RETURNING 1", values, returning=True)
        counts = [cursor.rowcount]
        while cursor.nextset():
            counts.append(cursor.rowcount)
    return counts


def _adapted(parameters: Sequence[Any]) -> list[Any]:
    if connection.vendor == "postgresql":
        return list(parameters)
    return [
        value.hex
        if isinstance(value, UUID)
        else connection.ops.adapt_datetimefield_value(value)
        if isinstance(value, datetime)
        else value
        for value in parameters
    ]


def fetch_one(query: str, parameters: Sequence[Any]) -> Sequence[Any] | None:
    """The first row of a hand-written query, or None; UUIDs may be parameters."""
    values = _adapted(parameters)
    with released_connection():
        try:
            return _fetched(query, values)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            # The database was restarted since this thread's last query.
            connection.close()
            return _fetched(query, values)


def _fetched(query: str, values: Sequence[Any]) -> Sequence[Any] | None:
    query = spelled(query, connection.vendor)
    with _prepared_cursor() if connection.vendor == "postgresql" else connection.cursor() as cursor:
        cursor.execute(query, values)
        row: Sequence[Any] | None = cursor.fetchone()
    return row


@contextmanager
def _prepared_cursor() -> Iterator[Any]:
    """A cursor that lets PostgreSQL plan a query once per connection: planning these joins takes longer than running them.

    Django's own cursors put the parameters into the text, so that no two queries are the same.
    """
    from psycopg import Cursor

    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.connection.prepare_threshold = 1
        yield cursor


def as_uuid(value: UUID | str) -> UUID:
    """The UUID in a column, which SQLite keeps as text."""
    return value if isinstance(value, UUID) else UUID(value)


def as_time(value: datetime | str | None) -> datetime | None:
    """The time in a column, which SQLite keeps as text in UTC and gives back without a zone."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@contextmanager
def released_connection() -> Iterator[None]:
    """Give a pooled connection back afterwards if this block took it, in a thread that isn't the main one.

    A thread outside of a request or task has nobody who does that for it, and many threads that wait for a slow API must not
    keep the few connections of the pool.
    """
    taken_here = connection.connection is None
    try:
        yield
    finally:
        if taken_here and current_thread() is not main_thread() and _is_pooled():
            connection.close()


def _is_pooled() -> bool:
    return bool(connection.settings_dict["OPTIONS"].get("pool"))
