"""Many first seals at once give one data key."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from authconfigs import datakeys
from tests.authconfigs.sealed_rows import a_tenant, data_keys
from tests.config.checkout import ROOT
from tests.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)

PROGRAM = """
import sys, uuid
import django
django.setup()
from authconfigs import datakeys
print("ready", flush=True)
sys.stdin.readline()
for tenant_id in sys.argv[1:]:
    print(datakeys.current(uuid.UUID(tenant_id)).fingerprint("planted-token"))
"""


@pytest.mark.parametrize("platform", [False, True], ids=["tenant", "platform"])
def test_threads_that_seal_first_share_one_key(platform: bool) -> None:
    tenant = None if platform else a_tenant()
    tenant_id = tenant.id if tenant else None
    threads = 8
    start = threading.Barrier(threads)

    def seal_first(_: int) -> str:
        try:
            connection.ensure_connection()
            start.wait(timeout=20)
            with transaction.atomic():
                return datakeys.current(tenant_id).fingerprint("planted-token")
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        fingerprints = set(pool.map(seal_first, range(threads)))
    assert len(fingerprints) == 1
    assert [key.number for key in data_keys(tenant)] == [1]


def test_processes_that_seal_first_share_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    tenants = [a_tenant(f"tenant-{number}") for number in range(20)]
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *(str(tenant.id) for tenant in tenants)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    ours = [datakeys.current(tenant.id).fingerprint("planted-token") for tenant in tenants]
    assert printed == [ours, ours]
    assert [len(data_keys(tenant)) for tenant in tenants] == [1] * 20


def test_first_seal_waits_for_another_that_is_rolled_back_and_makes_its_own() -> None:
    tenant = a_tenant()
    made, give_up = threading.Event(), threading.Event()

    def rolled_back() -> None:
        try:
            with transaction.atomic():
                datakeys.current(tenant.id)
                made.set()
                give_up.wait(timeout=20)
                transaction.set_rollback(True)
        finally:
            connection.close()

    def waits() -> str:
        try:
            with transaction.atomic():
                return datakeys.current(tenant.id).fingerprint("planted-token")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(rolled_back)
        assert made.wait(timeout=20)
        second = pool.submit(waits)
        give_up.set()
        first.result(timeout=40)
        fingerprint = second.result(timeout=40)
    assert fingerprint == datakeys.current(tenant.id).fingerprint("planted-token")
    assert [key.number for key in data_keys(tenant)] == [1]
