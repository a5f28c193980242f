"""What runs in the background. Tasks take ids, never values; the database says what is to be done, the queue only when."""

from datetime import timedelta
from itertools import islice
from uuid import UUID

from celery import shared_task
from django.conf import settings

from authconfigs import notices
from authconfigs.beat import Part, give_sign
from authconfigs.database import database_now
from authconfigs.models import AuthorizationRequest, TokenEvent
from authconfigs.tokens.bulk import refresh_many
from authconfigs.tokens.due import due_now, in_turn
from tenants.scope import unscoped
from tenants.task_base import ConsoleTask

# Large, so that few tasks wait for the queue; small, so that all workers have some.
CHUNK = 1000
EVENTS_KEPT = timedelta(days=30)
# Whoever comes late is still told that the link was used or has expired.
REQUESTS_KEPT = timedelta(days=1)


@shared_task(base=ConsoleTask)  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Hand out everything that is due, in chunks. What isn't begun when the next sweep comes is dropped: that one finds it."""
    give_sign(Part.WORKER)
    with unscoped("the sweep renews the tokens of all tenants"):
        due = in_turn(due_now(database_now()))
        while ids := [str(one.config_id) for one in islice(due, CHUNK)]:
            refresh_chunk.apply_async([ids], expires=settings.BEAT_SECONDS)


@shared_task(base=ConsoleTask)  # type: ignore[untyped-decorator]
def refresh_chunk(config_ids: list[str]) -> None:
    """Renew the tokens of these configs."""
    refresh_many(map(UUID, config_ids))


@shared_task(base=ConsoleTask)  # type: ignore[untyped-decorator]
def send_mails() -> None:
    """Tell admins what became of their tokens."""
    notices.send_due_mails()


@shared_task(base=ConsoleTask)  # type: ignore[untyped-decorator]
def prune() -> None:
    """Forget old events, and authorization requests that can't be used any more."""
    now = database_now()
    with unscoped("old rows of all tenants are forgotten"):
        TokenEvent.objects.filter(at__lt=now - EVENTS_KEPT).delete()
        AuthorizationRequest.objects.filter(expires_at__lt=now - REQUESTS_KEPT).delete()
