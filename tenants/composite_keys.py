"""Composite foreign keys on PostgreSQL: a row's parent belongs to the row's own tenant, whoever writes it.

Django's foreign keys hold the parent's id alone. Beside each, between two tenant-owned tables, stands one over
`(tenant_id, parent_id)`; where both rows name an environment, that must be the same as well. SQLite can't add constraints to
a table that exists: there the scope alone sees to it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, models, transaction

from tenants.scope import TenantModel


@dataclass(frozen=True)
class CompositeKey:
    """`columns` of `table` name `targets` of `parent`, which are unique there."""

    table: str
    columns: tuple[str, ...]
    parent: str
    targets: tuple[str, ...]

    @property
    def name(self) -> str:
        text = ".".join((self.table, *self.columns, self.parent))
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"{self.table[:30]}_{digest}_tenant_fk"


def composite_keys() -> list[CompositeKey]:
    """The keys of all tenant-owned tables."""
    tables = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    return [key for model in tables for key in _keys_of(model)]


def install(using: str = "default") -> None:
    """Add the keys that PostgreSQL doesn't have yet. Does nothing on other databases."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'f'")
        there = {name for (name,) in cursor.fetchall()}
        for key in composite_keys():
            if key.name not in there and {key.table, key.parent} <= set(tables):
                cursor.execute(
                    f"ALTER TABLE {key.table} ADD CONSTRAINT {key.name}"
                    f" FOREIGN KEY ({', '.join(key.columns)})"
                    f" REFERENCES {key.parent} ({', '.join(key.targets)})"
                    " DEFERRABLE INITIALLY DEFERRED"
                )


def install_after_migrate(*, using: str, **signal: Any) -> None:
    """Receiver of `post_migrate`."""
    install(using)


def _keys_of(model: type[models.Model]) -> Iterator[CompositeKey]:
    for column in model._meta.local_concrete_fields:
        parent = column.related_model
        if not isinstance(parent, type) or not issubclass(parent, TenantModel):
            continue
        shared = ["tenant_id"]
        if _has_environment(model) and _has_environment(parent):
            shared.append("environment_id")
        yield CompositeKey(
            table=model._meta.db_table,
            columns=(*shared, column.attname),
            parent=parent._meta.db_table,
            targets=(*shared, "id"),
        )


def _has_environment(model: type[models.Model]) -> bool:
    return any(column.attname == "environment_id" for column in model._meta.local_concrete_fields)
