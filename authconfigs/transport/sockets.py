"""Sockets that no operation outlives the deadline on: a timeout alone starts anew with every drip."""

import ssl
from socket import socket
from typing import Any

from authconfigs.transport.deadline import Deadline


class BoundedSocket(socket):
    """Each operation may wait for what is left until `deadline`; `heard` says whether bytes came since it was set."""

    deadline: Deadline | None = None
    heard: bool = False

    def start(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.heard = False

    def recv(self, *args: Any) -> bytes:
        self._hold()
        data = super().recv(*args)
        self.heard = self.heard or bool(data)
        return data

    def recv_into(self, *args: Any) -> int:
        self._hold()
        count = super().recv_into(*args)
        self.heard = self.heard or bool(count)
        return count

    def send(self, *args: Any) -> int:
        self._hold()
        return super().send(*args)

    def sendall(self, *args: Any) -> None:
        self._hold()
        super().sendall(*args)

    def _hold(self) -> None:
        if self.deadline is not None:
            self.settimeout(self.deadline.hold())


class BoundedTLSSocket(BoundedSocket, ssl.SSLSocket):
    """The same over TLS; assigned to `SSLContext.sslsocket_class`."""
