"""Who acts: what the audit trail says of a change, wherever in the code it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Actor:
    """A person or a machine. `via` is the way in: web, shell, or system for our own work.

    `address` is where a request came from, or None.
    """

    user_id: UUID | None
    name: str
    address: str | None
    via: str


SYSTEM = Actor(user_id=None, name="system", address=None, via="system")

_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Let `actor` be who acts until the block ends. A new thread starts as the system."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    """Who acts now; the system where nobody said."""
    return _actor.get()
