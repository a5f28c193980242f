"""The data keys of the tenants and of the platform: made at the first seal, wrapped at rest, opened in memory.

Opened keys are remembered by the id of their row. Which key is the current one, or has a number, is never remembered: whoever
writes or opens a value reads that. So a key whose transaction was rolled back harms nobody.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet

from authconfigs.cache import VersionedCache
from authconfigs.database import as_time, as_uuid, fetch_one
from authconfigs.errors import SecretUnreadable
from authconfigs.keyring import Keyring, parse_keyring
from authconfigs.models import DataKey as Row
from authconfigs.sealing import DataKey, Place, Wrapped, new_secret, number_of, unwrap, wrap
from authconfigs.sealing.box import UNREADABLE

__all__ = [
    "PLATFORM",
    "DataKey",
    "Keychain",
    "all_rows",
    "current",
    "keyring",
    "make",
    "name_of",
    "newest",
    "numbered",
    "opened",
    "opens",
    "reveal",
    "unreadable",
    "unwrapped",
]

TENANT_GONE = "The tenant was deleted, and there is no key to seal anything of it with."

# How keys without a tenant are called.
PLATFORM = "platform"

# Written by hand: every seal and every opening looks a key up, and the ORM takes ten times as long for it.
_KEYS = "SELECT id, number, wrapped, master_key_id, retired_at FROM authconfigs_datakey"
_OF_TENANT, _OF_PLATFORM = "WHERE tenant_id = %s", "WHERE tenant_id IS NULL"
_NEWEST, _NUMBERED = "ORDER BY number DESC LIMIT 1", "AND number = %s"

_opened: VersionedCache[DataKey] = VersionedCache(10_000)


def keyring() -> Keyring:
    """The master keys of FIELD_ENCRYPTION_KEYS."""
    return _parsed(settings.FIELD_ENCRYPTION_KEYS)


def current(tenant_id: UUID | None) -> DataKey:
    """The key that seals a tenant's new values (None: the platform's); made now if there is none yet.

    Raises SecretUnreadable when the tenant has a key that the master keys don't open: nothing is put in its place; and when
    the tenant is deleted at this very moment.
    """
    row = newest(tenant_id)
    if row is None or row.retired_at is not None:
        # The number follows from what was read: who reads the same at the same time collides, and uses the other's key.
        try:
            make(tenant_id, 1 if row is None else row.number + 1)
        except IntegrityError:
            raise SecretUnreadable(TENANT_GONE) from None
        row = newest(tenant_id)
    if row is None:
        raise SecretUnreadable(TENANT_GONE)
    return opened(row)


def numbered(tenant_id: UUID | None, number: int) -> DataKey:
    """The key of this number, also a retired one. Raises SecretUnreadable."""
    row = _find(tenant_id, _NUMBERED, number)
    if row is None:
        raise SecretUnreadable(UNREADABLE)
    return opened(row)


def reveal(ciphertext: bytes, place: Place) -> Any:
    """The plain text or dict of a sealed value. Raises SecretUnreadable."""
    return numbered(place.tenant_id, number_of(ciphertext)).open(ciphertext, place)


class Keychain:
    """The keys of one batch of values, each looked up once. For the length of a batch, no longer."""

    def __init__(self) -> None:
        self._keys: dict[tuple[UUID | None, int], DataKey | None] = {}
        self._current: dict[UUID | None, DataKey] = {}

    def current(self, tenant_id: UUID | None) -> DataKey:
        """As `current()` of the module."""
        if tenant_id not in self._current:
            self._current[tenant_id] = current(tenant_id)
        return self._current[tenant_id]

    def reveal(self, ciphertext: bytes, place: Place) -> Any:
        """As `reveal()` of the module."""
        tenant_id, number = name = (place.tenant_id, number_of(ciphertext))
        if name not in self._keys:
            try:
                self._keys[name] = numbered(tenant_id, number)
            except SecretUnreadable:
                self._keys[name] = None
        key = self._keys[name]
        if key is None:
            raise SecretUnreadable(UNREADABLE)
        return key.open(ciphertext, place)


def newest(tenant_id: UUID | None) -> Row | None:
    """The row of a tenant's newest key, which is the current one unless somebody retired it."""
    return _find(tenant_id, _NEWEST)


def make(tenant_id: UUID | None, number: int) -> Row | None:
    """Make a tenant's key of this number in the caller's transaction; None when there is one by then."""
    wrapped = wrap(new_secret(), keyring(), tenant_id=tenant_id, number=number)
    row = Row(
        tenant_id=tenant_id,
        number=number,
        wrapped=wrapped.ciphertext,
        master_key_id=wrapped.master_key_id,
    )
    # INSERT ... ON CONFLICT DO NOTHING: it waits for a transaction that is about to make the same one.
    Row.objects.bulk_create([row], ignore_conflicts=True)
    return Row.objects.filter(id=row.id).first()


def opened(row: Row) -> DataKey:
    """The key of a row. Raises SecretUnreadable."""
    masters = keyring()
    key = _opened.get(row.id, masters)
    if key is None:
        key = DataKey.opened(unwrapped(row), row.number)
        _opened.put(row.id, masters, value=key)
    return key


def unwrapped(row: Row) -> bytes:
    """What the master keys unwrap, whatever is remembered. Raises SecretUnreadable."""
    wrapped = Wrapped(bytes(row.wrapped), row.master_key_id)
    return unwrap(wrapped, keyring(), tenant_id=row.tenant_id, number=row.number)


def unreadable() -> int:
    """How many data keys the master keys don't open."""
    return sum(not opens(row) for row in all_rows())


def opens(row: Row) -> bool:
    """Whether the master keys open this row's key."""
    try:
        unwrapped(row)
    except SecretUnreadable:
        return False
    return True


def name_of(row: Row) -> str:
    """How people call a key: acme/1."""
    owner = row.tenant.slug if row.tenant is not None else PLATFORM
    return f"{owner}/{row.number}"


def all_rows() -> QuerySet[Row]:
    """The platform's keys and every tenant's, with their tenants."""
    return Row.objects.select_related("tenant").order_by("tenant__slug", "number")


def _find(tenant_id: UUID | None, which: str, *parameters: int) -> Row | None:
    if tenant_id is None:
        found = fetch_one(f"{_KEYS} {_OF_PLATFORM} {which}", parameters)
    else:
        found = fetch_one(f"{_KEYS} {_OF_TENANT} {which}", [tenant_id, *parameters])
    if found is None:
        return None
    key_id, number, wrapped, master_key_id, retired_at = found
    return Row(
        id=as_uuid(key_id),
        tenant_id=tenant_id,
        number=number,
        wrapped=bytes(wrapped),
        master_key_id=master_key_id,
        retired_at=as_time(retired_at),
    )


@lru_cache(maxsize=1)
def _parsed(text: str) -> Keyring:
    return parse_keyring(text)
