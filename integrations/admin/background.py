"""The box that says whether the background work runs: a request of its own, so that a broker that is down slows no page."""

from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from authconfigs.admin.status import Status
from authconfigs.health import UNKNOWN, Health, health
from tenants.models import User

_BY_CALLS = "Tokens aren't renewed ahead; calls renew them themselves. What was missed is caught up"
UNAVAILABLE = f"{_BY_CALLS} once the queue is back."
NO_BEAT = f"{_BY_CALLS} once it runs."
NO_WORKER = "Nobody works through the queue until one runs."


@dataclass(frozen=True)
class Part:
    """A line of the box."""

    name: str
    status: Status
    detail: str = ""


@require_safe
def health_box(request: HttpRequest) -> HttpResponse:
    """The box's content. Figures over all tenants are for platform operators alone."""
    found = health()
    parts = parts_of(found)
    if cast("User", request.user).is_superuser:
        parts += figures_of(found)
    return render(request, "console/health.html", {"parts": parts})


def parts_of(found: Health) -> list[Part]:
    """What everybody reads: the queue, and the two that work through it."""
    available = Status("Available", "good")
    unavailable = Status("Queue unavailable", "bad", UNAVAILABLE)
    parts = [Part("Queue", available if found.broker else unavailable)]
    if found.database:
        beat, worker = found.beat_age_s, found.worker_age_s
        parts.append(_of_process("Celery beat", beat, silent=found.is_beat_silent, without=NO_BEAT))
        if found.is_worker_unknown:
            unknown = Status("Unknown", "quiet", f"It is {UNKNOWN}.")
            parts.append(Part("Celery worker", unknown, _last_sign(worker)))
        else:
            silent = found.is_worker_silent
            parts.append(_of_process("Celery worker", worker, silent=silent, without=NO_WORKER))
    else:
        parts.append(Part("Database", Status("Unavailable", "bad", "It can't be read right now.")))
    return parts


def figures_of(found: Health) -> list[Part]:
    """What platform operators read besides, over all tenants."""
    figures = []
    if found.due is not None:
        detail = f"of all tenants; {found.overdue or 'none'} overdue"
        tone = Status(str(found.due), "warn" if found.overdue else "good")
        figures.append(Part("Tokens due", tone, detail))
    if found.unreadable_data_keys:
        why = "They don't open with FIELD_ENCRYPTION_KEYS: put the missing key back."
        keys = Status(f"{found.unreadable_data_keys} unreadable", "bad", why)
        figures.append(Part("Data keys", keys))
    if found.missing_triggers:
        why = "Its triggers are missing: run `migrate`."
        figures.append(Part("Audit trail", Status("Not protected", "bad", why)))
    return figures


def _of_process(name: str, age: float | None, *, silent: bool, without: str) -> Part:
    if not silent:
        return Part(name, Status("Running", "good"), _last_sign(age))
    word = "Never seen" if age is None else "Silent"
    return Part(name, Status(word, "bad", without), _last_sign(age))


def _last_sign(age: float | None) -> str:
    return "" if age is None else f"last sign of life {_in_words(age)} ago"


def _in_words(seconds: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
