"""Many tokens by one task: its threads do nothing but HTTP, its own thread everything else, in windows and batches.

    pending -> take_window (leases, unsealed) -> threads (exchange) -> results -> settled (compare-and-swap per row)

Whatever one config does, slow, unreadable or broken, costs the others nothing but its place among those in flight.
"""

import logging
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections

from authconfigs.database import database_now
from authconfigs.state import ConfigEdited
from authconfigs.tokens.due import due_now, in_turn
from authconfigs.tokens.exchange import LeaseLost, check_origins
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.outcomes import Outcome
from authconfigs.tokens.renewal import outcome_of, settled
from authconfigs.tokens.window import Work, failure_from, take_window
from authconfigs.tokens.withdrawal import LATE_WAIT, withdraw_late
from authconfigs.transport import Deadline, default_door
from tenants.scope import tenant_scope, unscoped

logger = logging.getLogger(__name__)

# A chunk takes nothing new after this: the next sweep finds what is left.
LONGEST_TAKING = 30.0
# Results that come this close together are stored together.
GATHERING = 0.02
# While a slow provider holds the task, it looks this often for other work, and takes so much of it.
LOOKING = 1.0
MOST_FOUND = 1000


@dataclass(frozen=True)
class Flight:
    """An exchange that has landed; without an outcome where there is nothing to store."""

    host: str
    work: Work
    outcome: Outcome | None


def refresh_many(config_ids: Iterable[UUID]) -> None:
    """Renew the tokens of these configs, of whichever tenants, as far as they are due and nobody is at them.

    Raises OperationalError when the database went away; what was asked for until then is stored if it comes back in time.
    """
    with (
        unscoped("a chunk has tokens of many tenants"),
        ThreadPoolExecutor(settings.REFRESH_CONCURRENCY) as threads,
    ):
        _Chunk(threads).run(config_ids)


