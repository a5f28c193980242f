"""Opens every page of the console by turns for a small and a large tenant, and tells how many queries each takes and how long."""

import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import nan
from statistics import median
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.base import BaseHandler
from django.db import connection as database
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authconfigs import methods
from authconfigs.models import AuthConfig
from authconfigs.symptoms import Symptom
from integrations.models import Integration
from tenants.models import Environment
from tests.factories import log_in
from tests.flows.full_tenant import FullTenant
from tests.tenants.crawler import address, routes

# What is found in every row that a list searches.
_IN_EVERY_ROW = {
    "authconfig": "config-",
    "connection": "integration",
    "integration": "integration",
    "membership": "p0",
    "auditevent": "robin",
    "environment": "s",
}
# Files, whose length is that of the list, and what a browser asks for once.
_NO_PAGES = ("/csv/", "/jsi18n/", "/favicon.ico")


@dataclass(frozen=True)
class Page:
    """An address for the small and for the large tenant.

    `whole` is the list without a filter with which the small tenant has less than a full page: the large one's page is
    held to that of the whole list then. `is_variant`: a list with a filter, in another order or further back.
    """

    name: str
    small: str
    large: str
    whole: str = ""
    is_variant: bool = False


@dataclass
class Measured:
    """The queries that a page takes in either tenant, and the seconds of each time that it was opened there."""

    page: Page
    queries: tuple[int, int]
    small: list[float] = field(default_factory=list)
    large: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many times as long the large tenant's page takes."""
        return median(self.large) / median(self.small) if self.small else nan

    def __str__(self) -> str:
        counts = "/".join(map(str, dict.fromkeys(self.queries)))
        ms = (f"{1000 * median(times or [nan]):6.1f}" for times in (self.small, self.large))
        return f"{self.page.name:70} {counts:>5} {' '.join(ms)} {self.ratio:5.2f}"


class Visitor:
    """An admin of a tenant. Pages are asked for without a test client, which would keep what each template is given."""

    def __init__(self, full: FullTenant) -> None:
        self.full = full
        self.client = Client()
        log_in(self.client, full.admin, tenant=full.tenant)
        self._requests = RequestFactory()
        self._requests.cookies = self.client.cookies
        self._handler = BaseHandler()
        self._handler.load_middleware()

    def open(self, url: str) -> int:
        """The status of the answer."""
        return self._handler.get_response(self._requests.get(url)).status_code

    def queries(self, url: str) -> list[str]:
        """The queries that a page takes."""
        with CaptureQueriesContext(database) as captured:
            assert self.open(url) == 200, url
        return [query["sql"] for query in captured.captured_queries]

    def seconds(self, url: str) -> float:
        """How long the page takes: as the processor counts on SQLite, which works in this thread; by the clock on a server."""
        clock = time.perf_counter if database.vendor == "postgresql" else time.thread_time
        # By turns the same objects are made again and again, so that one of the two would always be kept waiting by it.
        gc.disable()
        begun = clock()
        self.open(url)
        taken = clock() - begun
        gc.enable()
        return taken


def pages(small: Visitor, large: Visitor) -> list[Page]:
    """Every page that opens with GET; of lists also each filter, a search, each order and the second page."""
    found: list[Page] = []
    for route in routes():
        if route.endswith(_NO_PAGES):
            continue
        of_small, of_large = _of_route(route, small.full), _of_route(route, large.full)
        if of_small and small.open(of_small) == 200:
            found.append(Page(route, of_small, of_large))
    lists = [page for page in found if page.small == page.large]
    found += [each for page in lists for each in _of_list(page, small)]
    return [*found, *_more(small.full, large.full)]


def _of_route(route: str, full: FullTenant) -> str:
    if "<" not in route:
        return route
    if "<symptom>" in route:
        return address(route, Symptom.WRONG_OR_MISSING_CREDENTIAL)
    for model, row in full.shown.items():
        if f"/{model._meta.app_label}/{model._meta.model_name}/<" in route:
            return address(route, str(row.pk))
    return ""


def _of_list(page: Page, small: Visitor) -> Iterator[Page]:
    context = small.client.get(page.small).context
    changelist = context and context.get("cl")
    if not changelist:
        return

    def also(query: str, *, whole: str = "", is_variant: bool = True) -> Page:
        url = f"{page.small}?{query}"
        return Page(f"{page.name} ?{query}", url, url, whole, is_variant)

    for spec in changelist.filter_specs:
        for choice in list(spec.choices(changelist))[1:]:
            query = choice["query_string"].lstrip("?")
            found = small.client.get(f"{page.small}?{query}").context["cl"]
            is_full = found.result_count >= found.list_per_page
            yield also(query, whole="" if is_full else page.small)
    word = _IN_EVERY_ROW.get(changelist.opts.model_name)
    if word is not None and changelist.search_fields:
        yield also(urlencode({"q": word}), is_variant=False)
    for number, name in enumerate(changelist.list_display):
        if name in changelist.sortable_by and changelist.get_ordering_field(name):
            yield also(f"o=-{number}")
    if changelist.multi_page:
        yield also("p=2")


def _more(small: FullTenant, large: FullTenant) -> Iterator[Page]:
    """Pages whose address says more: the forms of each method, a new connection, what the command palette asks for."""

    def asked(name: str, of_small: dict[str, str], of_large: dict[str, str] | None = None) -> Page:
        url = reverse(name)
        ways = [f"{url}?{urlencode(query)}" for query in (of_small, of_large or of_small)]
        shown = "&".join(of_small) if of_large else urlencode(of_small)
        return Page(f"{url} ?{shown}", ways[0], ways[1])

    for method in methods.METHODS:
        yield asked("admin:authconfigs_authconfig_add", {"method": method.code})
    add = "admin:integrations_connection_add"
    known = {"integration": Integration, "environment": Environment}
    yield asked(add, _ids(small, known), _ids(large, known))
    known = {"config": AuthConfig}
    yield asked(add, _ids(small, known), _ids(large, known))
    for word in ("config-", "integration", "api-", "client-", "connection"):
        yield asked("admin:search", {"s": word})


def _ids(full: FullTenant, known: dict[str, Any]) -> dict[str, str]:
    return {name: str(full.shown[model].pk) for name, model in known.items()}


def counted(found: Sequence[Page], small: Visitor, large: Visitor) -> list[Measured]:
    """The queries of every page."""
    return [
        Measured(page, (len(small.queries(page.small)), len(large.queries(page.large))))
        for page in found
    ]


def time_them(measured: Sequence[Measured], small: Visitor, large: Visitor, *, times: int) -> None:
    """Open these pages so many times more, by turns in either tenant."""
    for turn in range(times):
        for each in measured:
            ways = [
                (each.small, small, each.page.whole or each.page.small),
                (each.large, large, each.page.large),
            ]
            for seconds, visitor, url in ways if turn % 2 else reversed(ways):
                seconds.append(visitor.seconds(url))
