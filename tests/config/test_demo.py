import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.demo import Announcement, only_one, port_in
from tests.config.checkout import ROOT, checkout, run
from tests.config.test_supervisor import is_alive, wait_until


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("http://127.0.0.1:8000", 8000),
        ("http://localhost:8123", 8123),
        ("http://127.0.0.1", 80),
        ("https://console.example.com", 8000),
        ("http://console.example.com:8080", 8000),
    ],
)
def test_port_is_that_of_an_address_of_this_machine(address: str, port: int) -> None:
    assert port_in(address) == port


@pytest.mark.parametrize(
    ("port", "lines"),
    [(8000, []), (9100, ["In other shells: export PUBLIC_BASE_URL=http://127.0.0.1:9100"])],
)
def test_other_shells_are_told_of_another_port(port: int, lines: list[str]) -> None:
    opened, *others = Announcement(port, f"http://127.0.0.1:{port}").lines
    assert opened.startswith(f"Open http://127.0.0.1:{port}/admin/")
    assert others == lines


def test_taken_port_gets_a_way_out_before_anything_starts(tmp_path: Path) -> None:
    with taken_port() as port:
        done = run(checkout(tmp_path), "-m", "config.demo", PORT=str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert f"Port {port} can't be used" in line
    assert "make demo PORT=" in line


def test_taken_port_of_the_provider_gets_a_way_out_too(tmp_path: Path) -> None:
    with taken_port() as port:
        done = run(checkout(tmp_path), "-m", "config.demo", PORT="28917", PROVIDER_PORT=str(port))
    assert done.returncode == 1
    assert "make demo PORT=28917 PROVIDER_PORT=" in done.stderr


def test_one_port_for_both_is_refused(tmp_path: Path) -> None:
    done = run(checkout(tmp_path), "-m", "config.demo", PORT="28917", PROVIDER_PORT="28917")
    assert done.returncode == 1
    assert "both 28917" in done.stderr


@pytest.mark.parametrize("text", ["70000", "0", "eight"])
def test_port_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    done = run(checkout(tmp_path), "-m", "config.demo", PORT=text)
    assert done.returncode == 1
    assert "PORT=9000" in done.stderr


def test_second_console_in_one_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with only_one(tmp_path / "lock"), pytest.raises(SystemExit), only_one(tmp_path / "lock"):
        pass
    assert "already runs" in capsys.readouterr().err
    with only_one(tmp_path / "lock"):
        pass


# Its only program leaves a process behind that no signal to its group reaches.
CONSOLE = """
import os, pathlib, sys
from config.demo import only_one
from config.supervisor import Program, Supervisor
program = "import os, time; os.fork() or (os.setsid(), print(os.getpid(), flush=True)); time.sleep(60)"
with only_one(pathlib.Path(sys.argv[1])) as lock:
    programs = [Program("web", (sys.executable, "-c", program))]
    folder = pathlib.Path.cwd()
    Supervisor(programs, folder=folder, environment=os.environ, inherited=(lock,)).run()
"""


def test_lock_is_held_until_the_last_process_is_gone(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", CONSOLE, str(lock)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as console:
        assert console.stdout is not None
        left_behind = int(console.stdout.readline().split()[-1])
        console.terminate()
        assert console.wait(20) == 0
    try:
        with pytest.raises(SystemExit), only_one(lock):
            pass
    finally:
        os.kill(left_behind, signal.SIGKILL)
    wait_until(lambda: not is_alive(left_behind))
    with only_one(lock):
        pass
