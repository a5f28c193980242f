"""A beat with thousands of due tokens, next to the ideal and to plain `requests` on the same machine, measured just before:
`python -m tests.bench.sweep --count 10000 --poisoned 50`.

Its database and queue are its own: files, or beside those of DATABASE_URL and BROKER_URL. One tenant has all tokens but
five, which are another's. `--json` prints the figures as a document.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from tests.bench.plain import seconds_of

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
FIVE = 5


def own_settings(folder: str, in_flight: int) -> dict[str, str]:
    """The environment of all processes of this run."""
    from tests import environment

    database = os.environ["DATABASE_URL"]
    if not database.startswith("sqlite"):
        database += f"_bench_{os.getpid()}"
    queue = os.environ["BROKER_URL"]
    here = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3"
        if database.startswith("sqlite")
        else database,
        "BROKER_URL": f"filesystem://{folder}/broker" if queue.startswith("filesystem") else queue,
        "REFRESH_CONCURRENCY": str(in_flight),
        "REFRESH_PER_HOST": str(in_flight),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OUTBOUND_TIMEOUT": "10",
    }
    assert environment.MASTER_KEY
    return here


@contextmanager
def database(url: str) -> Iterator[None]:
    """A database of that address; one on a server is made, and dropped afterwards."""
    if url.startswith("sqlite"):
        yield
        return
    import psycopg

    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def started(*command: str, output: IO[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=output if output is not sys.stdout else subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def populate(port: int, count: int, poisoned: int) -> None:
    """Due configs: all but five of the tenant big, evenly mixed with those that are poisoned; five of the tenant small."""
    from datetime import timedelta

    from django.utils import timezone

    from authconfigs import datakeys
    from authconfigs.fields import Stored
    from authconfigs.models import AllowedOrigin, AuthConfig, Credential, OAuthToken
    from tenants.scope import tenant_scope
    from tests.factories import make_environment, make_tenant

    columns: dict[Any, Any] = {
        (model, name): model._meta.get_field(name)
        for model, name in (
            (Credential, "secrets"),
            (OAuthToken, "access_token"),
            (OAuthToken, "refresh_token"),
        )
    }
    now, slow = (
        timezone.now(),
        set(range(7, count - FIVE, max(count // poisoned, 1))) if poisoned else set(),
    )
    for slug, numbers in (("big", range(count - FIVE)), ("small", range(count - FIVE, count))):
        environment = make_environment(make_tenant(slug))
        with tenant_scope(environment.tenant_id):
            key = datakeys.current(environment.tenant_id)

            def sealed(
                model: Any, name: str, config: AuthConfig, value: Any, key: Any = key
            ) -> Stored:
                place = columns[model, name].place(tenant_id=config.tenant_id, row_id=config.id)
                return Stored(key.seal(value, place), place)

            method = "oauth2_authorization_code"
            configs = [
                AuthConfig(tenant_id=environment.tenant_id, environment=environment, name=f"c-{n}", method=method)
                for n in numbers
            ]  # fmt: skip
            AuthConfig.objects.bulk_create(configs, batch_size=500)
            Credential.objects.bulk_create(
                [
                    Credential(
                        config=config,
                        options={
                            "token_url": f"http://127.0.0.1:{port}/{'slow' if n in slow else 'token'}",
                            "authorization_url": f"http://127.0.0.1:{port}/authorize",
                            "client_id": str(n),
                        },
                        secrets=sealed(
                            Credential, "secrets", config, {"client_secret": "a secret"}
                        ),
                    )
                    for n, config in zip(numbers, configs, strict=True)
                ],
                batch_size=500,
            )
            purpose = AllowedOrigin.Purpose.TOKEN
            AllowedOrigin.objects.bulk_create(
                [
                    AllowedOrigin(config=config, purpose=purpose, origin=f"http://127.0.0.1:{port}")
                    for config in configs
                ],
                batch_size=500,
            )
            OAuthToken.objects.bulk_create(
                [
                    OAuthToken(
                        config=config,
                        state="valid",
                        generation=1,
                        access_token=sealed(OAuthToken, "access_token", config, "stored"),
                        refresh_token=sealed(OAuthToken, "refresh_token", config, f"{n}.1"),
                        refresh_after=now - timedelta(seconds=1),
                        expires_at=now + timedelta(seconds=240),
                    )
                    for n, config in zip(numbers, configs, strict=True)
                ],
                batch_size=500,
            )


def children(pid: int) -> list[Path]:
    """The folders in /proc of a process's children."""
    return [
        Path("/proc") / child
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def peak_mib(process: Path) -> float:
    """The largest resident memory that a process ever had."""
    lines = (process / "status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def cpu_seconds(process: Path) -> float:
    """The processor time that a process has had."""
    user, system = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def token_endpoint(stack: ExitStack) -> int:
    """The port of a fresh one, which ends with the stack."""
    server = stack.enter_context(started("tests.servers.tokens", "0.1", output=sys.stdout))
    assert server.stdout is not None
    return int(server.stdout.readline())


def measured(count: int, poisoned: int, in_flight: int, folder: str, port: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    from authconfigs.models import OAuthToken, TokenEvent
    from authconfigs.tasks import sweep
    from tenants.scope import unscoped

    call_command("migrate", verbosity=0)
    populate(port, count, poisoned)
    good = count - poisoned
    log = Path(folder) / "worker.log"
    with (
        log.open("w") as output,
        started(
            *("celery", "-A", "config", "worker", "--concurrency", str(WORKERS)), output=output
        ) as worker,
    ):
        while "ready." not in log.read_text():
            time.sleep(0.1)
        with unscoped("the bench looks at all"):
            begun = time.monotonic()
            sweep.apply_async()
            renewed = OAuthToken.objects.filter(generation=2)
            while renewed.count() < good and time.monotonic() < begun + 120:
                # Counting takes the processor from those that are counted.
                time.sleep(0.25)
            took = time.monotonic() - begun
            failed = OAuthToken.objects.filter(state="retrying")
            while failed.count() < poisoned and time.monotonic() < begun + 120:
                time.sleep(0.2)
            whole = time.monotonic() - begun
            generations = dict.fromkeys(OAuthToken.objects.values_list("generation", flat=True), 0)
            told = TokenEvent.objects.filter(kind="refreshed").count()
            missed = count - poisoned - renewed.count()
        workers = children(worker.pid)
        memory = [round(peak_mib(one), 1) for one in workers]
        cpu = round(sum(map(cpu_seconds, workers)), 1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/figures") as answer:
            figures = json.load(answer)
    lines = [line for line in log.read_text().splitlines() if "tasks.sweep" in line]
    duration = next(line for line in lines if "succeeded in" in line)
    order = figures["order"]
    return {
        "count": count,
        "poisoned": poisoned,
        "seconds": round(took, 2),
        "ideal_seconds": round(good * 0.1 / (WORKERS * in_flight), 2),
        "seconds_with_poisoned": round(whole, 2),
        "in_flight": figures["most_waiting"],
        "sweep_seconds": float(duration.rpartition("succeeded in ")[2].split("s")[0]),
        "peak_mib": memory,
        "cpu_seconds": cpu,
        "asked": len(order),
        "renewed": good - missed,
        "missed": missed,
        "twice": len(order) - len(set(order)) + figures["reused"],
        "events": told,
        "generations": sorted(generations),
        "last_of_the_small_tenant": max(
            order.index(n) for n in range(count - FIVE, count) if n in order
        ),
        "vendor": os.environ["DATABASE_URL"].partition(":")[0],
        "queue": os.environ["BROKER_URL"].partition(":")[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--poisoned", type=int, default=0)
    parser.add_argument("--in-flight", type=int, default=128, help="of each worker process")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="console-bench-") as folder, ExitStack() as stack:
        os.environ.update(own_settings(folder, options.in_flight))
        stack.enter_context(database(os.environ["DATABASE_URL"]))
        plain = seconds_of(
            token_endpoint(stack), options.count, processes=WORKERS, in_flight=options.in_flight
        )
        found = measured(
            options.count, options.poisoned, options.in_flight, folder, token_endpoint(stack)
        )
        found["plain_requests_seconds"] = round(plain, 2)
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' '):<26} {value}")


if __name__ == "__main__":
    main()
