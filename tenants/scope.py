"""One active tenant at a time.

A tenant-owned model reads and writes only inside `tenant_scope()`. Outside of it, its manager raises; there is no "None
means all". Crossing tenants is `unscoped("reason")`, which is easy to grep for and stands in few places. A new thread
starts without a scope: open it per item of work.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.db import models

_Model = TypeVar("_Model", bound=models.Model)


class NoActiveTenant(RuntimeError):
    """A tenant's data was asked for outside of any tenant's scope."""


class ForeignTenant(RuntimeError):
    """A row of one tenant was about to be written in the scope of another."""


@dataclass(frozen=True)
class Unscoped:
    """All tenants at once, for the reason that is named."""

    reason: str


_scope: ContextVar[UUID | Unscoped | None] = ContextVar("tenant_scope", default=None)


@contextmanager
def _entered(scope: UUID | Unscoped) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[None]:
    """Make one tenant the active one, for reads and writes, until the block ends."""
    with _entered(tenant_id):
        yield


@contextmanager
def unscoped(reason: str) -> Iterator[None]:
    """See and write every tenant's rows until the block ends; `reason` is for the reader."""
    with _entered(Unscoped(reason)):
        yield


def active_tenant_id() -> UUID:
    """The active tenant's id.

    Raises NoActiveTenant outside a scope and inside `unscoped()`.
    """
    scope = _scope.get()
    if isinstance(scope, UUID):
        return scope
    raise NoActiveTenant("No tenant is active here: open one with tenant_scope(tenant_id).")


def active_tenant_id_or_none() -> UUID | None:
    """The active tenant's id, or None where there is none."""
    scope = _scope.get()
    return scope if isinstance(scope, UUID) else None


def is_scope_open() -> bool:
    """Whether a tenant's scope, or one over all tenants, is open here."""
    return _scope.get() is not None


def _claim(row: models.Model) -> None:
    """Give a row without a tenant the active one, and refuse a row of another."""
    scope = _scope.get()
    if isinstance(scope, Unscoped):
        return
    active = active_tenant_id()
    owner = getattr(row, "tenant_id", None)
    if owner is None:
        row.tenant_id = active  # type: ignore[attr-defined]
    elif owner != active:
        raise ForeignTenant(f"This {row._meta.verbose_name} belongs to another tenant.")


class TenantQuerySet(models.QuerySet[_Model]):
    def bulk_create(self, objs: Iterable[_Model], *args: Any, **kwargs: Any) -> list[_Model]:
        rows = list(objs)
        for row in rows:
            _claim(row)
        return super().bulk_create(rows, *args, **kwargs)

    def bulk_update(self, objs: Iterable[_Model], *args: Any, **kwargs: Any) -> int:
        rows = list(objs)
        for row in rows:
            _claim(row)
        return super().bulk_update(rows, *args, **kwargs)

    def update(self, **values: Any) -> int:
        if "tenant" in values or "tenant_id" in values:
            raise ForeignTenant("A row never changes its tenant.")
        return super().update(**values)


class TenantManager(models.Manager[_Model]):
    """Sees the active tenant's rows only, and raises NoActiveTenant where none is active."""

    def get_queryset(self) -> TenantQuerySet[_Model]:
        queryset: TenantQuerySet[_Model] = TenantQuerySet(self.model, using=self._db)
        if isinstance(_scope.get(), Unscoped):
            return queryset
        return queryset.filter(tenant_id=active_tenant_id())


class TenantModel(models.Model):
    """A row that one tenant owns; its tenant is taken from the scope and never changes."""

    tenant = models.ForeignKey(
        "tenants.Tenant", on_delete=models.CASCADE, editable=False, related_name="+"
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        _claim(self)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        _claim(self)
        return super().delete(*args, **kwargs)

    def _do_update(self, base_qs: Any, *args: Any, **kwargs: Any) -> Any:
        # The base manager knows no tenant: a row that was built around a foreign id must not be found by it.
        return super()._do_update(base_qs.filter(tenant_id=self.tenant_id), *args, **kwargs)
