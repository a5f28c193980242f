"""Keeps what a test found: its row, the connection's last result, the audit trail and the figures of use."""

import platform
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce

from authconfigs.database import released_connection
from authconfigs.models import AuthConfig
from authconfigs.state import ConfigState, UnknownName
from authconfigs.symptoms import Symptom
from integrations.evidence import Mask
from integrations.models import Connection, ConnectionTest, UsageCount
from integrations.targets import Target
from integrations.testing.judging import Verdict
from integrations.testing.steps import Step
from integrations.usage import OK, record_use
from tenants.actor import current_actor
from tenants.audit import record
from tenants.scope import tenant_scope

KEPT = 200
LONGEST_SUMMARY = 1000


@dataclass(frozen=True)
class Begun:
    """A test that has begun: its id (which is also the owner of the connection's turn) and when, by either clock."""

    id: UUID
    at: datetime
    clock: float

    @property
    def elapsed_ms(self) -> int:
        return round((time.perf_counter() - self.clock) * 1000)


@dataclass(frozen=True)
class Account:
    """What a run tells besides its verdict."""

    steps: tuple[Step, ...] = ()
    token_refreshed: bool = False
    warnings: tuple[str, ...] = ()
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None


def row_of(
    begun: Begun,
    verdict: Verdict,
    account: Account,
    *,
    mask: Mask,
    target: Target | None,
    config: ConfigState | None,
) -> ConnectionTest:
    """The row of a test, not saved; every text in it is masked."""
    told = verdict.told
    return ConnectionTest(
        id=begun.id,
        connection_id=target.connection_id if target else None,
        config_id=config.config_id if config else None,
        started_at=begun.at,
        actor=current_actor().name[:200],
        ok=verdict.symptom is None,
        symptom=verdict.symptom or "",
        stage=verdict.stage.value,
        status=verdict.status,
        summary=mask.text(told.summary)[:LONGEST_SUMMARY],
        likely_cause=mask.text(told.likely_cause),
        checks=[mask.text(check) for check in told.checks],
        check_fields=list(told.fields),
        steps=[asdict(step) | {"detail": mask.text(step.detail)} for step in account.steps],
        negative_control=verdict.control.value,
        token_refreshed=account.token_refreshed,
        duration_ms=begun.elapsed_ms,
        host=platform.node()[:200],
        config_revision=config.revision if config else None,
        connection_revision=target.revision_number if target else None,
        warnings=[mask.text(warning) for warning in account.warnings],
        request=account.request or {},
        response=account.response or {},
    )


def store(row: ConnectionTest, *, tenant_id: UUID) -> ConnectionTest:
    """Save a test, and free its connection for the next one. Raises UnknownName when that is gone."""
    record_use(
        tenant_id,
        kind=UsageCount.Kind.TEST,
        outcome=row.symptom or OK,
        connection_id=row.connection_id,
        config_id=row.config_id,
    )
    with tenant_scope(tenant_id), released_connection():
        try:
            with transaction.atomic():
                _save(row)
        except (IntegrityError, Connection.DoesNotExist, AuthConfig.DoesNotExist):
            raise UnknownName("What was tested isn't there any more.") from None
    return row


def _save(row: ConnectionTest) -> None:
    tested: Connection | AuthConfig
    if row.connection_id is not None:
        connection = Connection.objects.filter(id=row.connection_id)
        tested = connection.select_related("environment").get()
        row.save(force_insert=True)
        _note(row, connection)
        _prune(ConnectionTest.objects.filter(connection_id=row.connection_id))
    else:
        assert row.config_id is not None  # noqa: S101 - a test is of one of them
        tested = AuthConfig.objects.get(id=row.config_id)
        row.save(force_insert=True)
        _prune(ConnectionTest.objects.filter(connection=None, config_id=row.config_id))
    record("test", tested, outcome=row.symptom or "ok")


def _note(row: ConnectionTest, connection: QuerySet[Connection]) -> None:
    """The connection's last result; a test that wasn't run because of our own limit says nothing about it."""
    connection.filter(testing_owner=row.id).update(testing_owner=None, testing_until=None)
    if row.symptom == Symptom.TOO_MANY_TESTS:
        return
    result: dict[str, Any] = {
        "last_test_at": row.started_at,
        "last_test_ok": row.ok,
        "last_test_symptom": row.symptom,
        "last_test_stage": row.stage,
        "last_test_revision": row.connection_revision,
        "last_test_config_revision": row.config_revision or 0,
    }
    if row.ok:
        result |= {"last_success_at": row.started_at, "failing_since": None}
    else:
        result["failing_since"] = Coalesce("failing_since", Value(row.started_at))
    connection.update(**result)


def _prune(ours: QuerySet[ConnectionTest]) -> None:
    """Keep the last 200 and the last success; of those that our own limit refused, the last one."""
    newest = ours.order_by("-started_at", "-id").values_list("id", flat=True)
    refused = newest.filter(symptom=Symptom.TOO_MANY_TESTS)
    outdated = {*newest[KEPT:], *refused[1:]} - {newest.filter(ok=True).first()}
    if outdated:
        ours.filter(id__in=outdated).delete()
