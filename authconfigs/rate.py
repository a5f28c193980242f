"""How often a tenant's people start what sends requests: a limit within any 60 seconds, in all processes."""

from uuid import UUID

from django.db import IntegrityError, transaction

from authconfigs.database import database_now, released_connection
from authconfigs.models import Starts
from tenants.scope import tenant_scope

WINDOW = 60.0


def count_start(tenant_id: UUID, kind: Starts.Kind, *, limit: int) -> float | None:
    """Count one start now. None when it may, else the seconds until one may; nothing is counted then."""
    with tenant_scope(tenant_id), released_connection():
        while True:
            row = Starts.objects.filter(kind=kind).first()
            if row is None:
                _make_row(kind)
                continue
            now = database_now().timestamp()
            recent = [start for start in row.starts if now - WINDOW < start <= now]
            if len(recent) >= limit:
                return float(max(1.0, recent[-limit] + WINDOW - now))
            mine = Starts.objects.filter(id=row.id, version=row.version)
            if mine.update(starts=[*recent, now], version=row.version + 1):
                return None


def _make_row(kind: Starts.Kind) -> None:
    try:
        with transaction.atomic():
            Starts.objects.create(kind=kind)
    except IntegrityError:
        # Another process was faster.
        return
