"""Walks every address that a console has, with the ids of another tenant in each place that takes one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tenants.models import Tenant
from tests.factories import posted
from tests.tenants.rows import Rows

# Nobody's page, and the one that ends the session.
_LEFT_OUT = re.compile(r"broken/|admin/logout/|\(\?P<url>")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
MISSING = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Answer:
    """What a client can tell apart."""

    status: int
    location: str
    body: str
    messages: tuple[str, ...]


def routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """The routes of all pages, with their parameters as `<name>`."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern) and not _LEFT_OUT.search(route):
            plain = _PARAMETER.sub(lambda match: f"<{match[1] or match[2]}>", route)
            yield plain.replace("^", "").replace("$", "")


def takes_an_id(route: str) -> bool:
    return "<" in route and not {"<app_label>", "<symptom>"} & set(re.findall(r"<\w+>", route))


def address(route: str, wanted: str) -> str:
    """The route with this id wherever it takes one."""
    return re.sub(r"<\w+>", wanted, route)


def ids_for(route: str, rows: Rows) -> list[str]:
    """The id of the row that Django's pages are about; of every row for pages of our own, which may take any."""
    for model, row in rows.items():
        own = f"/{model._meta.app_label}/{model._meta.model_name}/<object_id>/"
        if re.search(rf"{own}(?:change/|delete/|history/)?$", route):
            return [str(row.pk)]
    return [str(row.pk) for row in rows.values()]


def ask(
    client: Client, address: str, *, hide: str = "", data: dict[str, Any] | None = None
) -> Answer:
    """GET, or POST with `data`. What differs in any two answers, and `hide`, is taken out."""
    # Messages of earlier answers that no page has shown yet.
    client.cookies.pop("messages", None)
    answer = client.get(address) if data is None else client.post(address, data)
    found = tuple(str(message) for message in get_messages(answer.wsgi_request))

    def plain(text: str) -> str:
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
        return text.replace(hide, "ID") if hide else text

    return Answer(
        status=answer.status_code,
        location=plain(answer.headers.get("Location", "")),
        body=plain(answer.content.decode()),
        messages=tuple(plain(message) for message in found),
    )


def differences(client: Client, tenant: Tenant, foreign: Rows) -> list[str]:
    """Addresses that answer otherwise for a foreign id than for a missing one."""
    found = []
    ways: dict[str, dict[str, Any] | None] = {
        "GET": None,
        "POST": posted(tenant, post="yes", action="delete_selected"),
    }
    for way, data in ways.items():
        for route in filter(takes_an_id, routes()):
            expected = ask(client, address(route, MISSING), hide=MISSING, data=data)
            for wanted in ids_for(route, foreign):
                if ask(client, address(route, wanted), hide=wanted, data=data) != expected:
                    found.append(f"{way} {address(route, wanted)}")
    return found
