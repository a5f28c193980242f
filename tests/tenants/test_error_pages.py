"""What ends before any page of the console answers has the console's look, plain words, and a way on."""

import logging
from typing import Any

import pytest
from django.test import Client
from django.urls import path, reverse

from config.urls import handler400, handler500
from config.urls import urlpatterns as console
from integrations.admin.forms import LONGEST_BODY
from tenants.models import Tenant
from tests.authconfigs.consoles import browser, html
from tests.factories import make_connection, make_environment, make_integration, make_member, posted

PASSWORD = "correct horse battery"


def broken(request: Any) -> Any:
    raise RuntimeError("planted")


urlpatterns = [path("broken/", broken), *console]
__all__ = ["handler400", "handler500"]


def plain(page: Any, *, status: int, says: str) -> None:
    """The page is the console's own: its look, its words, a link, nothing of Django's or of the cause."""
    text = html(page)
    assert page.status_code == status
    assert says in text
    assert "console/console.css" in text
    assert "console/favicon.svg" in text
    assert 'href="/admin/' in text
    assert not [word for word in ("CSRF", "Bad Request", "Traceback", "planted") if word in text]


def test_form_older_than_the_login_of_another_tab(tenant: Tenant) -> None:
    make_member(tenant, username="robin", password=PASSWORD)
    client = Client(enforce_csrf_checks=True)
    login = reverse("admin:login")
    plain(client.post(login), status=403, says="Allow cookies")
    client.get(login)
    typed = {"username": "robin", "password": PASSWORD, "csrfmiddlewaretoken": "x" * 64}
    plain(client.post(login, typed), status=403, says="older than your login")
    page = client.post(login, typed, HTTP_ORIGIN="http://elsewhere.example")
    plain(page, status=403, says="PUBLIC_BASE_URL")


def test_too_much_of_a_form_is_refused_with_the_limit(tenant: Tenant, settings: Any) -> None:
    client = browser(tenant)
    url = reverse("admin:integrations_integration_add")
    page = client.post(url, posted(tenant, name="n" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
    plain(page, status=400, says="which is 5 MB")
    fields = {f"field-{number}": "1" for number in range(1500)}
    plain(client.post(url, posted(tenant, **fields)), status=400, says="which is 1,000")


def test_longest_test_body_fits_a_form_and_a_longer_one_is_an_error_beside_it(
    tenant: Tenant, settings: Any
) -> None:
    connection = make_connection(make_integration(tenant), make_environment(tenant))
    url = reverse("admin:integrations_connection_change", args=[connection.id])
    client = browser(tenant)
    data = posted(
        tenant,
        base_url=connection.base_url,
        name=connection.name,
        test_method="POST",
        revision_number=str(connection.revision_number),
    )
    typed = {**data, "test_body": "\U0001f511" * LONGEST_BODY}
    assert client.post(url, typed).status_code == 302
    connection.refresh_from_db()
    assert len(connection.test_body or "") == LONGEST_BODY
    page = client.post(url, {**data, "test_body": "b" * (LONGEST_BODY + 1)})
    assert f"The body has {LONGEST_BODY + 1} characters" in html(page)


def test_filter_that_a_list_doesnt_have_is_no_attack(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    url = reverse("admin:integrations_connection_changelist")
    plain(browser(tenant).get(url, {"tenant_id": "1"}), status=400, says="Show the whole list")
    assert not [line for line in caplog.records if line.levelno >= logging.ERROR or line.exc_info]


def test_lock_out_says_how_long(tenant: Tenant, settings: Any) -> None:
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        page = client.post(reverse("admin:login"), {"username": "robin", "password": "wrong"})
    plain(page, status=429, says="Wait 15 minutes")
    assert page.headers["Retry-After"] == "900"


@pytest.mark.urls("tests.tenants.test_error_pages")
def test_broken_page_missing_page_and_missing_rights(tenant: Tenant) -> None:
    client = browser(tenant)
    client.raise_request_exception = False
    plain(client.get("/broken/"), status=500, says="Something broke here")
    plain(client.get("/nope/"), status=404, says="Nothing here")
    plain(client.get(reverse("admin:tenants_tenant_changelist")), status=403, says="No access")


def test_browser_finds_an_icon_by_itself(tenant: Tenant) -> None:
    for client in (Client(), browser(tenant)):
        assert client.get("/favicon.ico")["Location"].endswith("console/favicon.svg")


def test_login_and_logout_speak_of_this_console(tenant: Tenant) -> None:
    make_member(tenant, username="robin", password=PASSWORD)
    client = Client()
    page = html(client.post(reverse("admin:login"), {"username": "robin", "password": "wrong"}))
    assert "The user name or the password is wrong" in page
    for word in ("staff account", "error below", "Return to site"):
        assert word not in page
    client.post(reverse("admin:login"), {"username": "robin", "password": PASSWORD})
    page = html(client.post(reverse("admin:logout")))
    assert "You are logged out" in page
    assert "quality time" not in page
    assert "Return to site" not in page
