"""A whole console with a database and a queue of its own: real processes, which are all killed at the end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from authconfigs.models import AuthConfig, OAuthToken
from config import values
from integrations.demo.provider import Provider, accounts
from integrations.demo.provider.ledger import Grant
from tenants.models import Environment, Tenant, User
from tenants.scope import tenant_scope
from tests.factories import log_in, make_config
from tests.faults.own_servers import Server, free_port, poll

ROOT = Path(__file__).resolve().parents[2]
BEAT = 2.0
TIMEOUT = 5.0
SPARE = 1.0
LEASE = TIMEOUT + SPARE


@dataclass
class Program:
    """A process with all its children."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """The process ids of its children."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and its children."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """kill -9, as a machine that loses power would."""
        if self.process.poll() is None:
            self.send(signal.SIGKILL)
            self.process.wait()


@dataclass
class Console:
    """Processes share its environment; this process reads and writes the same database."""

    folder: Path
    environment: dict[str, str]
    redis: Server | None = None
    postgres: Server | None = None
    programs: list[Program] = field(default_factory=list)

    @property
    def broker_folder(self) -> Path:
        return self.folder / "broker"

    def start(self, name: str, *command: str) -> Program:
        """Start a process; its output goes to a file."""
        name = f"{name}-{len(self.programs)}"
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.tied", sys.executable, *command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.programs.append(Program(name, process, log))
        return self.programs[-1]

    def worker(self, *, processes: int = 1) -> Program:
        """A Celery worker; `ready` waits for it."""
        command = ("-m", "celery", "-A", "config", "worker", "--without-gossip", "--without-mingle")
        name = f"--hostname=w{len(self.programs)}@%h"
        return self.start("worker", *command, name, f"--concurrency={processes}")

    def beat(self) -> Program:
        """The clock, with a memory of its own."""
        schedule = self.folder / f"schedule-{len(self.programs)}"
        return self.start(
            "beat", "-m", "celery", "-A", "config", "beat", "--pidfile=", f"--schedule={schedule}"
        )

    def web(self) -> tuple[Program, str]:
        """gunicorn, and its address."""
        port = free_port()
        started = self.start("web", "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}")
        return started, f"http://127.0.0.1:{port}"

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def mails(self) -> list[str]:
        """The subjects of all mails that were sent."""
        texts = [path.read_text() for path in sorted((self.folder / "mails").glob("*"))]
        return [line for text in texts for line in re.findall(r"^Subject: .*", text, re.MULTILINE)]

    def end(self) -> None:
        """Kill what still runs."""
        for program in self.programs:
            program.kill()

    def last_words(self) -> str:
        """The end of what each of them has printed."""
        return "\n".join(f"--- {one.name}\n{one.text[-6000:]}" for one in self.programs)


def ready(*programs: Program) -> None:
    """Wait until they do their work. Raises AssertionError when one of them ended."""
    signs = {"worker": " ready.", "beat": "beat: Starting", "web": "Booting worker"}
    for program in programs:
        sign = signs[program.name.partition("-")[0]]
        poll(program.name, lambda p=program, s=sign: s in p.text, within=60)  # type: ignore[misc]
        assert program.process.poll() is None, program.text


def environment_of(folder: Path, *, database: str, broker: str, **settings: Any) -> dict[str, str]:
    """The environment of a console's processes."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": "INFO",
        "WEB_CONCURRENCY": "1",
        "DATABASE_URL": database,
        "BROKER_URL": broker,
        "EMAIL_URL": f"filemail:///{folder}/mails",
        "BEAT_SECONDS": str(BEAT),
        "OUTBOUND_TIMEOUT": str(TIMEOUT),
        "LEASE_SPARE_SECONDS": str(SPARE),
        **{name: str(value) for name, value in settings.items()},
    }


@contextmanager
def database_of_this_process(url: str) -> Iterator[None]:
    """Let Django's connection of this process be one to that database; an empty one gets its tables."""
    wanted = values.database(url)
    wanted["OPTIONS"].pop("pool", None)
    before, here = connections.settings["default"], connections["default"]
    connections.settings["default"] = connections.configure_settings({"default": wanted})["default"]
    connections["default"] = connections.create_connection("default")
    try:
        if "tenants_tenant" not in connection.introspection.table_names():
            call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        connections.settings["default"], connections["default"] = before, here


def connected(
    environment: Environment, name: str, provider: Provider, **options: Any
) -> AuthConfig:
    """A config whose consent gave a refresh token at that provider, with an access token that isn't due."""
    config = make_config(
        environment,
        name,
        method="oauth2_authorization_code",
        options={
            "token_url": provider.token_url,
            "authorization_url": f"{provider.base_url}/authorize",
            "client_id": accounts.CLIENT.client_id,
            **options,
        },
        secrets={"client_secret": accounts.CLIENT.secret},
    )
    grant = Grant(accounts.CLIENT.client_id, accounts.OAUTH_USERNAME, accounts.DEFAULT_SCOPE)
    answer = provider.ledger.issue(grant, with_refresh=True)
    with tenant_scope(environment.tenant_id):
        row = OAuthToken.objects.get(config=config)
        row.access_token, row.refresh_token = answer["access_token"], answer["refresh_token"]
        row.state, row.generation, row.token_revision = "valid", 1, config.token_revision
        row.expires_at = timezone.now() + timedelta(hours=2)
        row.refresh_after = timezone.now() + timedelta(hours=1)
        row.save()
    return config


def make_due(*configs: AuthConfig) -> None:
    """Let their tokens expire now, as time would."""
    now = timezone.now()
    with tenant_scope(configs[0].tenant_id):
        rows = OAuthToken.objects.filter(config__in=configs)
        rows.update(expires_at=now, refresh_after=now, next_attempt_at=None)


def token_of(config: AuthConfig) -> OAuthToken:
    """The row of its token as it is now."""
    with tenant_scope(config.tenant_id):
        row: OAuthToken = OAuthToken.objects.get(config_id=config.pk)
    return row


def generations(*configs: AuthConfig) -> list[int]:
    """How many tokens each had."""
    return [token_of(config).generation for config in configs]


def browser_of(person: User, tenant: Tenant, address: str) -> requests.Session:
    """A browser in which that person is logged in; `browser.post` needs `csrf` beside its data."""
    client = Client()
    log_in(client, person, tenant=tenant)
    browser = requests.Session()
    browser.trust_env = False
    browser.cookies.set("sessionid", client.cookies["sessionid"].value)
    browser.cookies.set("csrftoken", CSRF["csrfmiddlewaretoken"])
    poll("the web answers", lambda: _answers(browser, address), within=60)
    return browser


CSRF = {"csrfmiddlewaretoken": "c" * 32}


def _answers(browser: requests.Session, address: str) -> bool:
    try:
        return browser.get(f"{address}/admin/", timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


def beats(number: float) -> None:
    """Let the clock tick so often."""
    time.sleep(number * BEAT)
