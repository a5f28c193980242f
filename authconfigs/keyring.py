"""The keyring: master keys that wrap data keys. Pure, so that settings can judge it before anything else is loaded.

`FIELD_ENCRYPTION_KEYS="k2:...,k1:..."`, each `id:base64url(32 bytes)`. The first wraps, all unwrap.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field

KEY_BYTES = 32
EXAMPLE_SECRETS = (bytes(KEY_BYTES), bytes(range(KEY_BYTES)))
_ENTRY = re.compile(r"([a-z0-9]{1,16}):([A-Za-z0-9_-]+={0,2})")


class KeyringError(ValueError):
    """The keyring can't be used; the message never holds any part of a key."""


@dataclass(frozen=True)
class MasterKey:
    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Keyring:
    """Master keys, the one that writes first."""

    keys: tuple[MasterKey, ...]

    @property
    def primary(self) -> MasterKey:
        return self.keys[0]

    def find(self, key_id: str) -> MasterKey | None:
        """The key of that id, or None when the keyring doesn't hold it (any more)."""
        return next((key for key in self.keys if key.id == key_id), None)


def parse_keyring(text: str) -> Keyring:
    """Read `id:base64url(32 bytes)` entries, comma separated; blanks around an entry are ignored.

    Raises KeyringError when it is empty, malformed, or an id or key is repeated, too short, or the documented example.
    """
    if not text.strip():
        raise KeyringError("is missing or empty")
    keys: list[MasterKey] = []
    for position, entry in enumerate(text.split(","), start=1):
        found = _ENTRY.fullmatch(entry.strip())
        if found is None:
            raise KeyringError(f"entry {position} isn't id:base64url(32 bytes)")
        key = MasterKey(found[1], _decoded(found[2], position))
        if any(key.id == known.id or key.secret == known.secret for known in keys):
            raise KeyringError(f"entry {position} repeats an id or a key")
        keys.append(key)
    return Keyring(tuple(keys))


def _decoded(text: str, position: int) -> bytes:
    bare = text.rstrip("=")
    try:
        secret = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise KeyringError(f"entry {position} isn't base64url") from None
    if len(secret) != KEY_BYTES:
        raise KeyringError(f"entry {position} has {len(secret)} bytes instead of {KEY_BYTES}")
    if secret in EXAMPLE_SECRETS or len(set(secret)) < 8:
        raise KeyringError(f"entry {position} is an example: make a random one")
    return secret
