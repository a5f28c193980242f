"""What `make demo` runs: the whole console in one terminal, with demo data.

PORT= picks the port of the console, and PUBLIC_BASE_URL with it; PROVIDER_PORT= that of the demo provider.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from django.conf import settings

from config.environment import private_folder
from config.supervisor import Program, Supervisor
from config.tether import tether
from integrations.demo.provider import DEFAULT_PORT

_HOST = "127.0.0.1"
_DEFAULT_PORT = 8000


def give_up(sentence: str) -> NoReturn:
    """End before anything has started, saying why and what to do."""
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(1)


def port_of(text: str, *, name: str) -> int:
    """A TCP port that was typed as NAME=text."""
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    give_up(f"{name}= should be a port between 1 and 65535, for example {name}=9000.")


def port_in(public_base_url: str) -> int:
    """The port that an address of this machine names; behind a proxy it says nothing about ours: 8000."""
    parts = urlsplit(public_base_url)
    if parts.scheme == "http" and parts.hostname in {_HOST, "localhost"}:
        return parts.port or 80
    return _DEFAULT_PORT


def require_free(port: int, *, name: str) -> None:
    """End when no server may listen on this port of the loopback address."""
    with socket.socket() as probe:
        # As servers do: the remains of closed connections don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            typed = {each: os.environ.get(each) for each in ("PORT", "PROVIDER_PORT")}
            chosen = {**typed, name: port + 1000 if port < 64000 else 9000}
            variables = " ".join(f"{each}={value}" for each, value in chosen.items() if value)
            give_up(
                f"Port {port} can't be used ({error.strerror}). Stop what uses it, or choose another one:"
                f" make demo {variables}"
            )


@contextmanager
def only_one(path: Path) -> Iterator[int]:
    """Hold a lock until the block has ended, and every process that inherited the file given here.

    Two clocks on one broker would do everything twice, and a database must not be deleted under a process that still ends.
    """
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            give_up("The console already runs from this folder: use that one, or stop it first.")
        yield file.fileno()


@dataclass
class Announcement:
    """Says once, as soon as the console answers, where it is."""

    port: int
    url: str
    made: bool = False

    @property
    def lines(self) -> list[str]:
        """Where to go, and what commands in other shells need, so that their links lead to the same port."""
        opened = f"Open {self.url}/admin/ in your browser. Ctrl-C stops everything."
        if self.port == _DEFAULT_PORT:
            return [opened]
        return [opened, f"In other shells: export PUBLIC_BASE_URL={self.url}"]

    def check(self, supervisor: Supervisor) -> None:
        if self.made:
            return
        with socket.socket() as probe:
            probe.settimeout(0.1)
            self.made = probe.connect_ex((_HOST, self.port)) == 0
        if self.made:
            for line in self.lines:
                supervisor.say(line)


def programs(port: int, *, provider_port: int) -> tuple[Program, ...]:
    """The four parts of the console."""
    python = sys.executable
    celery = (python, "-m", "celery", "--quiet", "-A", "config")
    provider = (python, "manage.py", "run_provider")
    return (
        Program("web", (python, "-m", "gunicorn", "config.wsgi", "--bind", f"{_HOST}:{port}")),
        Program("worker", (*celery, "worker", "--concurrency", "2")),
        Program("beat", (*celery, "beat", "--pidfile=")),
        # Its key was rotated after the demo data's first tests.
        Program("provider", (*provider, "--port", str(provider_port), "--rotated")),
    )


def prepare(provider_port: int, *, lock: int) -> None:
    """Bring the database up to date and put the demo data into it; what is there stays."""
    for command in (
        ("migrate", "--verbosity", "0"),
        ("load_demo", "--provider-port", str(provider_port)),
    ):
        done = subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            # So that the logins don't drown in what the demo data calls.
            env={"LOG_LEVEL": "ERROR", **os.environ},
            pass_fds=(lock,),
        )
        if done.returncode:
            raise SystemExit(done.returncode)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["PYTHONUNBUFFERED"] = "1"
    if "MAKELEVEL" in os.environ:
        # A kill -9 of make ends the console, too.
        tether(os.getppid(), signal.SIGTERM)
    if os.environ.get("PORT"):
        port = port_of(os.environ["PORT"], name="PORT")
        os.environ["PUBLIC_BASE_URL"] = f"http://{_HOST}:{port}"
    else:
        port = port_in(settings.PUBLIC_BASE_URL)
    provider_port = port_of(
        os.environ.get("PROVIDER_PORT") or str(DEFAULT_PORT), name="PROVIDER_PORT"
    )
    if port == provider_port:
        give_up(f"PORT and PROVIDER_PORT are both {port}: the demo provider needs one of its own.")
    private_folder(settings.VAR_DIR)
    with only_one(settings.VAR_DIR / "demo.lock") as lock:
        require_free(port, name="PORT")
        require_free(provider_port, name="PROVIDER_PORT")
        prepare(provider_port, lock=lock)
        announcement = Announcement(port, settings.PUBLIC_BASE_URL)
        supervisor = Supervisor(
            programs(port, provider_port=provider_port),
            folder=settings.BASE_DIR,
            environment=os.environ,
            on_tick=lambda: announcement.check(supervisor),
            inherited=(lock,),
        )
        supervisor.run()


if __name__ == "__main__":
    main()
