"""`make demo` as a newcomer runs it: real servers, real data, a copy of the code."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import requests

from tests.config.checkout import checkout
from tests.config.test_supervisor import is_alive, wait_until


def free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def demo(folder: Path, *, port: int, provider_port: int) -> Iterator[subprocess.Popen[bytes]]:
    """What stands in for make, with the demo that it runs, once that says that it answers."""
    variables = {
        "PORT": str(port),
        "PROVIDER_PORT": str(provider_port),
        "DATABASE_URL": "",
        "BROKER_URL": "",
        "MAKELEVEL": "1",
    }
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            ["sh", "-c", f"{sys.executable} -m config.demo; :"],
            cwd=folder,
            env={**os.environ, **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        signs = (
            f"Open http://127.0.0.1:{port}/admin/",
            "celery.beat: beat: Starting",
            "celery.apps.worker: ",
            "The demo provider answers",
        )
        wait_until(
            lambda: all(sign in printed(folder) for sign in signs), folder / "output", seconds=120
        )
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def printed(folder: Path) -> str:
    return (folder / "output").read_text()


def descendants(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [each for child in map(int, listed) for each in (child, *descendants(child))]


def test_demo_serves_runs_its_clock_and_keeps_the_data_and_ends_whole(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    port, provider_port = free_ports(2)
    with demo(folder, port=port, provider_port=provider_port) as process:
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).status_code == 200
        assert requests.get(f"http://127.0.0.1:{provider_port}/", timeout=10).status_code == 200
        lines = printed(folder).splitlines()
        assert {line.split()[0] for line in lines if " | " in line} >= {"web", "worker", "beat"}
        assert "acme-admin" in printed(folder)
        other_shells = f"In other shells: export PUBLIC_BASE_URL=http://127.0.0.1:{port}"
        assert [line.endswith(other_shells) for line in lines].count(True) == 1
        everyone = descendants(process.pid)
        assert len(everyone) >= 9
        os.kill(everyone[0], signal.SIGINT)
        assert process.wait(60) == 0
        wait_until(lambda: not any(map(is_alive, everyone)))
    with demo(folder, port=port, provider_port=provider_port) as process:
        assert "acme-admin" not in printed(folder)
        everyone = descendants(process.pid)
        process.kill()
        wait_until(lambda: not any(map(is_alive, everyone)))
