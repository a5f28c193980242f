"""What host names mean to this process: a stand-in for the system's name server, not for our code."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest


class Names:
    """The names that tests know, and how often each was looked up."""

    def __init__(self, addresses: Mapping[str, Sequence[str] | None]) -> None:
        self.addresses = dict(addresses)
        self.lookups: list[str] = []
        self.released = threading.Event()


@contextmanager
def resolving(addresses: Mapping[str, Sequence[str] | None]) -> Iterator[Names]:
    """Names and their addresses; None hangs until the block ends. Other names and all literal addresses go to the system."""
    names = Names(addresses)
    system = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in names.addresses:
            return list(system(host, port, *args, **kwargs))
        if kwargs.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        names.lookups.append(host)
        found = names.addresses[host]
        if found is None:
            names.released.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "nobody answered")
        return [entry for address in found for entry in system(address, port, *args, **kwargs)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        try:
            yield names
        finally:
            names.released.set()
