"""Many real processes and one token."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from authconfigs.symptoms import Symptom
from integrations.demo.provider import Provider
from integrations.models import UsageCount
from tenants.scope import unscoped
from tests.integrations.wired import change_token, database_url, stored_token, wired_oauth

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 16
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        running.switches.token_delay = 1
        yield running


def answers(number: int) -> list[str]:
    """What so many processes get that call at the same moment."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integrations.calling_processes", str(number)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        for _ in range(number):
            assert parent.stdout.readline() == "ready\n"
        told, _ = parent.communicate("go\n", timeout=60)
    return told.split("\n")[:-1]


def test_sixteen_processes_with_an_expired_token_ask_once(provider: Provider) -> None:
    wired_oauth(provider)
    assert answers(1) == ["200"]
    change_token(expires_at=timezone.now(), refresh_after=timezone.now())
    provider.forget()

    assert answers(PROCESSES) == ["200"] * PROCESSES
    assert provider.count("POST /token") == 1
    assert stored_token().generation == 2


def test_waiting_processes_get_the_holders_failure_without_a_call_of_their_own(
    provider: Provider,
) -> None:
    wired_oauth(provider)
    provider.switches.token = "500"

    assert answers(4) == [f"{Symptom.PROVIDER_ERROR} token"] * 4
    assert provider.count("POST /token") == 1


def test_process_writes_what_it_counted_when_it_ends(provider: Provider) -> None:
    wired_oauth(provider)
    assert answers(2) == ["200", "200"]

    with unscoped("a test reads all figures"):
        counted = {(row.kind, row.outcome): row.count for row in UsageCount.objects.all()}
    assert counted == {("call", "ok"): 2, ("refresh", "ok"): 1}
