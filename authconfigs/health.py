"""Whether the console does its work: database, broker, clock, workers, due tokens, keys. Never raises for what it finds."""

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import Error, connection
from django.db.models import Q

from authconfigs import datakeys
from authconfigs.beat import Part, last_signs
from authconfigs.database import database_answers, database_now
from authconfigs.tokens.due import due_tokens
from tenants import audit_triggers
from tenants.scope import unscoped

MISSED_BEATS = 3
LATE_BEATS = 2
PATIENCE = 2.0

NO_BEAT = "No token is renewed ahead of time. Start Celery beat."
NO_WORKER = "What Celery beat sends isn't done. Start a Celery worker."
UNKNOWN = "unknown while Celery beat is silent"


@dataclass(frozen=True)
class Pulse:
    """How long ago clock and workers gave a sign of life, in seconds; None means never, or that nobody knows."""

    beat_age_s: float | None
    worker_age_s: float | None

    @property
    def is_beat_silent(self) -> bool:
        return _is_silent(self.beat_age_s)

    @property
    def is_worker_unknown(self) -> bool:
        """Whether nobody can tell: only what the clock sends makes a worker give a sign."""
        return self.is_beat_silent and _is_silent(self.worker_age_s)

    @property
    def is_worker_silent(self) -> bool:
        return not self.is_beat_silent and _is_silent(self.worker_age_s)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong and what to do, a sentence each."""
        found = []
        if self.is_beat_silent:
            found.append(f"{_last_sign('Celery beat', self.beat_age_s)} {NO_BEAT}")
        if self.is_worker_unknown:
            found[-1] += f" Whether a Celery worker runs is {UNKNOWN}."
        if self.is_worker_silent:
            found.append(f"{_last_sign('a Celery worker', self.worker_age_s)} {NO_WORKER}")
        return tuple(found)


@dataclass(frozen=True)
class Health(Pulse):
    """The whole state; figures are None where the database can't tell them.

    `due` tokens wait to be renewed, `overdue` ones for more than two beats. `problems` is empty when all is well.
    """

    database: bool
    broker: bool
    due: int | None
    overdue: int | None
    unreadable_data_keys: int | None
    missing_triggers: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        found = []
        if not self.broker:
            found.append("Queue unavailable: the broker of BROKER_URL doesn't answer.")
        if not self.database:
            found.append("The database can't be read. Is it there, and has `migrate` been run?")
            return tuple(found)
        found += super().problems
        if self.unreadable_data_keys:
            found.append(
                f"{self.unreadable_data_keys} data keys don't open with FIELD_ENCRYPTION_KEYS: put the missing key back."
            )
        if self.missing_triggers:
            found.append(
                f"The audit trail isn't protected: the triggers {', '.join(self.missing_triggers)} are missing. Run `migrate`."
            )
        return tuple(found)


def pulse() -> Pulse:
    """The signs of life alone: one query, for a page."""
    signs, now = last_signs(), database_now()
    return Pulse(_age(signs.get(Part.BEAT), now), _age(signs.get(Part.WORKER), now))


def health() -> Health:
    """Everything, measured now; takes a few seconds at most."""
    broker = broker_answers()
    if database_answers(PATIENCE):
        try:
            return _measured(broker)
        except Error:
            if not connection.in_atomic_block:
                connection.close()
    return Health(
        beat_age_s=None,
        worker_age_s=None,
        database=False,
        broker=broker,
        due=None,
        overdue=None,
        unreadable_data_keys=None,
    )


def broker_answers() -> bool:
    """Whether the broker takes a message within two seconds, as far as can be said without sending one."""
    folder = getattr(settings, "BROKER_DIR", None)
    try:
        if folder is not None:
            with tempfile.TemporaryFile(dir=folder):
                return True
        with current_app.connection_for_write(connect_timeout=PATIENCE) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=PATIENCE)
            return True
    except Exception:
        # Whatever a transport raises; its text may quote the address with its password.
        return False


def _measured(broker: bool) -> Health:
    now, signs = database_now(), last_signs()
    long_ago = now - timedelta(seconds=LATE_BEATS * settings.BEAT_SECONDS)
    waits_long = Q(refresh_after__lte=long_ago) & (
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=long_ago)
    )
    with unscoped("the health of the console isn't that of a tenant"):
        due = due_tokens(now)
        counted = due.count(), due.filter(waits_long).count()
    return Health(
        beat_age_s=_age(signs.get(Part.BEAT), now),
        worker_age_s=_age(signs.get(Part.WORKER), now),
        database=True,
        broker=broker,
        due=counted[0],
        overdue=counted[1],
        unreadable_data_keys=datakeys.unreadable(),
        missing_triggers=tuple(audit_triggers.missing()),
    )


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round(max((now - at).total_seconds(), 0.0), 1)


def _is_silent(age: float | None) -> bool:
    return age is None or age > MISSED_BEATS * settings.BEAT_SECONDS


def _last_sign(who: str, age: float | None) -> str:
    if age is None:
        return f"There was never a sign of {who}."
    return f"The last sign of {who} is {age:.0f} s old."


def document(found: Health) -> dict[str, Any]:
    """What `check_health --json` prints."""
    return {
        "ok": not found.problems,
        "database": found.database,
        "broker": found.broker,
        "beat_age_s": found.beat_age_s,
        "worker_age_s": found.worker_age_s,
        "due": found.due,
        "overdue": found.overdue,
        "unreadable_data_keys": found.unreadable_data_keys,
    }
