"""Data keys: they seal values, open them again, and fingerprint them.

A sealed value is a format byte, the number of its data key (4 bytes, big endian) and the box.
"""

import hashlib
import hmac
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from authconfigs.errors import SecretUnreadable
from authconfigs.sealing.box import UNREADABLE, Box, context_of, derive

_FORMAT = 1
_HEADER = struct.Struct(">BI")


@dataclass(frozen=True)
class Place:
    """Where a value is sealed for: a literal purpose, the tenant (None: the platform) and the row."""

    purpose: str
    tenant_id: UUID | None
    row_id: str

    def context(self, header: bytes) -> bytes:
        return header + context_of(self.purpose, tenant_name(self.tenant_id), self.row_id)


def tenant_name(tenant_id: UUID | None) -> str:
    """How a MAC names a tenant; no tenant has the platform's name."""
    return "platform" if tenant_id is None else str(tenant_id)


@dataclass(frozen=True)
class DataKey:
    """An opened data key of one tenant or of the platform."""

    number: int
    _box: Box = field(repr=False)
    _fingerprint_key: bytes = field(repr=False)

    @classmethod
    def opened(cls, secret: bytes, number: int) -> "DataKey":
        return cls(number, Box.derived(secret, "seal"), derive(secret, "fingerprint", length=32))

    def seal(self, value: str | Mapping[str, Any], place: Place) -> bytes:
        """Encrypt text or a mapping that JSON can hold, for one place.

        Raises TypeError or ValueError for anything else.
        """
        if not isinstance(value, str | Mapping):
            raise TypeError("Text or a mapping can be sealed.")
        header = _HEADER.pack(_FORMAT, self.number)
        plain = value if isinstance(value, str) else dict(value)
        text = json.dumps(plain, allow_nan=False)
        return header + self._box.close(text.encode(), place.context(header))

    def open(self, sealed: bytes, place: Place) -> Any:
        """The text or dict that was sealed for this place with this key. Raises SecretUnreadable."""
        if number_of(sealed) != self.number:
            raise SecretUnreadable(UNREADABLE)
        header, box = sealed[: _HEADER.size], sealed[_HEADER.size :]
        return json.loads(self._box.open(box, place.context(header)))

    def fingerprint(self, value: str | Mapping[str, Any]) -> str:
        """`number:HMAC` of a secret: equal for equal secrets of one tenant, and tells nothing else."""
        text = value if isinstance(value, str) else json.dumps(dict(value), sort_keys=True)
        message = text.encode("utf-8", "surrogatepass")
        return (
            f"{self.number}:{hmac.new(self._fingerprint_key, message, hashlib.sha256).hexdigest()}"
        )


def number_of(sealed: bytes) -> int:
    """The number of the data key that a value names. Raises SecretUnreadable when it has none."""
    if len(sealed) <= _HEADER.size or sealed[0] != _FORMAT:
        raise SecretUnreadable(UNREADABLE)
    number: int = _HEADER.unpack_from(sealed)[1]
    return number
