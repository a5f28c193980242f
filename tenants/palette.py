"""What the command palette finds: pages, rows and actions of the active tenant, for whoever may open them.

The pages of each model say what there is of theirs; the site asks them all. An entry is a link: what changes something is
done by the button that it leads to, never by the way there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

from tenants.models import Environment

# Rows of one model; whoever looks for another one types more of its name.
ROWS = 15
SHOWN = 50
_WORDS = 8
_LONGEST = 200


@dataclass(frozen=True)
class Entry:
    """Where the palette leads. `kind`, the environment and `status` say in words what it is; `also` finds it, unseen.

    Its status doesn't find it: who types "test" means the button, and not all that is "Not tested".
    """

    title: str
    link: str
    icon: str
    kind: str
    environment: Environment | None = None
    status: str = ""
    also: str = ""

    def answers(self, words: Iterable[str]) -> bool:
        """Whether every word stands somewhere in it."""
        place = self.environment
        named = f"{place.name} {place.slug} {'protected' * place.protected}" if place else ""
        told = " ".join((self.title, self.kind, named, self.also)).casefold()
        return all(word in told for word in words)

    def distance(self, words: Sequence[str]) -> tuple[bool, int]:
        """How far it is from what was typed: what begins so comes first, then what has more of it in the title."""
        title = self.title.casefold()
        return not title.startswith(" ".join(words)), -sum(word in title for word in words)


def words_of(term: str) -> list[str]:
    """The words to look for."""
    return term[:_LONGEST].casefold().split()[:_WORDS]


def best(entries: Iterable[Entry], words: Sequence[str]) -> list[Entry]:
    """The entries that answer, the closest first."""
    found = [entry for entry in entries if entry.answers(words)]
    return sorted(found, key=lambda entry: entry.distance(words))[:SHOWN]


def matching(
    rows: "QuerySet[Any]", words: Sequence[str], *, columns: Sequence[str], said: str = ""
) -> "QuerySet[Any]":
    """The first rows that have each word in one of the columns. A word of `said`, which stands in the entries of all
    rows, needn't be in a column: rows that have it there all the same come first."""
    asked = everywhere = Q()
    for word in words:
        has = reduce(or_, (Q(**{f"{column}__icontains": word}) for column in columns))
        everywhere &= has
        if word not in said:
            asked &= has
    if asked != everywhere:
        missing = Case(When(everywhere, then=Value(0)), default=Value(1))
        rows = rows.order_by(missing, *(rows.query.order_by or rows.model._meta.ordering))
    # What the rows are read with is joined to those few, not to all that answer.
    return rows.filter(pk__in=rows.filter(asked).select_related(None).values("pk")[:ROWS])


class Findable(ModelAdmin):  # type: ignore[misc]
    """Pages of a model that the palette leads to."""

    def palette_entries(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        """The list, the way to a new row, and what of the rows may answer the words; all that the user may open."""
        if not self.has_view_permission(request):
            return
        opts = self.opts
        base = f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}"
        name = str(capfirst(opts.verbose_name_plural))
        yield Entry(name, reverse(f"{base}_changelist"), "list", "List")
        if self.has_add_permission(request):
            add = reverse(f"{base}_add")
            yield Entry(f"New {opts.verbose_name}", add, "add", "Action", also="add a create")
        yield from self.palette_rows(request, words)

    def palette_rows(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        """The rows that the list's own search finds."""
        if not self.get_search_fields(request):
            return
        rows = self.get_queryset(request)
        if self.list_select_related:
            rows = rows.select_related(*self.list_select_related)
        rows, _ = self.get_search_results(request, rows, " ".join(words))
        opts = self.opts
        page = f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_change"
        for row in rows[:ROWS]:
            yield Entry(
                str(row),
                reverse(page, args=[row.pk]),
                "data_object",
                str(capfirst(opts.verbose_name)),
                # It was found by what its list looks in, which needn't stand in its name.
                also=" ".join(words),
            )
