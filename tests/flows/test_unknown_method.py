"""A config whose method this version doesn't know, after a downgrade for example: said everywhere, and nothing is lost."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from ruamel.yaml import YAML

from authconfigs.models import Credential
from authconfigs.symptoms import Symptom
from integrations import testing
from integrations.client import CallFailed, connect
from integrations.demo.provider import Provider
from integrations.models import Connection, ConnectionTest
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.factories import log_in, make_member, posted
from tests.integrations.files.applied import run
from tests.integrations.wired import (
    NAME,
    change_config,
    change_token,
    store_token,
    stored_token,
    the_config,
    wired_oauth,
)

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = "oauth3"
PROBLEM = f"This version doesn&#x27;t know the method {UNKNOWN}"
ONE = ("acme/crm", "--environment", "staging")


@pytest.fixture
def acme() -> Iterator[Tenant]:
    with Provider() as provider:
        wired_oauth(provider)
        store_token(access_token="planted", refresh_token="planted", refresh_after=timezone.now())
        change_token(state="valid", expires_at=timezone.now() + timedelta(hours=1))
        change_config(method=UNKNOWN)
        yield Tenant.objects.get(slug="acme")


@pytest.fixture
def browser(acme: Tenant) -> Client:
    client = Client()
    log_in(client, make_member(acme), tenant=acme)
    return client


@pytest.mark.parametrize("page", ["change", "method", "history", "delete"])
def test_pages_open(acme: Tenant, browser: Client, page: str) -> None:
    answer = browser.get(reverse(f"admin:authconfigs_authconfig_{page}", args=[the_config().id]))
    assert answer.status_code == 200
    if page == "change":
        assert PROBLEM in answer.content.decode()


def test_lists_say_it(acme: Tenant, browser: Client) -> None:
    page = browser.get(reverse("admin:authconfigs_authconfig_changelist")).content.decode()
    assert "Unknown method" in page
    with tenant_scope(acme.id):
        connection = Connection.objects.get()
    for address in (
        reverse("admin:index"),
        reverse("admin:integrations_connection_changelist"),
        reverse("admin:integrations_connection_change", args=[connection.id]),
    ):
        assert browser.get(address).status_code == 200


def test_buttons_say_it_and_leave_the_token(acme: Tenant, browser: Client) -> None:
    config = the_config()
    for name in (
        "authconfigs_authconfig_refresh",
        "authconfigs_authconfig_expire",
        "authconfigs_authconfig_switch",
        "authconfigs_authconfig_switch",
        "integrations_config_test",
    ):
        address = reverse(f"admin:{name}", args=[config.id])
        answer = browser.post(address, posted(acme), follow=True)
        assert answer.status_code == 200, name
    assert the_config().disabled_at is None
    assert stored_token().access_token is not None
    with tenant_scope(acme.id):
        test = ConnectionTest.objects.get()
    assert (test.ok, test.symptom) == (False, Symptom.CONFIG_INVALID)
    assert f"know the method {UNKNOWN}" in test.summary


def test_form_says_it_and_keeps_what_is_stored(acme: Tenant, browser: Client) -> None:
    config = the_config()
    address = reverse("admin:authconfigs_authconfig_change", args=[config.id])
    typed = {"name": "renamed", "method": UNKNOWN, "revision": config.revision}
    answer = browser.post(address, posted(acme, **typed))
    assert answer.status_code == 200
    assert "There is no such method" in answer.content.decode()
    assert the_config().name == "crm"


def test_another_method_is_chosen(acme: Tenant, browser: Client) -> None:
    config = the_config()
    address = reverse("admin:authconfigs_authconfig_change", args=[config.id])
    typed = {"name": "crm", "method": "bearer", "token": "new", "revision": config.revision}
    answer = browser.post(address, posted(acme, **typed))
    assert answer.status_code == 302
    assert the_config().method == "bearer"


def test_nothing_is_sent(acme: Tenant) -> None:
    with pytest.raises(CallFailed) as failed:
        connect("acme", "crm", environment="staging").get("")
    assert failed.value.symptom == Symptom.CONFIG_INVALID
    test = testing.test_connection(NAME)
    assert (test.symptom, test.status) == (Symptom.CONFIG_INVALID, None)


def test_commands_say_it(acme: Tenant) -> None:
    told = f"unknown method {UNKNOWN}"
    for command, arguments in {
        "simulate_expiry": ONE,
        "refresh_tokens": ("--config", *ONE, "--force"),
    }.items():
        ran = run(command, *arguments)
        assert ran.code == 2, command
        assert told in ran.stderr, command
    ran = run("call", *ONE, "--json")
    assert (ran.code, ran.document["symptom"]) == (1, "config_invalid")


def test_sweep_reports_it_and_goes_on(acme: Tenant) -> None:
    ran = run("refresh_tokens", "--json")
    assert ran.code == 1
    (item,) = ran.document["items"]
    assert (item["ok"], item["symptom"]) == (False, "config_invalid")


def test_its_tenant_is_exported_whole(acme: Tenant) -> None:
    ran = run("export", "acme")
    assert ran.code == 0
    (config,) = YAML(typ="safe").load(ran.stdout)["tenants"][0]["auth_configs"]
    assert config["method"] == UNKNOWN
    with tenant_scope(acme.id):
        assert config["options"] == Credential.objects.get().options
    assert list(config["secrets"]) == ["client_secret"]
