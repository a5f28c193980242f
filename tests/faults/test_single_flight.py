"""Everybody wants one due token at the same moment: callers, workers of two clocks, and the button."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.urls import reverse

from integrations.demo.provider import Provider
from tests.factories import (
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_tenant,
    posted,
)
from tests.faults import FULL
from tests.faults.consoles import (
    CSRF,
    ROOT,
    Console,
    browser_of,
    connected,
    make_due,
    ready,
    token_of,
)

pytestmark = pytest.mark.faults

PROCESSES = 16
ROUNDS = 20 if FULL else 2
BEAT = 1.0


@contextmanager
def callers(console: Console) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.at_once", str(PROCESSES)],
        cwd=ROOT,
        env=console.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        start_new_session=True,
    ) as parent:
        try:
            yield parent
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


def lines(parent: subprocess.Popen[str]) -> list[str]:
    assert parent.stdout is not None
    return [parent.stdout.readline().strip() for _ in range(PROCESSES)]


def test_one_due_token_is_asked_for_once(
    console_on: Callable[..., Console], kind: str, tell: Callable[[str], None]
) -> None:
    console = console_on(kind, BEAT_SECONDS=BEAT)
    acme = make_tenant()
    staging = make_environment(acme)
    with Provider() as provider:
        config = connected(staging, "crm", provider)
        make_connection(
            make_integration(acme, "crm"), staging, config, base_url=f"{provider.base_url}/bearer"
        )
        workers = [console.worker(processes=PROCESSES // 2) for _ in range(2)]
        clocks = [console.beat() for _ in range(2)]
        web, address = console.web()
        button = address + reverse("admin:authconfigs_authconfig_refresh", args=[config.pk])
        with callers(console) as parent, ThreadPoolExecutor() as pool:
            browser = browser_of(make_member(acme), acme, address)
            assert lines(parent) == ["ready"] * PROCESSES
            ready(*workers, *clocks, web)
            provider.switches.token_delay = 1.5
            begun = time.monotonic()
            for round_ in range(1, ROUNDS + 1):
                provider.forget()
                make_due(config)
                assert parent.stdin is not None
                parent.stdin.write("go\n")
                pressed = pool.submit(
                    browser.post,
                    button,
                    {**posted(acme), **CSRF},
                    timeout=30,
                    allow_redirects=False,
                )
                assert lines(parent) == ["200"] * PROCESSES
                assert pressed.result().status_code == 302
                row = token_of(config)
                assert (row.generation, row.lease_owner) == (1 + round_, None)
                # Another beat of both clocks finds nothing to do.
                time.sleep(BEAT + 0.2)
                assert provider.count("POST /token") == 1
                assert provider.count("refresh_reuse") == 0
                assert token_of(config).generation == 1 + round_
        swept = sum(len(re.findall(r"tasks.sweep\S* succeeded", one.text)) for one in workers)
        for clock in clocks:
            assert clock.text.count("Sending due task sweep") >= ROUNDS
        tell(
            f"single flight, {kind}: {ROUNDS} rounds of {PROCESSES} callers, {PROCESSES} worker processes,"
            f" 2 clocks and the button: 1 token call each, 0 reuse detections, {swept} sweeps,"
            f" {time.monotonic() - begun:.1f} s"
        )
