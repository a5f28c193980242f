"""The HTTP/1.1 server around the endpoints: keep-alive, a thread per connection, a log of what came in."""

import http.server
import logging
import socket
import socketserver
import threading
from collections import deque
from types import TracebackType
from typing import Any, Self

from integrations.demo.provider.ledger import counter
from integrations.demo.provider.messages import Answer, Received, json_answer
from integrations.demo.provider.routes import Routes
from integrations.demo.provider.switches import Switches

DEFAULT_PORT = 8765
LOG_LENGTH = 20_000
LARGEST_BODY = 2**20
LISTENERS_QUEUE = 512
DRIP_PAUSE = 0.1

logger = logging.getLogger(__name__)


class Provider:
    """The demo provider, listening on loopback from the moment it is made until `stop()`.

    port: 0 takes a free one. Raises OSError when the port is taken.
    `switches`, `requests` (oldest first), `counts` and `ledger` may be used from any thread.
    """

    def __init__(self, port: int = 0, *, host: str = "127.0.0.1", rotated: bool = False) -> None:
        self.switches = Switches(rotated=rotated)
        self.counts, self._count = counter()
        self.stopping = threading.Event()
        self._log: deque[Received] = deque(maxlen=LOG_LENGTH)
        self._server = _Server((host, port), self)
        self.host, self.port = host, int(self._server.server_address[1])
        self.base_url = f"http://{host}:{self.port}"
        self._routes = Routes(self.switches, self._count, base_url=self.base_url)
        self.ledger = self._routes.ledger
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    @property
    def token_url(self) -> str:
        """The address of the token endpoint."""
        return f"{self.base_url}/token"

    @property
    def requests(self) -> list[Received]:
        """What was received, oldest first, up to 20,000; `path` has no /fail/NAME."""
        return list(self._log)

    def count(self, name: str) -> int:
        """How often something happened: "POST /token", "connections", "tokens", "grant password",
        "refresh_reuse", "refresh_grace", "code_reuse"."""
        return self.counts[name]

    def forget(self) -> None:
        """Empty `requests` and the counts."""
        self._log.clear()
        self.counts.clear()

    def stop(self) -> None:
        """Close the port and every open connection."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._thread.join()

    def wait(self) -> None:
        """Block until another thread or a signal handler sets `stopping`."""
        self.stopping.wait()

    def respond(self, received: Received) -> Answer:
        """Log a request and answer it."""
        answer, plain = self._routes.answer(received)
        self._log.append(plain)
        logger.info("%s %s %s", plain.method, ascii(plain.endpoint)[1:-1], answer.status or "-")
        if plain.endpoint == "/token" and self.switches.token_delay:
            self.stopping.wait(self.switches.token_delay)
        return answer

    def opened(self) -> None:
        """Count a connection."""
        self._count("connections")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = LISTENERS_QUEUE

    def __init__(self, address: tuple[str, int], provider: Provider) -> None:
        self.provider = provider
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("A connection ended early.", exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "DemoProvider"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.provider.opened()

    def answer(self) -> None:
        body = self._body()
        if body is None:
            self._write(json_answer({"error": "length_required"}, 411))
            self.close_connection = True
            return
        headers = tuple(self.headers.items())
        self._write(self.server.provider.respond(Received(self.command, self.path, headers, body)))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, format: str, *args: object) -> None:
        return

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            return None
        return self.rfile.read(int(length)) if int(length) <= LARGEST_BODY else None

    def _write(self, answer: Answer) -> None:
        provider = self.server.provider
        slow = answer.pace == "slow"
        if answer.pace == "close" or (
            slow and provider.stopping.wait(provider.switches.slow_seconds)
        ):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer.pace == "drip":
            self._drip(answer.body)
        else:
            self.wfile.write(answer.body)

    def _drip(self, body: bytes) -> None:
        provider = self.server.provider
        pause = max(DRIP_PAUSE, provider.switches.slow_seconds / max(len(body), 1))
        for byte in body:
            self.wfile.flush()
            if provider.stopping.wait(pause):
                return
            self.wfile.write(bytes([byte]))
