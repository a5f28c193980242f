"""The model field for secrets: sealed when a row is saved, shown as dots, opened on `.reveal()` only."""

import base64
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast
from uuid import UUID

from django.apps import apps
from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from authconfigs.sealing import Place

DOTS = "••••••••"
_TAG = "sealed:"

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field


class Sealed:
    """A secret that describes itself safely: dots everywhere, plain text on `reveal()` alone. Can't be pickled."""

    __slots__ = ()

    def reveal(self) -> Any:
        """The plain text, or the dict. Raises SecretUnreadable."""
        raise NotImplementedError

    def __str__(self) -> str:
        return DOTS

    def __repr__(self) -> str:
        return f"<sealed {DOTS}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A sealed value can't be pickled: caches, queues and logs are no place for it."
        )


@dataclass(frozen=True, slots=True, repr=False)
class Stored(Sealed):
    """What the database holds. `place` is where its row says that it was sealed for; None outside of a row."""

    ciphertext: bytes
    place: Place | None = None

    def reveal(self) -> Any:
        if self.place is None:
            raise TypeError("Only the row of a sealed value can open it: read the whole row.")
        # The keys are rows, and their model is declared beside those that use this field.
        from authconfigs import datakeys

        return datakeys.reveal(self.ciphertext, self.place)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Typed(Sealed):
    """What was assigned to a row and is sealed whenever that is saved."""

    value: str | Mapping[str, Any]

    def reveal(self) -> Any:
        return self.value


class SealedAttribute(DeferredAttribute):
    """Assigning text or a mapping replaces the secret, None removes it; reading gives a `Sealed` or None."""

    field: "SealedField"

    def __get__(self, instance: models.Model | None, owner: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, owner)
        if isinstance(value, Stored) and value.place is None:
            value = Stored(value.ciphertext, self.field.place_of(instance))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: object) -> None:
        if isinstance(value, str | Mapping):
            value = Typed(value)
        elif value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.field.name} takes text, a mapping or None.")
        instance.__dict__[self.field.attname] = value


class SealedField(_Field):
    """A secret in a column, sealed for its purpose, tenant and row.

    `purpose` is a literal that no other field uses and that never changes, whatever the table is called. `row` names the
    attribute whose value identifies the row. `fingerprints` names a JSON column `{name: {"fingerprint": ...}}` that
    describes the secrets of a sealed mapping; re-sealing computes them anew in the same UPDATE.

    `save()` and `bulk_create()` seal. `update()`, `bulk_update()` and filters refuse plain text; they take what `seal()` made.
    """

    if TYPE_CHECKING:
        _pyi_private_set_type: str | Mapping[str, Any] | Sealed
        _pyi_private_get_type: Sealed
        _pyi_lookup_exact_type: Sealed

    description = "A sealed secret"
    empty_strings_allowed = False
    descriptor_class = SealedAttribute

    def __init__(self, *, purpose: str, row: str, fingerprints: str = "", **kwargs: Any) -> None:
        self.purpose, self.row, self.fingerprints = purpose, row, fingerprints
        kwargs["editable"] = False
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        kwargs |= {"purpose": self.purpose, "row": self.row}
        if self.fingerprints:
            kwargs["fingerprints"] = self.fingerprints
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_place()]

    def place_of(self, row: models.Model) -> Place:
        """Where this row's value is sealed for. Raises ValueError while the row has no identity."""
        return self.place(tenant_id=getattr(row, "tenant_id", None), row_id=getattr(row, self.row))

    def place(self, *, tenant_id: UUID | None, row_id: Any) -> Place:
        """As `place_of`, by the ids."""
        # An id may have been assigned as text in another spelling.
        row_id = cast(_Field, self.model._meta.get_field(self.row)).to_python(row_id)
        if row_id is None:
            raise ValueError(f"{self.name} can't be sealed before its row has {self.row}.")
        if tenant_id is not None and not isinstance(tenant_id, UUID):
            tenant_id = UUID(tenant_id)
        return Place(self.purpose, tenant_id, str(row_id))

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        """The sealed value. What was assigned stays in the instance: a save that is rolled back may be repeated."""
        value = getattr(model_instance, self.attname)
        if isinstance(value, Typed):
            return _sealed(value.value, self.place_of(model_instance))
        if isinstance(value, Stored) and value.place != self.place_of(model_instance):
            raise ValueError(
                f"{self.name} was sealed for another row and would never open here: reveal it there, assign it here."
            )
        return cast("Sealed | None", value)

    def get_internal_type(self) -> str:
        return "BinaryField"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Stored | None:
        return None if value is None else Stored(bytes(value))

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Stored):
            return value
        raise TypeError(
            f"{self.name} is sealed: plain text goes in by save() and comes out by reveal()."
        )

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        stored = self.get_prep_value(value)
        return None if stored is None else stored.ciphertext

    def get_lookup(self, lookup_name: str) -> Any:
        # Nobody finds out a ciphertext or its order by trying.
        return super().get_lookup(lookup_name) if lookup_name in {"exact", "isnull"} else None

    def value_to_string(self, obj: models.Model) -> str:
        """The ciphertext with a tag, for `dumpdata`."""
        value = self.value_from_object(obj)
        if not isinstance(value, Stored):
            raise ValueError(f"{self.name} isn't sealed yet: save the row first.")
        return _TAG + base64.b64encode(value.ciphertext).decode()

    def to_python(self, value: Any) -> Sealed | None:
        """For `loaddata`: what `value_to_string` gave. Anything else is refused when the row is stored, without being quoted."""
        if value is None or isinstance(value, Sealed):
            return value
        if isinstance(value, str) and value.startswith(_TAG):
            with suppress(ValueError):
                return Stored(base64.b64decode(value.removeprefix(_TAG), validate=True))
        return Typed(value)

    def formfield(self, *args: Any, **kwargs: Any) -> None:
        """None: a secret is never a field of a model form."""

    def _check_place(self) -> Iterable[checks.CheckMessage]:
        for name in filter(None, (self.row, self.fingerprints)):
            try:
                self.model._meta.get_field(name)
            except FieldDoesNotExist:
                yield checks.Error(
                    f"The model has no column {name!r}.", obj=self, id="authconfigs.E001"
                )
        twins = [
            other
            for other in all_sealed_fields()
            if other.purpose == self.purpose and other is not self
        ]
        if twins:
            yield checks.Error(
                f"The purpose {self.purpose!r} is that of {twins[0]}, too.",
                hint="A value moved between the two would open. Give each its own.",
                obj=self,
                id="authconfigs.E002",
            )


def all_sealed_fields() -> list[SealedField]:
    """Every sealed column of every model, in the order of the tables."""
    return [
        column
        for model in apps.get_models(include_auto_created=True)
        for column in model._meta.local_concrete_fields
        if isinstance(column, SealedField)
    ]


def seal(
    column: SealedField, value: str | Mapping[str, Any], *, tenant_id: UUID | None, row_id: Any
) -> Sealed:
    """Seal a value with the tenant's current data key, for an UPDATE of that row. Raises SecretUnreadable."""
    return _sealed(value, column.place(tenant_id=tenant_id, row_id=row_id))


def _sealed(value: str | Mapping[str, Any], place: Place) -> Stored:
    from authconfigs import datakeys

    return Stored(datakeys.current(place.tenant_id).seal(value, place), place)
