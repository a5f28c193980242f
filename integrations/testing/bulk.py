"""Many connections at once: counts as one test, and runs at most 4 at a time per origin."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from uuid import uuid4

from django.db import connection

from authconfigs.database import database_now
from authconfigs.outgoing import origin_of
from authconfigs.state import UnknownName
from authconfigs.symptoms import Stage, Symptom
from authconfigs.transport.transactions import refuse_open_transaction
from integrations.diagnosis import Explanation
from integrations.evidence import Mask
from integrations.models import ConnectionTest
from integrations.targets import Name, Target, load_target
from integrations.testing.judging import Verdict
from integrations.testing.rate import count_start
from integrations.testing.single import tested, too_many
from integrations.testing.storing import Account, Begun, row_of, store
from tenants.actor import Actor, acting_as, current_actor

logger = logging.getLogger(__name__)

AT_ONCE, PER_ORIGIN = 16, 4


def test_connections(names: Sequence[Name], *, scheduled: bool = False) -> list[ConnectionTest]:  # noqa: PT028 - no test of pytest
    """Test them all, in their order; those that are gone meanwhile are left out, and one that breaks off says so.

    `scheduled`: nobody started it, so it isn't counted. Raises TransactionManagementError inside a database transaction.
    """
    refuse_open_transaction()
    targets = []
    for name in names:
        with suppress(UnknownName):
            targets.append(load_target(name))
    waits = {
        tenant_id: None if scheduled else count_start(tenant_id)
        for tenant_id in {target.tenant_id for target in targets}
    }
    rows = [
        _refused(target, wait)
        for target in targets
        if (wait := waits[target.tenant_id]) is not None
    ]
    return rows + _run([target for target in targets if waits[target.tenant_id] is None])


def _refused(target: Target, wait: float) -> ConnectionTest:
    begun = Begun(uuid4(), database_now(), time.perf_counter())
    return store(too_many(begun, wait, target=target), tenant_id=target.tenant_id)


def _run(targets: Sequence[Target]) -> list[ConnectionTest]:
    if len(targets) == 1:
        rows = [_tested(targets[0])]
    else:
        turns: defaultdict[str, threading.Semaphore] = defaultdict(
            lambda: threading.Semaphore(PER_ORIGIN)
        )
        work = [(target, turns[_origin(target)]) for target in targets]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            rows = list(pool.map(partial(_in_thread, current_actor()), work))
    return [row for row in rows if row is not None]


def _in_thread(actor: Actor, work: tuple[Target, threading.Semaphore]) -> ConnectionTest | None:
    target, turn = work
    # A thread starts as nobody, and nobody closes its connection.
    with turn, acting_as(actor):
        try:
            return _tested(target)
        finally:
            connection.close()


def _tested(target: Target) -> ConnectionTest | None:
    try:
        return tested(target, counted=False, bulk=True)
    except UnknownName:
        return None
    except Exception as error:
        # A bug that one of them meets is no reason to test none of the others.
        logger.error("The test of %s broke off: %s", target.name, type(error).__name__)
        return _broken_off(target, error)


def _broken_off(target: Target, error: Exception) -> ConnectionTest | None:
    told = Explanation(
        f"The test broke off inside of the console ({type(error).__name__}).",
        "The console itself has met something that it wasn't made for: neither the API nor the auth config need be wrong.",
        ("Test this connection by itself.", "Tell whoever runs the console: its log has the time."),
    )
    verdict = Verdict(Symptom.PROVIDER_ERROR, Stage.CONFIG, None, told)
    begun = Begun(uuid4(), database_now(), time.perf_counter())
    row = row_of(begun, verdict, Account(), mask=Mask(()), target=target, config=target.config)
    with suppress(UnknownName):
        return store(row, tenant_id=target.tenant_id)
    return None


def _origin(target: Target) -> str:
    try:
        return origin_of(target.base_url)
    except ValueError:
        return target.base_url
