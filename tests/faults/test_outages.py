"""The queue is away, the worker is killed with tasks queued, the database is restarted: what pages say, and what is caught up."""

import re
import shutil
import signal
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection

from authconfigs.models import AuthConfig
from integrations.demo.provider import Provider
from tenants.models import Tenant
from tests.factories import make_environment, make_member, make_tenant
from tests.faults import FULL
from tests.faults.consoles import (
    BEAT,
    Console,
    Program,
    beats,
    browser_of,
    connected,
    generations,
    make_due,
    ready,
)
from tests.faults.own_servers import poll

pytestmark = pytest.mark.faults

TOKENS = 20
# What a process takes to be loaded on a busy machine, and to notice that its queue is back.
LOADING = 5.0


def console_with_tokens(provider: Provider) -> tuple[Tenant, list[AuthConfig]]:
    acme = make_tenant()
    staging = make_environment(acme)
    return acme, [connected(staging, f"c-{number}", provider) for number in range(TOKENS)]


def swept(worker: Program) -> int:
    """How many sweeps it has done."""
    return len(re.findall(r"tasks\.sweep\S* succeeded", worker.text))


def take_queue_away(console: Console) -> None:
    if console.redis:
        console.redis.stop()
    else:
        # Root may write into any folder; a file in its place is no folder for anybody.
        console.broker_folder.rename(console.folder / "away")
        console.broker_folder.write_text("")


def bring_queue_back(console: Console) -> None:
    if console.redis:
        console.redis.start()
    else:
        console.broker_folder.unlink()
        shutil.move(console.folder / "away", console.broker_folder)


def test_queue_away_for_a_while(console: Console, kind: str, tell: Callable[[str], None]) -> None:
    with Provider() as provider:
        acme, configs = console_with_tokens(provider)
        worker, clock = console.worker(), console.beat()
        web, address = console.web()
        browser = browser_of(make_member(acme), acme, address)
        ready(worker, clock, web)
        poll("a sweep", lambda: swept(worker), within=3 * BEAT)
        poll(
            "all is well",
            lambda: "Queue unavailable" not in browser.get(f"{address}/admin/health/").text,
            within=3 * BEAT,
        )
        take_queue_away(console)
        try:
            begun = time.monotonic()
            text = browser.get(f"{address}/admin/health/", timeout=10).text
            said = time.monotonic() - begun
            assert "Queue unavailable" in text
            assert said < 5
            for page in ("/admin/", "/admin/authconfigs/authconfig/"):
                begun = time.monotonic()
                assert browser.get(address + page, timeout=10).status_code == 200
                assert time.monotonic() - begun < 5
            checked = console.manage("check_health")
            assert (checked.returncode, "Traceback" in checked.stderr) == (1, False)
            assert "Queue unavailable" in checked.stderr
            assert "queue: unavailable" in checked.stdout
            make_due(*configs)
            beats(2)
            assert provider.count("POST /token") == 0
            before = swept(worker)
        finally:
            bring_queue_back(console)
        took = poll(
            "everything is caught up",
            lambda: generations(*configs) == [2] * TOKENS,
            within=2 * BEAT + LOADING,
        )
        beats(2)
        assert (provider.count("POST /token"), provider.count("refresh_reuse")) == (TOKENS, 0)
        # One per beat since then, and none for those that were missed.
        more = swept(worker) - before
        assert more <= took / BEAT + 3
        assert web.process.poll() is worker.process.poll() is clock.process.poll() is None
        assert "Queue unavailable" not in browser.get(f"{address}/admin/health/").text
        tell(
            f"queue away, {kind}: said after {said:.2f} s; {TOKENS} tokens caught up {took:.1f} s after it was back"
            f" (beat {BEAT:.0f} s), {more} sweeps until two beats later"
        )


@pytest.mark.parametrize("kind", ["files", "servers"] if FULL else ["files"])
def test_worker_killed_with_tasks_queued(
    console: Console, kind: str, tell: Callable[[str], None]
) -> None:
    with Provider() as provider:
        _, configs = console_with_tokens(provider)
        worker, clock = console.worker(), console.beat()
        ready(worker, clock)
        poll("a sweep", lambda: swept(worker), within=3 * BEAT)
        # It has tasks in hand and behind it when it dies.
        provider.switches.token_delay = 60
        make_due(configs[0])
        poll("one is in flight", lambda: provider.count("POST /token"), within=2 * BEAT + 1)
        beats(1.5)
        worker.kill()
        provider.switches.token_delay, provider.switches.refresh = 0, "grace"
        make_due(*configs[1:])
        beats(2.5)
        fresh = console.worker()
        ready(fresh)
        others = poll(
            "the others are renewed",
            lambda: generations(*configs[1:]) == [2] * (TOKENS - 1),
            within=2 * BEAT + 2,
        )
        poll("its own, too", lambda: generations(configs[0]) == [2], within=6 + 2 * BEAT)
        assert provider.count("POST /token") == TOKENS + 1
        assert (provider.count("refresh_reuse"), provider.count("refresh_grace")) == (0, 1)
        dropped = fresh.text.count("Discarding revoked task: authconfigs.tasks.sweep")
        assert dropped >= 1
        tell(
            f"worker killed with tasks queued, {kind}: {dropped} old sweeps dropped, {TOKENS - 1} tokens renewed"
            f" {others:.1f} s after the next worker was ready (beat {BEAT:.0f} s)"
        )


@pytest.mark.parametrize("kind", ["servers"])
def test_database_restarted(console: Console, tell: Callable[[str], None]) -> None:
    with Provider() as provider:
        acme, configs = console_with_tokens(provider)
        worker, clock = console.worker(processes=2), console.beat()
        web, address = console.web()
        browser = browser_of(make_member(acme), acme, address)
        ready(worker, clock, web)
        poll("sweeps of both processes", lambda: swept(worker) >= 2, within=5 * BEAT)
        clock.send(signal.SIGSTOP)
        beats(1)
        before = worker.text
        assert console.postgres
        connection.close()
        console.postgres.stop()
        console.postgres.start()
        poll("the database answers", database_is_up, within=10)
        make_due(*configs)
        clock.send(signal.SIGCONT)
        took = poll(
            "everything is renewed",
            lambda: generations(*configs) == [2] * TOKENS,
            within=2 * BEAT + 1,
        )
        assert browser.get(f"{address}/admin/", timeout=10).status_code == 200
        since = worker.text[len(before) :]
        assert re.findall(r"succeeded|raised|Retry", since)[:3] == ["succeeded"] * 3
        assert "raised" not in since
        assert "Traceback" not in clock.text
        assert (provider.count("POST /token"), provider.count("refresh_reuse")) == (TOKENS, 0)
        tell(
            f"database restarted: no task failed afterwards, {TOKENS} tokens renewed after {took:.1f} s"
        )


def database_is_up() -> bool:
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True
