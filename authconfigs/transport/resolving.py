"""Looks names up within a deadline. The system's resolver can't be interrupted, so it runs beside."""

import os
import socket
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from authconfigs.transport.deadline import Deadline

# How many look-ups may hang at once; a name that doesn't get its turn in time counts as timed out.
_AT_ONCE = 64
_turns = threading.BoundedSemaphore(_AT_ONCE)


def _forget_parents_lookups() -> None:
    global _turns
    _turns = threading.BoundedSemaphore(_AT_ONCE)


os.register_at_fork(after_in_child=_forget_parents_lookups)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address that a name resolved to, as the system wants it for connect()."""

    family: int
    sockaddr: tuple[Any, ...]

    @property
    def address(self) -> str:
        return str(self.sockaddr[0])

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.sockaddr[1]}"


def resolve(host: str, port: int, *, deadline: Deadline) -> tuple[Endpoint, ...]:
    """Every address of a name, in the system's order of preference.

    Odd spellings of an address (decimal, octal, hexadecimal) come out as what connect() would make of them.
    Raises socket.gaierror, also for an impossible name, or TimeoutError.
    """
    try:
        return literal(host, port) or _endpoints(_look_up(host, port, deadline))
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "a label is empty or too long") from None


def literal(host: str, port: int) -> tuple[Endpoint, ...]:
    """The address that the host is itself, however it is spelled; empty for a name. Nothing is looked up."""
    try:
        return _endpoints(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        )
    except (socket.gaierror, UnicodeError):
        return ()


def _endpoints(found: list[Any]) -> tuple[Endpoint, ...]:
    return tuple(dict.fromkeys(Endpoint(family, sockaddr) for family, _, _, _, sockaddr in found))


def _look_up(host: str, port: int, deadline: Deadline) -> list[Any]:
    answer: Future[list[Any]] = Future()
    turns = _turns

    def ask() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            answer.set_exception(error)
        finally:
            turns.release()

    if not turns.acquire(timeout=deadline.hold()):
        raise TimeoutError("too many look-ups hang")
    # A daemon, so that a look-up that hangs doesn't keep the process from ending.
    threading.Thread(target=ask, name="name look-up", daemon=True).start()
    return answer.result(timeout=deadline.remaining())