class _Chunk:
    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._taking = Deadline.after(LONGEST_TAKING)
        # By tenant, so that nobody waits behind another's many hosts; per host, so that a limit of one holds up nobody else.
        self._pending: dict[UUID, dict[str, deque[UUID]]] = {}
        self._hosts: dict[UUID, str] = {}
        self._flying: Counter[str] = Counter()
        self._landed: SimpleQueue[Flight] = SimpleQueue()
        self._looked_at = time.monotonic()
        self._failure: Exception | None = None

    def run(self, config_ids: Iterable[UUID]) -> None:
        self._guarded(lambda: self._add(of=list(config_ids)))
        while True:
            self._guarded(self._fill)
            if not self._flying.total():
                break
            landed = self._gathered()
            self._guarded(partial(self._store, landed))
            if not self._pending and time.monotonic() - self._looked_at > LOOKING:
                self._guarded(self._add)
        if self._failure is not None:
            raise self._failure

    def _guarded(self, step: Callable[[], None]) -> None:
        """Without its database a chunk takes nothing more, and waits for what is in flight."""
        try:
            step()
        except (OperationalError, InterfaceError) as error:
            self._failure = self._failure or error
            self._pending.clear()
            self._taking = Deadline.after(0)
            connection.close()

    def _add(self, of: Sequence[UUID] | None = None) -> None:
        """Line up what is due; without ids whatever there is, in an order that other processes don't take, too."""
        self._looked_at = time.monotonic()
        if self._taking.expired:
            return
        found = due_now(database_now(), of=of, most=MOST_FOUND if of is None else None)
        if of is None:
            random.shuffle(found)
        for one in in_turn(found):
            hosts = self._pending.setdefault(one.tenant_id, {})
            hosts.setdefault(one.host, deque()).append(one.config_id)
            self._hosts[one.config_id] = one.host

    def _fill(self) -> None:
        while config_ids := self._next():
            works, failed = take_window(config_ids)
            for work in works:
                host = self._hosts[work.lease.state.config_id]
                self._flying[host] += 1
                self._threads.submit(self._ask, host, work)
            _settle(failed)

    def _next(self) -> list[UUID]:
        """The next window, as far as the limits allow; none while it would be a small one and more comes anyway."""
        if self._taking.expired:
            self._pending.clear()
        waiting = Counter[str]()
        for hosts in self._pending.values():
            waiting.update({host: len(queue) for host, queue in hosts.items()})
        limit, per_host = settings.REFRESH_CONCURRENCY, settings.REFRESH_PER_HOST
        flying = self._flying.total()
        room = {host: min(per_host - self._flying[host], waiting[host]) for host in waiting}
        size = min(limit - flying, sum(room.values()))
        least = max(1, min(limit // 8, per_host // 2))
        if flying and size < min(least, waiting.total()):
            return []
        window: list[UUID] = []
        while len(window) < size:
            for tenant_id in list(self._pending)[: size - len(window)]:
                window.extend(self._one_of(tenant_id, room))
        return window

    def _one_of(self, tenant_id: UUID, room: dict[str, int]) -> list[UUID]:
        """The tenant's next config at a host that has room; none where it has to wait. Tenants take turns, and hosts of each."""
        hosts = self._pending.pop(tenant_id)
        found = []
        host = next((host for host in hosts if room[host] > 0), None)
        if host is not None:
            room[host] -= 1
            queue = hosts.pop(host)
            found.append(queue.popleft())
            if queue:
                hosts[host] = queue
        if hosts:
            self._pending[tenant_id] = hosts
        return found

    def _ask(self, host: str, work: Work) -> None:
        """In a thread: one exchange. Whatever happens, it lands."""
        outcome, state = None, work.lease.state
        try:
            with tenant_scope(state.tenant_id):
                check_origins(state)
                outcome = outcome_of(
                    work.lease,
                    work.refresh_token,
                    grant=GRANTS[state.method.code],
                    stored=work.stored,
                    asked_at=work.asked_at,
                    door=default_door().for_environment(protected=state.protected),
                    deadline=Deadline.after(2 * settings.OUTBOUND_TIMEOUT),
                )
        except (LeaseLost, ConfigEdited):
            pass
        except Exception as error:
            outcome = Outcome(work.lease, work.asked_at, failure_from(error))
        finally:
            self._land(host, work, outcome)

    def _withdraw(self, host: str, work: Work, late: Outcome) -> None:
        """In a thread: withdraw a token that nobody wants any more."""
        try:
            withdraw_late(late, deadline=Deadline.after(LATE_WAIT))
        finally:
            self._land(host, work, None)

    def _land(self, host: str, work: Work, outcome: Outcome | None) -> None:
        for used in connections.all(initialized_only=True):
            used.close()
        self._landed.put(Flight(host, work, outcome))

    def _gathered(self) -> list[Flight]:
        """What has landed, and what lands right after it; nothing after a while without."""
        landed: list[Flight] = []
        until = time.monotonic() + LOOKING
        with suppress(Empty):
            while len(landed) < self._flying.total():
                landed.append(self._landed.get(timeout=max(until - time.monotonic(), 0)))
                if len(landed) == 1:
                    until = time.monotonic() + GATHERING
        return landed

    def _store(self, landed: Sequence[Flight]) -> None:
        # Before anything is written: a database that is away must not leave any of them counted as flying.
        self._flying.subtract(flight.host for flight in landed)
        landings = [(flight, flight.outcome) for flight in landed if flight.outcome is not None]
        stored = _settle([outcome for _, outcome in landings])
        for (flight, outcome), one in zip(landings, stored, strict=True):
            if one is None:
                self._flying[flight.host] += 1
                self._threads.submit(self._withdraw, flight.host, flight.work, outcome)
        for flight in landed:
            if flight.outcome is None:
                flight.work.lease.release()


def _settle(outcomes: Sequence[Outcome]) -> list[Outcome | None]:
    """Store them together; where one of them can't be stored, each by itself. None for what came too late."""
    if not outcomes:
        return []
    try:
        return settled(outcomes)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(outcomes) > 1:
            return [one for outcome in outcomes for one in _settle([outcome])]
        lease = outcomes[0].lease
        logger.error("What came of %s can't be stored: %s", lease.state, type(error).__name__)
        lease.release()
        return list(outcomes)
