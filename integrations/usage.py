"""How often what was used and how it ended: counted in memory, written in batches by a thread of its own.

A call never waits for the database because of this. What a process that is killed hadn't written yet is lost: at most
`USAGE_FLUSH_SECONDS` of figures. Refreshes by the token rooms come in through their signal.
"""

import atexit
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID

from celery.signals import worker_process_shutdown, worker_shutdown
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from authconfigs.database import execute_each
from authconfigs.models import AuthConfig, Credential
from authconfigs.state import ConfigState
from authconfigs.symptoms import Symptom
from authconfigs.tokens import token_asked
from integrations.models import Connection, UsageCount
from tenants.models import Tenant
from tenants.scope import unscoped

logger = logging.getLogger(__name__)

LARGEST_BATCH = 1000
OK = "ok"
_KEY = "tenant_id, connection_id, config_id, slot, hour, kind, outcome"
_ADD = f"""
    INSERT INTO integrations_usagecount AS stored ({_KEY}, count) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT ({_KEY}) DO UPDATE SET count = stored.count + excluded.count"""  # noqa: S608 - constants


@dataclass(frozen=True, order=True)
class Count:
    """What is counted apart, as in `UsageCount`."""

    tenant_id: UUID
    connection_id: UUID
    config_id: UUID
    slot: str
    hour: datetime
    kind: str
    outcome: str


class Recorder:
    """The figures of this process that aren't in the database yet; safe between threads."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop what wasn't written: after a fork it is the parent's, and so may be a lock that is held."""
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._counts: Counter[Count] = Counter()
        self._used: dict[UUID, datetime] = {}
        self._timer: threading.Timer | None = None

    def add(self, count: Count, *, used_at: datetime | None = None) -> None:
        """Count one; `used_at` is when its connection and config were used."""
        with self._lock:
            self._counts[count] += 1
            if used_at is not None:
                self._used[count.connection_id] = self._used[count.config_id] = used_at
            delay = settings.USAGE_FLUSH_SECONDS if self._timer is None else None
            if len(self._counts) == LARGEST_BATCH:
                delay = 0
            if delay is not None:
                self._timer = threading.Timer(delay, self._flush_and_close)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what was counted. What the database doesn't take now is tried again with the next batch."""
        with self._writing:
            with self._lock:
                counts, self._counts = self._counts, Counter()
                used, self._used = self._used, {}
                self._timer = None
            with unscoped("one thread writes what all tenants used"):
                if counts and not _tried(lambda: _write_counts(counts)):
                    with self._lock:
                        self._counts.update(counts)
                if used and not _tried(lambda: _write_used(used)):
                    with self._lock:
                        self._used = {**used, **self._used}

    def _flush_and_close(self) -> None:
        try:
            self.flush()
        finally:
            connection.close()


recorder = Recorder()


def record_use(
    tenant_id: UUID,
    *,
    kind: UsageCount.Kind,
    outcome: str,
    connection_id: UUID | None = None,
    config_id: UUID | None = None,
) -> None:
    """Count a call, test or refresh that ended as `outcome`: "ok" or a symptom. Takes no time worth naming.

    Only a call counts as use of a connection and its config: one that is merely tested isn't used.
    """
    now = timezone.now()
    count = Count(
        tenant_id=tenant_id,
        connection_id=connection_id or UsageCount.NOTHING,
        config_id=config_id or UsageCount.NOTHING,
        slot=Credential.Slot.CURRENT.value if config_id else "",
        hour=now.replace(minute=0, second=0, microsecond=0),
        kind=kind.value,
        outcome=outcome,
    )
    recorder.add(count, used_at=now if kind == UsageCount.Kind.CALL else None)


def _tried(write: Callable[[], None]) -> bool:
    try:
        write()
    except DatabaseError as error:
        logger.warning("Usage couldn't be written now: %s", type(error).__name__)
        return False
    return True


def _write_counts(counts: Counter[Count]) -> None:
    tenants = {count.tenant_id for count in counts}
    alive = set(Tenant.objects.filter(id__in=tenants).values_list("id", flat=True))
    # In one order, so that two processes don't wait for each other.
    rows = [
        (*astuple(count), counts[count]) for count in sorted(counts) if count.tenant_id in alive
    ]
    with transaction.atomic():
        execute_each(_ADD, rows)


def _write_used(used: dict[UUID, datetime]) -> None:
    for used_id, at in used.items():
        earlier = Q(last_used_at=None) | Q(last_used_at__lt=at)
        Connection.objects.filter(earlier, id=used_id).update(last_used_at=at)
        AuthConfig.objects.filter(earlier, id=used_id).update(last_used_at=at)


def flush(**_: object) -> None:
    """Write what this process has counted: before it ends, or because somebody wants to read the figures now."""
    recorder.flush()


def _refreshed(state: ConfigState, symptom: Symptom | None, **_: object) -> None:
    record_use(
        state.tenant_id,
        kind=UsageCount.Kind.REFRESH,
        outcome=symptom or OK,
        config_id=state.config_id,
    )


def _at_exit() -> None:
    if settings.USAGE_FLUSH_SECONDS is not None:
        recorder.flush()


def start() -> None:
    """Called once, when the app is ready."""
    token_asked.connect(_refreshed)
    worker_process_shutdown.connect(flush)
    worker_shutdown.connect(flush)
    os.register_at_fork(after_in_child=recorder.forget)
    atexit.register(_at_exit)
