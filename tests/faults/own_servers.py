"""PostgreSQL and Redis of the fault tests alone, on free ports, so that they may be killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def poll(what: str, holds: Callable[[], object], *, within: float, every: float = 0.05) -> float:
    """Wait until it holds; the seconds that this took. Raises AssertionError when time is up."""
    begun = time.monotonic()
    while not holds():
        waited = time.monotonic() - begun
        assert waited < within, f"{what}: not within {within:.1f} s"
        time.sleep(every)
    return time.monotonic() - begun


@dataclass
class Server:
    """A server that can be stopped and started again at the same port."""

    command: list[str]
    folder: Path
    port: int
    user: str | None
    stops_by: signal.Signals
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        with (self.folder / "log").open("ab") as log:
            # A user of its own has no rights beyond its folder.
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                user=self.user,
                start_new_session=True,
            )
        poll(f"{self.command[0]} listens", self._listens, within=30)

    def stop(self) -> None:
        """Stop it as an administrator would who doesn't wait for clients."""
        if self._process is None:
            return
        self._process.send_signal(self.stops_by)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def missing() -> str:
    """Which of the servers isn't installed; empty when both are."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return "PostgreSQL"
    return "" if shutil.which("redis-server") else "Redis"


@contextmanager
def own_postgres(folder: Path) -> Iterator[Server]:
    """A PostgreSQL whose only user is postgres, without a password."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    user = "postgres" if os.getuid() == 0 else None
    if user:
        # It refuses to run as root, and enters no folder of root's.
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    subprocess.run(
        [f"{binaries}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"],
        cwd=folder,
        user=user,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": "200",
        "log_min_messages": "fatal",
    }
    command = [f"{binaries}/postgres", "-D", str(data), "-p", str(port)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    # SIGINT is its fast shutdown: clients are cut off.
    server = Server(command, folder, port, user, signal.SIGINT)
    server.start()
    try:
        poll("PostgreSQL answers", lambda: _answers(port), within=30)
        yield server
    finally:
        server.stop()


def _answers(port: int) -> bool:
    try:
        psycopg.connect(f"postgres://postgres@127.0.0.1:{port}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def own_redis(folder: Path) -> Iterator[Server]:
    """A Redis that writes nothing to disk: what was queued is gone after a restart."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = Server(command, folder, port, None, signal.SIGTERM)
    server.start()
    try:
        yield server
    finally:
        server.stop()
