"""What a warm call costs over a bare pooled request: `python -m tests.bench.call_overhead`, optionally with DATABASE_URL.

The API runs in a process of its own. The ways take turns, so that whatever else the machine does hits them alike.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ROUNDS, CALLS = 30, 50

SERVER = """
import socket, threading
def talk(connection):
    data = b""
    while True:
        while b"\\r\\n\\r\\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        data = data.partition(b"\\r\\n\\r\\n")[2]
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=talk, args=(connection,), daemon=True).start()
"""


@contextmanager
def api() -> Iterator[str]:
    """The address of an API that answers everything with {}."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()


def measured(ways: dict[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """Median microseconds of one call, by the clock and of CPU time."""
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            clock, cpu = time.perf_counter(), time.thread_time()
            for _ in range(CALLS):
                way()
            spent = time.perf_counter() - clock, time.thread_time() - cpu
            rounds[name].append((spent[0] / CALLS * 1e6, spent[1] / CALLS * 1e6))
    return {
        name: (statistics.median(a for a, _ in one), statistics.median(b for _, b in one))
        for name, one in rounds.items()
    }


def main() -> None:
    import tests.environment  # noqa: F401 - the settings of the tests

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    import requests
    from django.conf import settings
    from django.db import connection

    from authconfigs.outgoing import OutgoingRequest
    from authconfigs.transport import Deadline, default_door
    from integrations.client import connect
    from tests.integrations.wired import store_token, wired

    settings.USAGE_FLUSH_SECONDS = None
    connection.creation.create_test_db(verbosity=0)
    with api() as url, requests.Session() as session:
        wired(
            url,
            method="oauth2_client_credentials",
            options={"token_url": f"{url}/token", "client_id": "bench"},
            secrets={"client_secret": "s"},
        )
        store_token(access_token="a" * 800, generation=1, state="valid")
        client = connect("acme", "crm", environment="staging")
        request = OutgoingRequest("GET", f"{url}/x", (("Authorization", "Bearer " + "a" * 800),))
        headers = dict(request.headers)
        figures = measured(
            {
                "bare requests.Session().get()": lambda: session.get(request.url, headers=headers),
                "the door alone": lambda: default_door().send(
                    request, deadline=Deadline.after(20), max_bytes=2**20
                ),
                "connect(...).get()": lambda: client.get("/x"),
            }
        )
    bare, bare_cpu = figures["bare requests.Session().get()"]
    sys.stdout.write(f"{connection.vendor}, median of {ROUNDS} x {CALLS} calls, microseconds\n")
    for name, (clock, cpu) in figures.items():
        sys.stdout.write(
            f"{name:32}{clock:8.0f} ({clock - bare:+.0f})   CPU {cpu:6.0f} ({cpu - bare_cpu:+.0f})\n"
        )
    connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


if __name__ == "__main__":
    main()
