"""Takes the pictures of the README, of the demo data after a day of tests: `make screenshots`.

pytest runs it, with the database, server and browser of the tests, but only when it is named: it proves nothing.
"""

from datetime import timedelta
from typing import Literal

import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from authconfigs.beat import Part, give_sign
from authconfigs.models import AuthConfig
from integrations import bulk_tests, testing, usage
from integrations.demo.data import STAGING, names
from integrations.demo.loading import load_demo
from integrations.demo.provider import Provider
from integrations.models import Connection
from integrations.targets import Name
from integrations.testing.together import run
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browser.full_console import come_in
from tests.config.checkout import ROOT
from tests.flows.test_demo_data import free_port

FOLDER = ROOT / "docs" / "screenshots"
DESK = ViewportSize(width=1280, height=680)
PHONE = ViewportSize(width=390, height=780)
LOOKS: dict[str, tuple[Literal["light", "dark"], ViewportSize]] = {
    "light": ("light", DESK),
    "dark": ("dark", DESK),
    "phone": ("light", PHONE),
}
# The connection whose failed test is shown, and how many hours ago everything was tested.
FAILING = "broken-works-in-postman"
ROUNDS = (21, 16, 11, 7, 2)


def a_day_of_tests(port: int) -> Tenant:
    """The demo tenants as people left them: made yesterday, tested since."""
    now = timezone.now()
    with time_machine.travel(now - timedelta(hours=23)):
        load_demo(port)
        usage.flush()
    acme = Tenant.objects.get(slug="acme")
    with Provider(port, rotated=True):
        for hours in ROUNDS:
            with time_machine.travel(now - timedelta(hours=hours)):
                testing.test_connections(list(names(acme.slug)))
                usage.flush()
    return acme


def screens(tenant: Tenant, port: int) -> dict[str, str]:
    """The addresses of the main screens by the names of their pictures."""
    with tenant_scope(tenant.id):
        in_staging = Connection.objects.filter(environment__slug=STAGING)
        failing = in_staging.get(integration__slug=FAILING)
        config = AuthConfig.objects.get(name="oauth-client-credentials")
        with Provider(port, rotated=True):
            test = testing.test_connection(Name(tenant.slug, FAILING, STAGING))
            title = f"{in_staging.count()} connections in Staging"
            bulk = bulk_tests.begin(list(in_staging), title=title)
            run(bulk.id)
        usage.flush()
    return {
        "home": "",
        "auth-configs": "authconfigs/authconfig/",
        "choose-a-method": "authconfigs/authconfig/add/",
        "auth-config": f"authconfigs/authconfig/{config.pk}/change/",
        "connection": f"integrations/connection/{failing.pk}/change/",
        "test-result": f"integrations/connectiontest/{test.id}/change/",
        "test-many": f"integrations/bulktest/{bulk.pk}/change/",
        "help": f"help/{test.symptom}/",
    }


@pytest.mark.django_db(transaction=True)
def test_take(live_server: LiveServer, page: Page) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = free_port()
    tenant = a_day_of_tests(port)
    addresses = screens(tenant, port)
    come_in(page, live_server.url, "acme-admin", tenant=tenant)
    for part in Part:
        give_sign(part)
    for look, (scheme, size) in LOOKS.items():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        for name, address in addresses.items():
            page.goto(f"{live_server.url}/admin/{address}", wait_until="networkidle")
            page.screenshot(path=FOLDER / f"{name}-{look}.png", animations="disabled")
