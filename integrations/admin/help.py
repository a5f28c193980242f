"""Help pages: the troubleshooting matrix, and for each symptom all that the diagnosis knows of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.views.decorators.http import require_safe

from authconfigs.admin.tested import in_words
from authconfigs.symptoms import Symptom
from integrations.diagnosis.words import MATRIX, MEANINGS, ROWS, Row
from tenants.site import site

_FACT = re.compile(r"\{(\w+)\}")
# Where a fact's name doesn't read as a word of the sentence.
_SPELLED = {
    "auth_config": "the auth config",
    "base_url": "base URL",
    "client_id": "client ID",
    "connection": "the connection",
    "environment": "its environment",
    "location": "address",
    "method": "its method",
    "request": "the test request",
    "sent": "what was sent",
    "token_url": "token URL",
    "username": "user name",
    "wanted": "the place it names",
}


@dataclass(frozen=True)
class Case:
    """A row of the table, with the names of its facts in place of their values."""

    summary: SafeString
    cause: SafeString
    checks: tuple[SafeString, ...]


@dataclass(frozen=True)
class Entry:
    """A symptom in a list."""

    code: str
    title: str
    meaning: str
    url: str
    matrix: str = ""


@require_safe
def symptoms_view(request: HttpRequest) -> HttpResponse:
    """All symptoms, by the rows of the troubleshooting matrix."""
    in_matrix = [(line, list(_entries(_symptoms_of(line.seen)))) for line in MATRIX]
    named = {symptom for line in MATRIX for symptom in _symptoms_of(line.seen)}
    others = list(_entries(symptom for symptom in Symptom if symptom not in named))
    return _page(request, "symptoms", title="Troubleshooting", matrix=in_matrix, others=others)


@require_safe
def symptom_view(request: HttpRequest, symptom: str) -> HttpResponse:
    """One symptom: what it means, its cases, and what to check in each. Raises Http404 for what isn't one."""
    if symptom not in set(Symptom):
        raise Http404
    rows = [row for row in ROWS if row.symptom == symptom]
    own = {row.matrix for row in rows if not row.case}
    return _page(
        request,
        "symptom",
        title=title_of_symptom(symptom),
        code=symptom,
        meaning=MEANINGS[Symptom(symptom)],
        # Its own row first; what is true of some of its cases alone stands behind all of them.
        matrix=[line for line in MATRIX if line.seen in own],
        of_cases=[line for line in MATRIX if line.seen in {row.matrix for row in rows} - own],
        cases=[_case(row) for row in sorted(rows, key=lambda row: bool(row.case))],
    )


def symptoms_told() -> Iterator[Entry]:
    """Every symptom, with the rows of the matrix that it stands in."""
    for entry in _entries(Symptom):
        rows = dict.fromkeys(row.matrix for row in ROWS if row.symptom == entry.code and row.matrix)
        yield replace(entry, matrix=", ".join(rows))


def title_of_symptom(code: str) -> str:
    """A symptom as a heading: Wrong or missing credential."""
    return str(capfirst(in_words(code)))


def help_url(code: str) -> str:
    """The help page of a symptom; empty where it isn't one."""
    return reverse("help_symptom", args=[code]) if code in set(Symptom) else ""


def _symptoms_of(matrix: str) -> list[Symptom]:
    return list(dict.fromkeys(row.symptom for row in ROWS if row.matrix == matrix))


def _entries(symptoms: Iterable[Symptom]) -> Iterator[Entry]:
    for symptom in symptoms:
        yield Entry(symptom, title_of_symptom(symptom), MEANINGS[symptom], help_url(symptom))


def _case(row: Row) -> Case:
    return Case(_named(row.summary), _named(row.cause), tuple(map(_named, row.checks)))


def _named(text: str) -> SafeString:
    """The text with the names of its facts: Is the base URL right: *base URL*?"""

    def name(found: re.Match[str]) -> str:
        return format_html("<var>{}</var>", _SPELLED.get(found[1], found[1].replace("_", " ")))

    return mark_safe(_FACT.sub(name, str(escape(text))))  # noqa: S308 - the table's own words, escaped


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return render(
        request, f"integrations/help/{template}.html", {**site.each_context(request), **context}
    )
