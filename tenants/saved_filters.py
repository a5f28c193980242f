"""Saved filters: what people ask a list again and again, above it and one click each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.http import HttpRequest, HttpResponse, QueryDict

from tenants.admin_base import TenantAdmin


@dataclass(frozen=True)
class SavedFilter:
    """A value of one of the list's filters, under a name of its own; `words` say what it finds."""

    title: str
    parameter: str
    value: str
    words: str

    @property
    def query(self) -> str:
        """What a link to the list asks for."""
        return urlencode({self.parameter: self.value})


@dataclass(frozen=True)
class Choice:
    """A saved filter as a link of a page: to the list with it, or without it where it is active."""

    title: str
    words: str
    url: str
    is_active: bool


def choices(saved: Iterable[SavedFilter], asked: QueryDict) -> list[Choice]:
    """The filters as links that keep whatever else the address asks for: the search, other filters, the order."""
    found = []
    for each in saved:
        is_active = asked.get(each.parameter) == each.value
        query = asked.copy()
        for gone in (each.parameter, PAGE_VAR, ERROR_FLAG):
            query.pop(gone, None)
        if not is_active:
            query[each.parameter] = each.value
        found.append(Choice(each.title, each.words, f"?{query.urlencode()}", is_active))
    return found


class SavedFilters(TenantAdmin):
    """A list with its saved filters above it."""

    list_before_template = "console/list_head.html"

    def saved_filters(self) -> Sequence[SavedFilter]:
        """Those of this list, in their order; each is a value that `list_filter` knows."""
        raise NotImplementedError

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        offered = {"saved_filters": choices(self.saved_filters(), request.GET)}
        return super().changelist_view(request, {**offered, **(extra_context or {})})
