"""Everything that is stored, as a thief would have it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection


def stored() -> Iterator[tuple[str, str | bytes]]:
    """Each place that the console stores things in, and what stands there."""
    yield from _tables()
    yield from _sessions()
    yield from _broker()
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        for each in file.parent.glob(f"{file.name}*"):
            yield f"the file {each.name}", _bytes_of_database(each)


def _bytes_of_database(file: Path) -> bytes:
    # In a process of its own: whoever closes a file loses all locks on it, SQLite's too ("How To Corrupt", 2.2).
    return subprocess.run(["cat", str(file)], capture_output=True, check=True).stdout


def _tables() -> Iterator[tuple[str, str | bytes]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            columns = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
            for number, column in enumerate(columns):
                cells = b"\n".join(_bytes_of(row[number]) for row in rows)
                yield f"the column {table}.{column}", cells


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def _sessions() -> Iterator[tuple[str, str]]:
    # They are compressed.
    for session in Session.objects.all():
        yield "a session", str(session.get_decoded())


def _broker() -> Iterator[tuple[str, str | bytes]]:
    address = settings.CELERY_BROKER_URL
    if address.startswith("redis"):
        server = redis.Redis.from_url(address)
        for key in server.scan_iter():
            yield f"the broker's key {key!r}", server.dump(key) or b""
        server.close()
        return
    for file in Path(settings.BROKER_DIR).rglob("*"):
        if file.is_file():
            yield f"the broker's file {file.name}", file.read_bytes()
