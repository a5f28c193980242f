"""Bulk tests: many connections that somebody has tested together, in the background. Begun, cancelled, and looked at."""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from authconfigs.database import database_now
from integrations.models import BulkTest, BulkTestItem, Connection
from integrations.tasks import run_bulk_test
from integrations.testing.rate import count_start
from tenants.actor import current_actor
from tenants.scope import active_tenant_id


class NotBegun(Exception):
    """A bulk test couldn't be begun; the text says why and what to do."""


def begin(connections: Sequence[Connection], *, title: str) -> BulkTest:
    """Let the workers test these connections of the active tenant, in their order. Counts as one test.

    Raises NotBegun when the queue is away or the tenant has started too many tests: nothing is tested then.
    """
    wait = count_start(active_tenant_id())
    if wait is not None:
        limit = settings.TEST_RATE_PER_MINUTE
        raise NotBegun(
            f"This tenant has started {limit} tests in the last minute: wait {wait:.0f} seconds, then begin again."
        )
    actor = current_actor()
    with transaction.atomic():
        bulk = BulkTest.objects.create(
            title=title[:300], actor=actor.name[:200], actor_id=actor.user_id
        )
        BulkTestItem.objects.bulk_create(
            BulkTestItem(bulk_test=bulk, connection=connection, position=position)
            for position, connection in enumerate(connections)
        )
    try:
        run_bulk_test.delay(str(bulk.id))
    except (OperationalError, OSError):
        bulk.delete()
        raise NotBegun(
            "Queue unavailable: nothing was begun. Test single connections meanwhile, or begin again once the queue is back."
        ) from None
    return bulk


def cancel(bulk: BulkTest) -> bool:
    """Begin no further test of it; those that run are ended. Whether there was something to cancel."""
    now = database_now()
    rows = BulkTest.objects.filter(id=bulk.id, finished_at=None)
    return bool(rows.update(cancelled_at=now, finished_at=now))
