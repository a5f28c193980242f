from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.utils import timezone

from tenants import audit_triggers
from tenants.audit import record, triggers_missing
from tenants.models import AuditEvent

pytestmark = pytest.mark.django_db


def refused(statement: str, parameters: list[UUID | str] | None = None) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    except DatabaseError:
        return True
    return False


def stored(event: AuditEvent) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT outcome FROM tenants_auditevent WHERE id = %s", [key(event)])
        row = cursor.fetchone()
    return str(row[0])


def key(event: AuditEvent) -> UUID | str:
    return event.id.hex if connection.vendor == "sqlite" else event.id


def written(*, days_ago: float = 0) -> AuditEvent:
    event = record("call", tenant_id=None)
    if days_ago:
        event = AuditEvent(id=uuid4(), action="old", at=timezone.now() - timedelta(days=days_ago))
        event.save(force_insert=True)
    return event


def test_a_row_cant_be_updated() -> None:
    event = written()
    assert refused("UPDATE tenants_auditevent SET outcome = 'forged'")
    assert stored(event) == "ok"


COLUMNS = [str(column.column) for column in AuditEvent._meta.concrete_fields]
FORGED = ", ".join("'forged'" if name == "outcome" else name for name in COLUMNS)
COPY = " ".join(
    ["INTO tenants_auditevent (", ", ".join(COLUMNS), ") SELECT", FORGED, "FROM tenants_auditevent"]
)


def test_a_row_cant_be_replaced_by_its_id() -> None:
    event = written()
    if connection.vendor == "sqlite":
        assert refused(f"INSERT OR REPLACE {COPY}")
    assert refused(f"INSERT {COPY}")
    assert refused(
        f"INSERT {COPY} WHERE true ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome"
    )
    assert stored(event) == "ok"


def test_a_row_cant_be_replaced_by_its_hidden_rowid() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has a hidden rowid")
    event = written()
    by_rowid = COPY.replace("( id", "( rowid, id").replace("SELECT id", "SELECT rowid, 'another'")
    assert refused(f"INSERT OR REPLACE {by_rowid}")
    assert stored(event) == "ok"


def test_the_table_cant_be_emptied() -> None:
    event = written()
    assert refused("DELETE FROM tenants_auditevent")
    if connection.vendor == "postgresql":
        assert refused("TRUNCATE tenants_auditevent")
        assert refused("TRUNCATE tenants_auditevent CASCADE")
    assert stored(event) == "ok"


def test_rows_are_kept_for_90_days_and_may_go_then() -> None:
    young, old = written(days_ago=89.9), written(days_ago=90.1)
    assert refused("DELETE FROM tenants_auditevent WHERE id = %s", [key(young)])
    assert not refused("DELETE FROM tenants_auditevent WHERE id = %s", [key(old)])


def test_triggers_are_there_after_migrate_also_when_they_were_lost() -> None:
    assert triggers_missing() == []
    audit_triggers.remove()
    assert triggers_missing()
    call_command("migrate", verbosity=0)
    assert triggers_missing() == []


@pytest.mark.django_db(transaction=True)
def test_rows_are_safe_after_a_migration_that_alters_their_table() -> None:
    alter_outcome(max_length=120)
    call_command("migrate", verbosity=0)
    try:
        assert triggers_missing() == []
        event = written()
        assert refused("UPDATE tenants_auditevent SET outcome = 'forged'")
        assert stored(event) == "ok"
    finally:
        alter_outcome(max_length=100)


def alter_outcome(*, max_length: int) -> None:
    before = ProjectState.from_apps(apps)
    after = before.clone()
    column = migrations.AlterField("auditevent", "outcome", models.CharField(max_length=max_length))
    column.state_forwards("tenants", after)
    with connection.schema_editor() as editor:
        column.database_forwards("tenants", editor, before, after)


def test_a_check_of_the_database_reports_lost_triggers() -> None:
    def found() -> list[str]:
        return [
            message.id or ""
            for message in run_checks(tags=["database"], databases=["default"])
            if (message.id or "").startswith("tenants.")
        ]

    assert found() == []
    audit_triggers.remove()
    assert found() == ["tenants.W004"]


@pytest.mark.django_db(transaction=True)
def test_a_transactional_test_may_write_the_audit_trail() -> None:
    written()


def test_and_finds_the_triggers_installed_again_afterwards() -> None:
    assert triggers_missing() == []
