"""Data keys at rest: wrapped by a master key, for one tenant and one number."""

import os
from dataclasses import dataclass
from uuid import UUID

from authconfigs.errors import SecretUnreadable
from authconfigs.keyring import KEY_BYTES, Keyring, MasterKey
from authconfigs.sealing.box import UNREADABLE, Box, context_of
from authconfigs.sealing.keys import tenant_name

_FORMAT = b"\x01"


@dataclass(frozen=True)
class Wrapped:
    """A data key that only the master key of this id opens."""

    ciphertext: bytes
    master_key_id: str


def new_secret() -> bytes:
    """A fresh data key."""
    return os.urandom(KEY_BYTES)


def wrap(secret: bytes, keyring: Keyring, *, tenant_id: UUID | None, number: int) -> Wrapped:
    """Wrap a data key with the first master key."""
    box = _box(keyring.primary).close(secret, _context(tenant_id, number))
    return Wrapped(_FORMAT + box, keyring.primary.id)


def unwrap(wrapped: Wrapped, keyring: Keyring, *, tenant_id: UUID | None, number: int) -> bytes:
    """The data key that was wrapped for this tenant and number. Raises SecretUnreadable."""
    master = keyring.get(wrapped.master_key_id)
    if master is None or not wrapped.ciphertext.startswith(_FORMAT):
        raise SecretUnreadable(UNREADABLE)
    return _box(master).open(wrapped.ciphertext[len(_FORMAT) :], _context(tenant_id, number))


def _box(master: MasterKey) -> Box:
    return Box.derived(master.secret, "wrap")


def _context(tenant_id: UUID | None, number: int) -> bytes:
    return _FORMAT + context_of("data key", tenant_name(tenant_id), str(number))
