"""Who may run: one test at a time per connection, one negative control at a time per origin, in all processes.

Both are claimed by a conditional write and end by themselves when whoever claimed them dies.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from authconfigs.database import database_now, released_connection
from authconfigs.state import UnknownName
from authconfigs.transport import Deadline
from integrations.models import Connection, ControlTurn
from integrations.targets import Target
from tenants.scope import tenant_scope

# Longer than a whole test, storing included.
LONGEST_TEST = timedelta(seconds=15)
PAUSE = 0.05


def claim_test(target: Target, owner: UUID) -> UUID | None:
    """None when `owner` may test the connection now, else the owner of the test that is running.

    Raises UnknownName when the connection is gone.
    """
    with tenant_scope(target.tenant_id), released_connection():
        now = database_now()
        connection = Connection.objects.filter(id=target.connection_id)
        free = Q(testing_owner=None) | Q(testing_until=None) | Q(testing_until__lte=now)
        while True:
            if connection.filter(free).update(
                testing_owner=owner, testing_until=now + LONGEST_TEST
            ):
                return None
            running = connection.values_list("testing_owner", flat=True).first()
            if running is not None:
                return running
            if not connection.exists():
                raise UnknownName("The connection isn't there any more.")


def is_testing(target: Target, owner: UUID) -> bool:
    """Whether that test is still running."""
    with tenant_scope(target.tenant_id), released_connection():
        return Connection.objects.filter(
            id=target.connection_id, testing_owner=owner, testing_until__gt=database_now()
        ).exists()


def release_test(target: Target, owner: UUID) -> None:
    """The test is over; nothing happens when another one has begun meanwhile."""
    with tenant_scope(target.tenant_id), released_connection():
        Connection.objects.filter(id=target.connection_id, testing_owner=owner).update(
            testing_owner=None, testing_until=None
        )


@contextmanager
def control_turn(origin: str, owner: UUID, *, deadline: Deadline) -> Iterator[bool]:
    """Whether it became our turn at this origin before the deadline; it ends with the block."""
    taken = _take(origin, owner)
    while not taken and deadline.remaining() > PAUSE:
        time.sleep(PAUSE)
        taken = _take(origin, owner)
    try:
        yield taken
    finally:
        if taken:
            with released_connection():
                ControlTurn.objects.filter(origin=origin, owner=owner).delete()


def _take(origin: str, owner: UUID) -> bool:
    with released_connection():
        now = database_now()
        turn = ControlTurn.objects.filter(origin=origin)
        if turn.filter(until__lte=now).update(owner=owner, until=now + LONGEST_TEST):
            return True
        if turn.exists():
            return False
        try:
            with transaction.atomic():
                ControlTurn.objects.create(origin=origin, owner=owner, until=now + LONGEST_TEST)
        except IntegrityError:
            return False
        return True
