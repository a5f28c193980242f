"""What keeps a row from being deleted: the rows that point to it and that the database protects. A few of them, however many."""

from collections.abc import Iterator
from typing import Any

from django.db import models

# So many of a kind are named.
_NAMED = 10


def rows_that_hold(obj: models.Model) -> list[str]:
    """The names of the rows that hold the row, each with its kind; of more than a few that there are more."""
    relations: list[Any] = [
        relation
        for relation in obj._meta.related_objects
        if relation.on_delete in (models.RESTRICT, models.PROTECT)
    ]
    return [line for relation in relations for line in _lines(relation, obj)]


def _lines(relation: Any, obj: models.Model) -> Iterator[str]:
    opts = relation.related_model._meta
    rows = relation.related_model.objects.filter(**{relation.field.name: obj})
    found = list(rows.select_related()[: _NAMED + 1])
    for row in found[:_NAMED]:
        environment = getattr(row, "environment", None)
        place = f" ({environment.slug})" if environment is not None else ""
        yield f"{opts.verbose_name} {row}{place}"
    if len(found) > _NAMED:
        yield f"and more {opts.verbose_name_plural}"
