"""kill -9 of a worker in the middle of a refresh: after the lease, while the provider answers, before the answer is stored.

One worker has all three in hand, each at a provider that rotates strictly and at one that allows the previous refresh token
once more; so one kill tells all.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connections, transaction

from authconfigs.models import AuthConfig, OAuthToken, TokenEvent
from integrations.demo.provider import Provider, Received
from integrations.demo.provider.messages import Answer
from tenants.scope import tenant_scope
from tests.factories import make_environment, make_member, make_tenant
from tests.faults import FULL
from tests.faults.consoles import (
    BEAT,
    LEASE,
    Console,
    beats,
    connected,
    generations,
    make_due,
    ready,
    token_of,
)
from tests.faults.own_servers import poll

pytestmark = pytest.mark.faults

POINTS = ("leased", "answering", "storing")
STORING = 1.0
# Celery takes 10 s to see that a pool process is gone.
NOTICED = {"worker": 0.0, "pool process": 10.0}


class SlowProvider(Provider):
    """One that, while it is `deaf`, takes requests and neither reads nor answers them."""

    deaf = False
    unread = 0

    def __init__(self) -> None:
        super().__init__()
        self.hears = threading.Event()

    def respond(self, received: Received) -> Answer:
        if self.deaf:
            self.unread += 1
            self.hears.wait()
            return Answer(0, pace="close")
        return super().respond(received)


@contextmanager
def held(configs: list[AuthConfig], kind: str) -> Iterator[None]:
    """Nobody can store anything for these configs; on SQLite, for any."""
    with tenant_scope(configs[0].tenant_id), transaction.atomic():
        if kind == "servers":
            list(OAuthToken.objects.select_for_update().filter(config__in=configs))
        yield


def waits_to_store(kind: str) -> bool:
    """Whether somebody waits for our lock; SQLite can't tell, but the answers have been given for a while."""
    if kind == "files":
        time.sleep(STORING + 1)
        return True
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            return bool(cursor.fetchone()[0])
    finally:
        other.close()


@pytest.mark.parametrize("victim", ["worker", "pool process"] if FULL else ["worker"])
def test_what_a_kill_leaves_behind(
    console: Console, kind: str, victim: str, tell: Callable[[str], None]
) -> None:
    acme = make_tenant()
    make_member(acme)
    staging = make_environment(acme)
    with ExitStack() as stack:
        providers: dict[tuple[str, str], SlowProvider] = {}
        configs: dict[tuple[str, str], AuthConfig] = {}
        for point in POINTS:
            for rotation in ("strict", "grace"):
                provider = stack.enter_context(SlowProvider())
                stack.callback(provider.hears.set)
                provider.switches.refresh = rotation
                configs[point, rotation] = connected(staging, f"{point}-{rotation}", provider)
                providers[point, rotation] = provider
                provider.deaf = point == "leased"
                provider.switches.token_delay = {"answering": 60, "storing": STORING}.get(point, 0)
        storing = [config for (point, _), config in configs.items() if point == "storing"]
        worker, clock = console.worker(), console.beat()
        ready(worker, clock)
        pool = worker.children()

        make_due(*configs.values())
        poll(
            "all are in flight",
            lambda: all(one.unread or one.count("POST /token") for one in providers.values()),
            within=3 * BEAT,
            every=0.01,
        )
        asked = time.monotonic()
        with held(storing, kind):
            poll("answers wait to be stored", lambda: waits_to_store(kind), within=LEASE)
            if victim == "worker":
                worker.kill()
            else:
                for child in pool:
                    os.kill(child, signal.SIGKILL)
            killed = time.monotonic()
            assert killed < asked + LEASE, "the answers were late: nothing was in flight any more"
        assert generations(*configs.values()) == [1] * len(configs)
        assert all(token_of(config).lease_owner for config in configs.values())
        for provider in providers.values():
            provider.deaf, provider.switches.token_delay = False, 0
            provider.hears.set()
        if victim == "worker":
            ready(console.worker())
        able = time.monotonic()

        lost = {("answering", "strict"), ("storing", "strict")}

        def recovered() -> bool:
            return all(
                token_of(config).state == "reauthorization_required"
                if name in lost
                else token_of(config).generation == 2
                for name, config in configs.items()
            )

        poll("everything is recovered", recovered, within=LEASE + 2 * BEAT + NOTICED[victim])
        took, again = time.monotonic() - killed, able - killed
        poll("the mails are sent", lambda: len(console.mails()) >= len(lost), within=2 * BEAT + 2)
        # Nobody asks or tells again.
        beats(1.5)
        for name, config in configs.items():
            provider, row = providers[name], token_of(config)
            with tenant_scope(acme.id):
                due = TokenEvent.objects.filter(config=config, mail_due=True).count()
            assert (row.lease_owner, due) == (None, 1 if name in lost else 0), name
            assert provider.count("refresh_reuse") == (1 if name in lost else 0), name
            assert provider.count("POST /token") == (1 if name[0] == "leased" else 2), name
            assert row.state == ("reauthorization_required" if name in lost else "valid"), name
        subjects = console.mails()
        assert len(subjects) == len(lost)
        for point, rotation in lost:
            assert sum(f"{point}-{rotation}" in subject for subject in subjects) == 1
        tell(
            f"kill -9 of the {victim}, {kind}: lease {LEASE:.0f} s, beat {BEAT:.0f} s, recovered {took:.1f} s after"
            f" the kill, {again:.1f} s of which without a worker; of 6 tokens in flight 4 renewed, 2 (strict rotation) need reauthorization, 2 mails"
        )
