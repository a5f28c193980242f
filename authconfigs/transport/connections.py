"""urllib3's connections, on a lead: the address is judged after the look-up and the very same is connected.

Host header, SNI and the name in the certificate stay those of the URL. Requests and answers pass through the standard
library's half of the class: urllib3's own methods rewrite the path, and log URLs with their query.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.wait import wait_for_read

from authconfigs.errors import ConnectFailed
from authconfigs.symptoms import Stage
from authconfigs.transport.answers import FramedAnswer
from authconfigs.transport.deadline import Deadline
from authconfigs.transport.exchange import Exchange
from authconfigs.transport.resolving import Endpoint, resolve
from authconfigs.transport.sockets import BoundedSocket, BoundedTLSSocket
from authconfigs.transport.tls import described
from authconfigs.transport.wire import WireRequest

# Between us and a server, something may have forgotten a connection that rested longer than this.
_LONGEST_REST = 60.0
# A dead address must leave time for the next one.
_PATIENCE = 3.0


class CheckedConnection(HTTPConnection):
    """A connection that is lent out for one exchange after the other."""

    exchange: Exchange
    endpoints: tuple[Endpoint, ...] = ()
    resting_since: float = 0.0
    is_fresh: bool = True
    # Never by itself: the proxy's tunnel would be missing.
    auto_open = 0
    response_class = FramedAnswer

    @property
    def is_connected(self) -> bool:
        """Whether the other side still listens; asked before a connection is used again."""
        if self.sock is None or time.monotonic() - self.resting_since > _LONGEST_REST:
            return False
        return not wait_for_read(self.sock, timeout=0.0) or _has_only_tickets(self.sock)

    @property
    def wire(self) -> BoundedSocket:
        """The socket that carries it all; TLS inside of a TLS proxy wraps it once more."""
        carrier = getattr(self.sock, "socket", self.sock)
        assert isinstance(carrier, BoundedSocket)  # noqa: S101 - we made it
        return carrier

    def connect(self) -> None:
        """Look up, judge, connect, and do TLS; each leaves its step in the trace."""
        super().connect()
        if self.exchange.stage is Stage.TLS:
            self.exchange.passed(described(self.sock))
        self.exchange.enter(Stage.API)
        self.wire.start(self.exchange.deadline)

    def resume(self) -> None:
        """Use it again. For http:// it depends on the request whether its address will do."""
        if self.exchange.target.scheme == "http":
            self.exchange.judge(self.exchange.endpoints or self.endpoints)
        self.wire.start(self.exchange.deadline)

    def ask(self, request: WireRequest, *, target: str) -> http.client.HTTPResponse:
        """Send a request; returns when the headers of the answer are there."""
        self.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            self.putheader(name, value)  # type: ignore[arg-type]
        # Who refuses a body early may have said why.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.endheaders(request.body)
        return http.client.HTTPConnection.getresponse(self)

    def _new_conn(self) -> socket.socket:
        exchange = self.exchange
        self.endpoints = exchange.endpoints or exchange.find()
        exchange.enter(Stage.CONNECT)
        deadline = exchange.deadline
        if self.proxy is None:
            connected, detail = connect_first(self.endpoints, deadline)
        else:
            connected = self._connect_proxy(deadline)
            detail = f"through the proxy {self.host}:{self.port}"
        connected.start(deadline)
        connected.settimeout(deadline.hold())
        if not self.proxy_is_tunneling:
            self._connected(detail)
        return connected

    def _connect_proxy(self, deadline: Deadline) -> BoundedSocket:
        try:
            return connect_first(resolve(self._dns_host, self.port, deadline=deadline), deadline)[0]
        except TimeoutError:
            raise
        except OSError:
            raise ConnectFailed(
                "The proxy of this console can't be reached.", stage=Stage.CONNECT
            ) from None

    def _tunnel(self) -> None:
        try:
            super()._tunnel()
        except OSError as error:
            if isinstance(error, TimeoutError) or error.errno is not None:
                raise
            raise ConnectFailed(
                "The proxy of this console didn't connect to"
                f" {self.exchange.target.host}:{self.exchange.target.port}.",
                stage=Stage.CONNECT,
            ) from None
        self._connected(f"through the proxy {self.host}:{self.port}")

    def _connected(self, detail: str) -> None:
        self.exchange.passed(detail)
        secure = self.exchange.target.scheme == "https"
        self.exchange.enter(Stage.TLS if secure else Stage.API)


class CheckedTLSConnection(CheckedConnection, HTTPSConnection):
    """The same over TLS."""


def connect_first(endpoints: Sequence[Endpoint], deadline: Deadline) -> tuple[BoundedSocket, str]:
    """A connection to the first endpoint that takes it, and which one that was.

    Raises OSError, that of the preferred endpoint if none does.
    """
    failure: OSError | None = None
    for tried, endpoint in enumerate(endpoints):
        candidate = BoundedSocket(endpoint.family, socket.SOCK_STREAM)
        try:
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            left, others = deadline.hold(), len(endpoints) - tried - 1
            candidate.settimeout(min(_PATIENCE, left / (others + 1)) if others else left)
            candidate.connect(endpoint.sockaddr)
        except OSError as error:
            candidate.close()
            failure = failure or error
        else:
            return candidate, str(endpoint)
    raise failure or OSError("no endpoint")


def _has_only_tickets(connected: object) -> bool:
    """Whether what waits to be read are TLS 1.3 session tickets, neither an answer nor the end."""
    if not isinstance(connected, BoundedTLSSocket):
        return False
    try:
        connected.settimeout(0)
        ssl.SSLSocket.recv(connected, 1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        pass
    return False
