"""A console in which every page has something to show, and the addresses of its pages."""

from typing import Any

from django.conf import settings
from django.db.models import Model
from django.test import Client
from playwright.sync_api import Page

from authconfigs.models import AuthConfig
from authconfigs.symptoms import Symptom
from integrations import bulk_tests
from integrations.demo.loading import load_demo
from integrations.models import BulkTest, Connection, ConnectionTest
from integrations.testing.together import run
from tenants.models import Membership, Tenant, User
from tenants.scope import tenant_scope
from tenants.site import site
from tests.factories import log_in
from tests.flows.test_demo_data import free_port
from tests.tenants.crawler import routes

# Pages of these rows differ by this column: one of each value is shown. Of other models any row will do.
_KINDS: dict[type[Model], str] = {
    AuthConfig: "method",
    BulkTest: "finished_at",
    Connection: "last_test_ok",
    ConnectionTest: "symptom",
    Membership: "role",
}


def full_console() -> Tenant:
    """The demo tenants, tested; a bulk test that has ended, and one that no worker has taken up."""
    load_demo(free_port())
    acme = Tenant.objects.get(slug="acme")
    with tenant_scope(acme.id):
        some = list(Connection.objects.order_by("pk")[:6])
        run(bulk_tests.begin(some, title="6 connections in Staging").id)
        bulk_tests.begin(some, title="6 connections in Staging")
    return acme


def pages(tenant: Tenant) -> list[list[str]]:
    """Every page of this console by address; where several would show the same, one of them, whichever answers.

    Raises LookupError for a route with a parameter that nobody has told a value for.
    """
    with tenant_scope(tenant.id):
        rows = {model: _rows(model, tenant) for model in site._registry}
    return [alternatives for route in routes() for alternatives in _addresses(route, rows)]


def is_page(client: Client, address: str) -> bool:
    """Whether there is a whole page at the address: no part of one, no file, no button, nothing refused."""
    answer = client.get(address)
    return answer.status_code == 200 and b"<html" in answer.content


def come_in(page: Page, base_url: str, login: str, *, tenant: Tenant | None = None) -> Client:
    """Log somebody in, in the browser and in a client that shares the session."""
    client = Client()
    log_in(client, User.objects.get(username=login), tenant=tenant)
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": base_url}])
    return client


def _rows(model: type[Model], tenant: Tenant) -> list[str]:
    if model is Tenant:
        return [str(tenant.pk)]
    kinds: dict[Any, str] = {}
    for row in model._default_manager.order_by("pk"):
        kinds.setdefault(getattr(row, _KINDS.get(model, "tenant_id")), str(row.pk))
    return list(kinds.values())


def _addresses(route: str, rows: dict[type[Model], list[str]]) -> list[list[str]]:
    if "<" not in route:
        return [[route]]
    if "<app_label>" in route:
        labels = {model._meta.app_label for model in rows}
        return [[route.replace("<app_label>", label)] for label in sorted(labels)]
    if "<symptom>" in route:
        return [[route.replace("<symptom>", symptom)] for symptom in Symptom]
    for model, ids in rows.items():
        own = f"/{model._meta.app_label}/{model._meta.model_name}/"
        if own in route:
            found = [route.replace("<object_id>", wanted) for wanted in ids]
            return [[each] for each in found] if route.endswith("/change/") else [found]
    raise LookupError(route)
