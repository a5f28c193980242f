"""Database triggers that keep the audit trail as it was written, on SQLite and on PostgreSQL.

They refuse UPDATE, TRUNCATE, an INSERT of an id that exists (as `INSERT OR REPLACE` would), and DELETE of rows younger than
`KEPT_DAYS`. When a migration alters the table, SQLite rebuilds it and drops them without a word: so they are installed after
every migrate.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

KEPT_DAYS = 90
TABLE = "tenants_auditevent"

_SQLITE: Mapping[str, str] = {
    "tenants_audit_update": f"BEFORE UPDATE ON {TABLE}",
    # A replaced row fires no DELETE trigger, and is found by its hidden rowid, too.
    "tenants_audit_insert": (
        "BEFORE INSERT ON tenants_auditevent"
        " WHEN EXISTS"
        " (SELECT 1 FROM tenants_auditevent WHERE id = NEW.id OR rowid = NEW.rowid)"
    ),
    "tenants_audit_delete": (
        f"BEFORE DELETE ON {TABLE}"
        f" WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-{KEPT_DAYS} days')"
    ),
}
_POSTGRESQL: Mapping[str, str] = {
    "tenants_audit_update": f"BEFORE UPDATE ON {TABLE} FOR EACH ROW",
    "tenants_audit_truncate": f"BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT",
    "tenants_audit_delete": (
        f"BEFORE DELETE ON {TABLE} FOR EACH ROW WHEN (OLD.at > now() - interval '{KEPT_DAYS} days')"
    ),
}
_REFUSAL = "The audit trail is append-only."
_POSTGRESQL_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION tenants_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


def install(using: str = "default") -> None:
    """Put the triggers there, in place of those that are there. Does nothing without the table."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL_FUNCTION)
        for name, event in _triggers(connection).items():
            _drop(cursor, name, connection.vendor)
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION tenants_audit_refuse()"
                )
            else:
                cursor.execute(
                    f"CREATE TRIGGER {name} {event} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
                )


def remove(using: str = "default") -> None:
    """Take the triggers away: for tests that empty the whole database, and for nothing else."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for name in _triggers(connection):
            _drop(cursor, name, connection.vendor)


def missing(using: str = "default") -> list[str]:
    """Names of the triggers that should be there and aren't, or are switched off."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled <> 'D'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [TABLE])
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in _triggers(connection) if name not in there]


def install_after_migrate(*, using: str, **signal: Any) -> None:
    """Receiver of `post_migrate`."""
    install(using)


def _triggers(connection: BaseDatabaseWrapper) -> Mapping[str, str]:
    return _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE


def _drop(cursor: CursorWrapper, name: str, vendor: str) -> None:
    cursor.execute(
        f"DROP TRIGGER IF EXISTS {name}" + (f" ON {TABLE}" if vendor == "postgresql" else "")
    )
