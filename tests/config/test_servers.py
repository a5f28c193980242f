"""The real servers, as an operator starts them."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.config.checkout import ROOT
from tests.config.test_supervisor import is_alive, wait_until


@contextmanager
def running(output: Path, *command: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdout=file,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in listed]


@contextmanager
def web(output: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with running(output, "gunicorn", "config.wsgi", "--bind", address, **variables) as process:
        wait_until(lambda: output.read_text().count("Booting worker") == 2, output)
        yield process, f"http://{address}"


def test_root_leads_to_the_admin_and_pages_carry_the_headers(tmp_path: Path) -> None:
    with web(tmp_path / "output") as (_, url):
        page = requests.get(f"{url}/", timeout=10)
    assert page.status_code == 200
    assert page.url.startswith(f"{url}/admin/login/")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in page.headers
    assert "Secure" not in page.headers["Set-Cookie"]


def test_static_files_need_no_collecting(tmp_path: Path) -> None:
    with web(tmp_path / "output") as (_, url):
        login = requests.get(f"{url}/admin/login/", timeout=10).text
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', login)
        assert files
        assert {requests.get(url + file, timeout=10).status_code for file in files} == {200}


def test_https_is_demanded_and_remembered_where_the_public_address_has_it(tmp_path: Path) -> None:
    settings = {"PUBLIC_BASE_URL": "https://console.example.com"}
    with web(tmp_path / "output", **settings) as (_, url):
        host = {"Host": "console.example.com"}
        plain = requests.get(f"{url}/admin/", headers=host, timeout=10, allow_redirects=False)
        behind_proxy = requests.get(
            f"{url}/admin/login/", headers={**host, "X-Forwarded-Proto": "https"}, timeout=10
        )
    assert (plain.status_code, plain.headers["Location"]) == (
        301,
        "https://console.example.com/admin/",
    )
    assert behind_proxy.status_code == 200
    assert "max-age=" in behind_proxy.headers["Strict-Transport-Security"]
    assert "Secure" in behind_proxy.headers["Set-Cookie"]


def test_unknown_host_is_refused(tmp_path: Path) -> None:
    with web(tmp_path / "output") as (_, url):
        answer = requests.get(f"{url}/", headers={"Host": "evil.example"}, timeout=10)
    assert answer.status_code == 400


def test_access_log_holds_no_query(tmp_path: Path) -> None:
    with web(tmp_path / "output") as (_, url):
        requests.get(f"{url}/admin/login/?code=planted-secret", timeout=10)
        wait_until(lambda: '"GET /admin/login/" 200' in (tmp_path / "output").read_text())
    assert "planted-secret" not in (tmp_path / "output").read_text()


def test_long_answer_of_a_provider_arrives(tmp_path: Path) -> None:
    with web(tmp_path / "output") as (_, url):
        answer = requests.get(f"{url}/oauth/callback/?code={'x' * 8000}", timeout=10)
    assert answer.status_code == 400
    assert '<meta name="symptom"' in answer.text


def test_web_workers_end_with_their_killed_master(tmp_path: Path) -> None:
    with web(tmp_path / "output") as (process, _):
        workers = children(process.pid)
        assert len(workers) == 2
        process.kill()
        wait_until(lambda: not any(is_alive(worker) for worker in workers))


def test_task_processes_end_with_their_killed_worker(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with running(
        output,
        *("celery", "-A", "config", "worker", "--concurrency", "1"),
        BROKER_URL=f"filesystem://{tmp_path}/broker",
    ) as process:
        wait_until(lambda: "ready." in output.read_text(), output)
        pool = children(process.pid)
        assert pool
        process.kill()
        wait_until(lambda: not any(is_alive(child) for child in pool))
    assert (tmp_path / "broker").stat().st_mode & 0o777 == 0o700
