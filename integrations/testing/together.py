"""A bulk test as a worker runs it: what is left of it stands in the database, and one worker at a time has its turn.

A worker that dies is followed by another one once its turn has run out.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import connection as database
from django.db.models import Q

from authconfigs.database import database_now
from integrations.models import BulkTest, BulkTestItem
from integrations.targets import Name
from integrations.testing.bulk import AT_ONCE, PER_ORIGIN, test_connections
from integrations.testing.turns import LONGEST_TEST
from tenants.actor import Actor, acting_as
from tenants.models import Tenant
from tenants.scope import tenant_scope, unscoped

KEPT = timedelta(days=30)
# A turn is prolonged with every test that begins.
TURN = 2 * LONGEST_TEST
# A task ends well before its time limit; the next one goes on.
LONGEST_TASK = timedelta(seconds=45)


def unfinished() -> list[UUID]:
    """The bulk tests of all tenants that no worker is at."""
    free = Q(runner=None) | Q(runner_until__lte=database_now())
    with unscoped("bulk tests of all tenants are taken up again"):
        rows = BulkTest.objects.filter(free, finished_at=None)
        return list(rows.values_list("id", flat=True))


def forget_old() -> None:
    """Delete the bulk tests that ended long ago; the tests themselves have their own age."""
    with unscoped("old bulk tests of all tenants are forgotten"):
        BulkTest.objects.filter(finished_at__lt=database_now() - KEPT).delete()


def run(bulk_id: UUID) -> bool:
    """Test what is left of a bulk test; nothing while another worker is at it. Whether something is left afterwards."""
    with unscoped("a bulk test is found by its id"):
        bulk = BulkTest.objects.filter(id=bulk_id).first()
    if bulk is None:
        return False
    with tenant_scope(bulk.tenant_id):
        return _Runner(bulk).go()


class _Runner:
    def __init__(self, bulk: BulkTest) -> None:
        self._bulk = bulk
        self._owner = uuid4()
        self._until = database_now() + LONGEST_TASK
        self._actor = Actor(bulk.actor_id, bulk.actor, address=None, via="system")
        self._tenant = Tenant.objects.get(id=bulk.tenant_id)
        self._lock = threading.Lock()
        self._testing: Counter[str] = Counter()
        self._left: list[BulkTestItem] = []

    def go(self) -> bool:
        if not self._takes_turn():
            return False
        items = self._bulk.items.filter(done_at=None)
        self._left = list(
            items.select_related("connection__integration", "connection__environment")
        )
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for done in [threads.submit(self._work) for _ in range(AT_ONCE)]:
                done.result()
        BulkTest.objects.filter(id=self._bulk.id, runner=self._owner).update(
            runner=None, runner_until=None
        )
        if self._bulk.items.filter(done_at=None).exists():
            return BulkTest.objects.filter(id=self._bulk.id, finished_at=None).exists()
        BulkTest.objects.filter(id=self._bulk.id, finished_at=None).update(
            finished_at=database_now()
        )
        return False

    def _takes_turn(self) -> bool:
        now = database_now()
        free = Q(runner=None) | Q(runner=self._owner) | Q(runner_until__lte=now)
        rows = BulkTest.objects.filter(free, id=self._bulk.id, finished_at=None)
        return bool(rows.update(runner=self._owner, runner_until=now + TURN))

    def _work(self) -> None:
        """In a thread: one test after the other, as long as the turn lasts."""
        with tenant_scope(self._bulk.tenant_id), acting_as(self._actor):
            try:
                while (item := self._next()) is not None:
                    self._test(item)
            finally:
                database.close()

    def _next(self) -> BulkTestItem | None:
        if database_now() >= self._until or not self._takes_turn():
            return None
        with self._lock:
            for item in self._left:
                host = item.connection.host
                if self._testing[host] < PER_ORIGIN:
                    self._left.remove(item)
                    self._testing[host] += 1
                    return item
        return None

    def _test(self, item: BulkTestItem) -> None:
        connection = item.connection
        name = Name(
            self._tenant.slug,
            connection.integration.slug,
            connection.environment.slug,
            connection.name,
        )
        try:
            tests = test_connections([name], scheduled=True)
        finally:
            with self._lock:
                self._testing[connection.host] -= 1
        found = (
            {"test_id": tests[0].id, "ok": tests[0].ok, "symptom": tests[0].symptom}
            if tests
            else {}
        )
        BulkTestItem.objects.filter(id=item.id).update(done_at=database_now(), **found)
