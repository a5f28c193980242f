"""The master keys: read from FIELD_ENCRYPTION_KEYS, they wrap data keys and nothing else.

Settings are read through this module, so it knows neither Django nor a cipher.
"""

import base64
import re
from dataclasses import dataclass, field

KEY_BYTES = 32
# The README shows it. A key that the whole world knows protects nothing.
EXAMPLE_KEY = "dGhpcyBpcyB0aGUgZXhhbXBsZSwgbm90IGEga2V5ISE="

_ID = re.compile(r"[a-z0-9]{1,16}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_HINT = "Make one with: python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"


class KeyringError(ValueError):
    """The master keys can't be used. Its text says why and what to do, and quotes nothing of them."""


@dataclass(frozen=True)
class MasterKey:
    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Keyring:
    """At least one master key; all open, the first one wraps."""

    keys: tuple[MasterKey, ...]

    @property
    def primary(self) -> MasterKey:
        return self.keys[0]

    def get(self, key_id: str) -> MasterKey | None:
        """The master key of this id, if it is in the ring."""
        return next((key for key in self.keys if key.id == key_id), None)


def parse_keyring(text: str) -> Keyring:
    """Read `id:base64url(32 bytes)`, comma separated, with blanks around entries (RFC 4648 §5; padding may be left out).

    Raises KeyringError for missing, malformed, repeated, too short or example keys.
    """
    if not text.strip():
        raise KeyringError(f"holds no key. {_HINT}")
    keys: list[MasterKey] = []
    for position, entry in enumerate(text.split(","), start=1):
        key = _parse_entry(entry.strip(), f"key {position}")
        if any(key.id == other.id for other in keys):
            raise KeyringError(f"key {position} has the id of an earlier one; give it another.")
        if any(key.secret == other.secret for other in keys):
            raise KeyringError(f"key {position} repeats an earlier one. {_HINT}")
        keys.append(key)
    return Keyring(tuple(keys))


def _parse_entry(entry: str, name: str) -> MasterKey:
    key_id, colon, encoded = entry.partition(":")
    if not colon or not _ID.fullmatch(key_id):
        raise KeyringError(
            f"{name} isn't id:key, where id has 1 to 16 lower-case letters and digits."
        )
    secret = _decoded(encoded)
    if secret is None:
        raise KeyringError(f"{name} isn't base64url. {_HINT}")
    if len(secret) != KEY_BYTES:
        size = "short" if len(secret) < KEY_BYTES else "long"
        raise KeyringError(f"{name} is too {size}: {KEY_BYTES} bytes are needed. {_HINT}")
    if secret == _decoded(EXAMPLE_KEY):
        raise KeyringError(f"{name} is the example of the documentation. {_HINT}")
    return MasterKey(key_id, secret)


def _decoded(encoded: str) -> bytes | None:
    if not _BASE64URL.fullmatch(encoded):
        return None
    bare = encoded.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError:
        return None
