"""Rotation of keys: data keys get a new wrapping, and on demand every value a new data key.

Readers and writers go on meanwhile. A value is replaced by compare-and-swap, so that nothing that happened in between is
undone. Its old key is retired then, and deleted when no value has named it for an hour: whoever was about to seal with it is
done by that time.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from authconfigs import datakeys
from authconfigs.database import database_now
from authconfigs.errors import SecretUnreadable
from authconfigs.models import DataKey
from authconfigs.sealed_values import SealedValue, all_sealed_fields, batches, count, revealed
from authconfigs.sealing import wrap
from tenants.audit import record
from tenants.scope import unscoped

LINGER = timedelta(hours=1)

# How often the walk begins again for what was written behind its back.
_WALKS = 10

_Owner = UUID | None
_Revealed = list[tuple[SealedValue, Any]]


@dataclass(frozen=True)
class Rewrapping:
    """How many data keys got the first master key's wrapping, and the names of those that no master key opens."""

    rewrapped: int
    locked: tuple[str, ...]


@dataclass(frozen=True)
class Resealing:
    """How many data keys were made, and how many values sealed anew, don't open, or changed all the while."""

    made: int
    resealed: int
    unreadable: int
    left: int


def rewrap(*, batch_size: int, dry_run: bool = False) -> Rewrapping:
    """Wrap every data key with the first master key. One that doesn't open stays as it is."""
    primary = datakeys.keyring().primary
    locked, outdated = [], []
    for row in datakeys.all_rows():
        if not datakeys.opens(row):
            locked.append(datakeys.name_of(row))
        elif row.master_key_id != primary.id:
            outdated.append(row)
    rewrapped = len(outdated) if dry_run else 0
    for batch in [] if dry_run else _chunks(outdated, batch_size):
        with transaction.atomic():
            rewrapped += sum(map(_rewrap_row, batch))
    return Rewrapping(rewrapped, tuple(locked))


def reseal(
    *, batch_size: int, dry_run: bool = False, advance: Callable[[int], None] = lambda values: None
) -> Resealing:
    """Make new data keys and seal every value with them; `advance` is told how many values the first walk has done.

    A rotation that was interrupted left older keys in use: then it goes on with the keys that it made.
    """
    with unscoped("every value of every tenant is sealed anew"):
        newest, made = _next_keys(dry_run)
        if dry_run:
            found = _walk(batch_size, lambda values: _pending(values, newest), advance)
            return Resealing(made, found["pending"], found["unreadable"], left=0)
        resealed = 0
        for _ in range(_WALKS):
            found = _walk(batch_size, _replace, advance)
            advance = lambda values: None  # noqa: E731
            resealed += found["replaced"]
            if not found["pending"]:
                _retire_older_than(newest)
                break
        return Resealing(made, resealed, found["unreadable"], left=found["pending"])


def forget_retired(*, batch_size: int) -> int:
    """Delete the data keys that were retired an hour ago, if no value has named them since; returns how many."""
    candidates = list(DataKey.objects.filter(retired_at__lte=database_now() - LINGER))
    named = _named_keys(batch_size) if candidates else set()
    deleted = 0
    for row in candidates:
        known = DataKey.objects.filter(id=row.id, retired_at=row.retired_at)
        with transaction.atomic():
            if (row.tenant_id, row.number) in named:
                known.update(retired_at=database_now())
            elif known.delete()[0]:
                record("delete", row)
                deleted += 1
    return deleted


def count_values() -> int:
    """How many sealed values there are."""
    with unscoped("every sealed value is counted"):
        return sum(map(count, all_sealed_fields()))


def _rewrap_row(row: DataKey) -> bool:
    secret = datakeys.unwrapped(row)
    wrapped = wrap(secret, datakeys.keyring(), tenant_id=row.tenant_id, number=row.number)
    unchanged = DataKey.objects.filter(id=row.id, wrapped=row.wrapped)
    if not unchanged.update(wrapped=wrapped.ciphertext, master_key_id=wrapped.master_key_id):
        return False
    record("rewrap", row, fields=["master_key_id", "wrapped"])
    return True


def _next_keys(dry_run: bool) -> tuple[dict[_Owner, int], int]:
    """The number of each owner's newest key, and how many of them are made now. Who has no key needs none."""
    in_use: dict[_Owner, list[DataKey]] = {}
    for row in datakeys.all_rows().filter(retired_at=None):
        in_use.setdefault(row.tenant_id, []).append(row)
    newest, made = {}, 0
    for owner, rows in in_use.items():
        # Whose key doesn't open gets no other one: the right master key may come back.
        if not datakeys.opens(rows[-1]):
            continue
        newest[owner] = rows[-1].number
        if len(rows) == 1:
            newest[owner] += 1
            made += dry_run or _make(owner, newest[owner])
    return newest, made


def _make(owner: _Owner, number: int) -> bool:
    with transaction.atomic():
        row = datakeys.make(owner, number)
        if row is not None:
            record("make", row)
    return row is not None


def _walk(
    batch_size: int, handle: Callable[[_Revealed], Counter[str]], advance: Callable[[int], None]
) -> Counter[str]:
    found: Counter[str] = Counter()
    for column in all_sealed_fields():
        for batch in batches(column, batch_size):
            opened, closed = revealed(batch)
            found["unreadable"] += closed
            found += handle(opened)
            advance(len(batch))
    return found


def _pending(values: _Revealed, newest: dict[_Owner, int]) -> Counter[str]:
    """How many values need another key than they name."""
    return Counter(
        pending=sum(
            value.place.tenant_id in newest and value.named_keys != {newest[value.place.tenant_id]}
            for value, _ in values
        )
    )


def _replace(values: _Revealed) -> Counter[str]:
    keys = _current_keys({value.place.tenant_id for value, _ in values})
    pending = [
        (value, plain, key)
        for value, plain in values
        if (key := keys.get(value.place.tenant_id)) and value.named_keys != {key.number}
    ]
    if not pending:
        return Counter()
    with transaction.atomic():
        replaced = sum(value.replace(plain, key) for value, plain, key in pending)
    return Counter(pending=len(pending), replaced=replaced)


def _current_keys(owners: Iterable[_Owner]) -> dict[_Owner, datakeys.DataKey]:
    keys = {}
    for owner in owners:
        try:
            keys[owner] = datakeys.current(owner)
        except SecretUnreadable:
            continue
    return keys


def _retire_older_than(newest: dict[_Owner, int]) -> None:
    with transaction.atomic():
        for owner, number in newest.items():
            older = Q(tenant__isnull=True) if owner is None else Q(tenant_id=owner)
            for row in DataKey.objects.filter(older, number__lt=number, retired_at=None):
                DataKey.objects.filter(id=row.id).update(retired_at=database_now())
                record("retire", row)


def _named_keys(batch_size: int) -> set[tuple[_Owner, int]]:
    with unscoped("retired keys are deleted when nobody's value names them"):
        return {
            (value.place.tenant_id, number)
            for column in all_sealed_fields()
            for batch in batches(column, batch_size)
            for value in batch
            for number in value.named_keys
        }


def _chunks(rows: list[DataKey], size: int) -> list[list[DataKey]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
