"""What the hand-written queries need on either database: its time, its spelling of values, and giving a connection back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone


def database_now() -> datetime:
    """The time that all processes agree on, also inside a transaction. SQLite has no other clock than this machine's."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


@cache
def spelled(query: str, vendor: str) -> str:
    """The query with `{now}` and `{join_texts}` in the database's own words."""
    if vendor == "sqlite":
        return query.format(now="NULL", join_texts="group_concat")
    return query.format(now="clock_timestamp()", join_texts="string_agg")


def fetch_one(query: str, parameters: Sequence[Any]) -> Sequence[Any] | None:
    """The first row of a hand-written query, or None; UUIDs may be parameters."""
    native = connection.features.has_native_uuid_field
    values = [
        value.hex if isinstance(value, UUID) and not native else value for value in parameters
    ]
    with released_connection(), connection.cursor() as cursor:
        cursor.execute(spelled(query, connection.vendor), values)
        row: Sequence[Any] | None = cursor.fetchone()
    return row


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
    """Give a pooled connection back afterwards if this block took it.

    A thread outside of a request or task has nobody who does that for it, and threads that wait for a slow API must not
    keep the few connections of the pool.
    """
    taken_here = connection.connection is None
    try:
        yield
    finally:
        if taken_here and connection.settings_dict["OPTIONS"].get("pool"):
            connection.close()
