"""A listener that counts connections and keeps the bytes of every request."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it came over the wire."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        """For example `GET /path?query HTTP/1.1`."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """Name and value of each header, in their order."""
        pairs = (line.partition(b": ") for line in self.head.split(b"\r\n")[1:] if line)
        return [(name.decode("latin-1"), value) for name, _, value in pairs]

    def header(self, name: str) -> bytes | None:
        """The value of the first header of that name."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)


class Conversation:
    """One connection, from the server's side."""

    def __init__(self, connection: socket.socket, server: "Server") -> None:
        self.connection = connection
        self.server = server
        self._buffer = b""

    def read_request(self) -> ReceivedRequest | None:
        """The next request, or None when the client has closed the connection."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        length = int(ReceivedRequest(head, b"").header("Content-Length") or 0)
        while len(self._buffer) < length:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        request = ReceivedRequest(head, body)
        self.server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes, *, pause: float) -> None:
        """One byte after the other."""
        for byte in data:
            self.send(bytes([byte]))
            if self.server.stopped.wait(pause):
                return

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _more(self) -> bool:
        data = self.connection.recv(65536)
        self._buffer += data
        return bool(data)


Script = Callable[[Conversation], None]


@dataclass
class Server:
    """What a test knows about a running server."""

    host: str
    port: int
    scheme: str
    connections: int = 0
    requests: list[ReceivedRequest] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """The address of a path, under another host name if one is given."""
        name = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{self.scheme}://{name}:{self.port}{path}"

    def wait_for_connections(self, count: int) -> None:
        """Return when that many have come, or after two seconds."""
        until = time.monotonic() + 2
        while self.connections < count and time.monotonic() < until:
            time.sleep(0.005)


@contextmanager
def serve(
    script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Server]:
    """Run `script` for every connection, each in a thread, until the block ends."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, backlog=128) as listener:
        server = Server(host, listener.getsockname()[1], scheme="https" if tls else "http")
        open_connections: list[socket.socket] = []
        threads: list[threading.Thread] = []

        def talk(connection: socket.socket) -> None:
            # Clients that hang up in the middle are part of the tests.
            with suppress(OSError), connection:
                connection.settimeout(20)
                if tls is None:
                    script(Conversation(connection, server))
                else:
                    with tls.wrap_socket(connection, server_side=True) as secured:
                        open_connections.append(secured)
                        script(Conversation(secured, server))

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if server.stopped.is_set():
                    connection.close()
                    return
                server.connections += 1
                open_connections.append(connection)
                thread = threading.Thread(target=talk, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.stopped.set()
            with suppress(OSError):
                socket.create_connection((host, server.port), timeout=1).close()
            accepting.join(5)
            for connection in open_connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)
