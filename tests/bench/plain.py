"""The baseline of the sweep: as many token requests with plain `requests`, without database, queue or console.

`python -m tests.bench.plain PORT COUNT IN_FLIGHT` sends COUNT refreshes to a token endpoint of `tests.servers.tokens`.
"""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

_own = threading.local()


def refresh(port: int, client: int) -> None:
    """Renew one client's token, by a session of this thread's own."""
    if not hasattr(_own, "session"):
        _own.session = requests.Session()
        _own.session.trust_env = False
    form = {"grant_type": "refresh_token", "refresh_token": f"{client}.1"}
    answer = _own.session.post(
        f"http://127.0.0.1:{port}/token", data=form, auth=(str(client), "a secret"), timeout=10
    )
    assert answer.json()["token_type"] == "Bearer"


def seconds_of(port: int, count: int, *, processes: int, in_flight: int) -> float:
    """How long so many refreshes take in so many processes, each with `in_flight` threads."""
    share = count // processes
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.plain", str(port), str(share), str(in_flight), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(processes)
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    begun = time.monotonic()
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait() for process in started] == [0] * processes
    return time.monotonic() - begun


def main(port: int, count: int, in_flight: int, number: int) -> None:
    with ThreadPoolExecutor(in_flight) as threads:
        print("ready", flush=True)
        sys.stdin.readline()
        first = number * count
        for done in [
            threads.submit(refresh, port, client) for client in range(first, first + count)
        ]:
            done.result()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
