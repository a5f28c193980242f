"""A forward proxy that does CONNECT and absolute-form requests, and keeps what it was asked."""

import select
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from ssl import SSLContext, SSLSocket
from urllib.parse import urlsplit

from tests.servers.raw import Conversation, Server, serve
from tests.servers.scripts import message


@contextmanager
def _connected(host: str, port: int) -> Iterator[socket.socket]:
    with socket.create_connection((host, port), timeout=5) as upstream:
        yield upstream


def _relay(client: socket.socket, upstream: socket.socket) -> None:
    """Pass bytes on, both ways, until a side ends. By one thread: two must not use one TLS socket at once."""
    ways = {client: upstream, upstream: client}
    with suppress(OSError):
        while ready := _readable(list(ways)):
            for side in ready:
                data = side.recv(65536)
                if not data:
                    return
                ways[side].sendall(data)


def _readable(sides: list[socket.socket]) -> list[socket.socket]:
    """The sides that have bytes, decrypted ones or on the wire; none after 5 s of silence."""
    decrypted: list[socket.socket] = [
        side for side in sides if isinstance(side, SSLSocket) and side.pending()
    ]
    return decrypted or select.select(sides, (), (), 5)[0]


def serve_proxy(
    *, leads_to: Server | None = None, refuse: str = "", tls: SSLContext | None = None
) -> AbstractContextManager[Server]:
    """The proxy; it may send everything to one server whatever the name, or refuse all with a status."""

    def script(talk: Conversation) -> None:
        request = talk.read_request()
        if request is None:
            return
        if refuse:
            talk.send(message(refuse))
            return
        if request.line.startswith("CONNECT "):
            host, _, port = request.target.rpartition(":")
            first = b""
        else:
            parts = urlsplit(request.target)
            host, port = parts.hostname or "", str(parts.port)
            line, _, rest = request.head.partition(b"\r\n")
            method = line.split(b" ")[0]
            target = (parts.path + ("?" + parts.query if parts.query else "")).encode("ascii")
            first = b"%s %s HTTP/1.1\r\n%s\r\n\r\n%s" % (method, target, rest, request.body)
        if leads_to is not None:
            host, port = leads_to.host, str(leads_to.port)
        with _connected(host.strip("[]"), int(port)) as upstream:
            if first:
                upstream.sendall(first)
            else:
                talk.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(talk.connection, upstream)

    return serve(script, tls=tls)
