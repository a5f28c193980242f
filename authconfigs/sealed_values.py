"""The walk over every sealed value: each sealed column of each model, in batches. Needs a scope that sees all tenants."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from authconfigs.datakeys import Keychain
from authconfigs.errors import SecretUnreadable
from authconfigs.fields import SealedField, Stored, all_sealed_fields
from authconfigs.sealing import DataKey, Place, number_of

__all__ = ["SealedValue", "all_sealed_fields", "batches", "count", "revealed", "unreadable"]


@dataclass(frozen=True)
class SealedValue:
    """A sealed value as it was read. `state` is its column of fingerprints, where it has one."""

    column: SealedField
    pk: Any
    place: Place
    ciphertext: bytes = field(repr=False)
    state: Any

    @property
    def table(self) -> str:
        return self.column.model._meta.db_table

    @property
    def number(self) -> int | None:
        """The number of the data key that it was sealed with, or None when it isn't even a sealed value."""
        try:
            return number_of(self.ciphertext)
        except SecretUnreadable:
            return None

    @property
    def named_keys(self) -> set[int]:
        """The numbers of the data keys that the value or its fingerprints need."""
        named = {number for number in (self.number,) if number is not None}
        return named | {_key_of(entry) for entry in _fingerprinted(self.state).values()}

    def reveal(self, keys: Keychain) -> Any:
        """The plain text or dict. Raises SecretUnreadable."""
        return keys.reveal(self.ciphertext, self.place)

    def replace(self, plain: Any, key: DataKey) -> bool:
        """Store it sealed with this key, with fingerprints of this key; False when the row has changed since it was read."""
        values = {self.column.attname: Stored(key.seal(plain, self.place), self.place)}
        unchanged = {self.column.attname: Stored(self.ciphertext, self.place)}
        if self.column.fingerprints:
            values[self.column.fingerprints] = _with_fingerprints(self.state, plain, key)
            unchanged[self.column.fingerprints] = self.state
        return _rows(self.column).filter(pk=self.pk, **unchanged).update(**values) == 1


def count(column: SealedField) -> int:
    """How many sealed values the column has."""
    return _rows(column).count()


def batches(column: SealedField, size: int) -> Iterator[list[SealedValue]]:
    """The column's values in the order of the primary key, at most `size` at a time.

    A row that is inserted meanwhile may be missed: walk again.
    """
    rows = _rows(column).order_by("pk")
    while batch := _values(column, rows[:size]):
        yield batch
        rows = _rows(column).order_by("pk").filter(pk__gt=batch[-1].pk)


def revealed(batch: Iterable[SealedValue]) -> tuple[list[tuple[SealedValue, Any]], int]:
    """The values of a batch that open, with their plain text, and how many don't."""
    opened, closed = _try(batch)
    return opened, len(unreadable(closed))


def unreadable(batch: Iterable[SealedValue]) -> list[SealedValue]:
    """Those of one column that don't open, also when they are read again: they may have been re-sealed or deleted meanwhile."""
    _, closed = _try(batch)
    if not closed:
        return []
    column = closed[0].column
    again = _values(column, _rows(column).filter(pk__in=[value.pk for value in closed]))
    return _try(again)[1]


def _try(batch: Iterable[SealedValue]) -> tuple[list[tuple[SealedValue, Any]], list[SealedValue]]:
    keys, opened, closed = Keychain(), [], []
    for value in batch:
        try:
            opened.append((value, value.reveal(keys)))
        except SecretUnreadable:
            closed.append(value)
    return opened, closed


def _rows(column: SealedField) -> QuerySet[Any]:
    return column.model._default_manager.filter(**{f"{column.attname}__isnull": False})


def _values(column: SealedField, rows: QuerySet[Any]) -> list[SealedValue]:
    names = ["pk", column.row, column.attname]
    has_tenant = any(other.attname == "tenant_id" for other in column.model._meta.concrete_fields)
    names += ["tenant_id"] if has_tenant else []
    names += [column.fingerprints] if column.fingerprints else []
    return [_value(column, row) for row in rows.values(*names)]


def _value(column: SealedField, row: Mapping[str, Any]) -> SealedValue:
    tenant_id: UUID | None = row.get("tenant_id")
    return SealedValue(
        column=column,
        pk=row["pk"],
        place=column.place(tenant_id=tenant_id, row_id=row[column.row]),
        ciphertext=row[column.attname].ciphertext,
        state=row.get(column.fingerprints),
    )


def _fingerprinted(state: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(state, dict):
        return {}
    return {
        name: entry
        for name, entry in state.items()
        if isinstance(entry, dict) and "fingerprint" in entry
    }


def _key_of(entry: Mapping[str, Any]) -> int:
    number, _, _ = str(entry["fingerprint"]).partition(":")
    return int(number) if number.isdecimal() else 0


def _with_fingerprints(state: Any, plain: Any, key: DataKey) -> Any:
    """The state with new fingerprints; one of a secret that isn't there tells of nothing and goes."""
    renewed = dict(state) if isinstance(state, dict) else state
    for name, entry in _fingerprinted(state).items():
        renewed[name] = {known: value for known, value in entry.items() if known != "fingerprint"}
        if isinstance(plain, dict) and name in plain:
            renewed[name]["fingerprint"] = key.fingerprint(plain[name])
    return renewed
