"""How many tests a tenant starts one by one: at most TEST_RATE_PER_MINUTE within any 60 seconds, in all processes."""

from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from authconfigs.database import database_now, released_connection
from integrations.models import StartedTests
from tenants.scope import tenant_scope

WINDOW = 60.0


def count_start(tenant_id: UUID) -> float | None:
    """Count one test that starts now. None when it may, else the seconds until one may; nothing is counted then."""
    with tenant_scope(tenant_id), released_connection():
        while True:
            row = StartedTests.objects.first()
            if row is None:
                _make_row()
                continue
            now = database_now().timestamp()
            recent = [start for start in row.starts if now - WINDOW < start <= now]
            if len(recent) >= settings.TEST_RATE_PER_MINUTE:
                return float(max(1.0, recent[-settings.TEST_RATE_PER_MINUTE] + WINDOW - now))
            mine = StartedTests.objects.filter(id=row.id, version=row.version)
            if mine.update(starts=[*recent, now], version=row.version + 1):
                return None


def _make_row() -> None:
    try:
        with transaction.atomic():
            StartedTests.objects.create()
    except IntegrityError:
        # Another process was faster.
        return
