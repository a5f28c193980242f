"""What admin lists count and what their query string may ask for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.utils.functional import cached_property

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

_COUNTED = 1001
# What Django's own filters append to the name of their field.
_OF_FILTERS = ("exact", "isnull", "gte", "lt", f"id{LOOKUP_SEP}exact", f"pk{LOOKUP_SEP}exact")
_OF_DATES = ("year", "month", "day", "gte", "lt")


def counted(rows: "QuerySet[Any]") -> str:
    """How many rows there are, as far as they are counted: 1,000+."""
    number = rows.order_by()[:_COUNTED].count()
    return str(number) if number < _COUNTED else f"{_COUNTED - 1:,}+"


class CappedPaginator(_Paginator):
    """Counts to 1,001 and no further: a list costs the same with a hundred rows and with a hundred thousand."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            # In any order, or all that match would be sorted first.
            return rows.order_by()[:_COUNTED].count()
        return len(rows[:_COUNTED])


def lookups(list_filter: Iterable[Any], date_hierarchy: str | None) -> frozenset[str]:
    """The parameters that the declared filters use. Django would let every column be probed through the query string."""
    allowed: set[str] = set()
    for declared in list_filter:
        name = declared[0] if isinstance(declared, list | tuple) else declared
        if isinstance(name, str):
            allowed |= {name, *(f"{name}{LOOKUP_SEP}{suffix}" for suffix in _OF_FILTERS)}
        else:
            allowed.add(getattr(name, "parameter_name", ""))
    if date_hierarchy:
        allowed |= {f"{date_hierarchy}{LOOKUP_SEP}{suffix}" for suffix in _OF_DATES}
    return frozenset(allowed)
