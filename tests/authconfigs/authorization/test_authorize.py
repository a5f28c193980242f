"""`manage.py authorize`: its document, its exit codes, and what it waits for."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from authconfigs.authorization.links import _signer
from authconfigs.models import AuthorizationRequest
from integrations.demo.provider import Provider
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import (
    CONNECTED,
    change_trip,
    code_config,
    consent,
    deliver,
    gone,
    local,
)
from tests.factories import make_config
from tests.integrations.files.applied import Run, run
from tests.integrations.wired import change_config, stored_token

pytestmark = pytest.mark.django_db(transaction=True)
HERE = ("--environment", "staging")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def test_link_of_the_document_connects(provider: Provider) -> None:
    config = code_config(provider)
    ran = run("authorize", "acme/crm", *HERE, "--json")
    assert (ran.code, set(ran.document)) == (0, {"url", "redirect_uri", "expires_at"})
    assert ran.document["redirect_uri"] == "http://127.0.0.1:8000/oauth/callback/"
    left = datetime.fromisoformat(ran.document["expires_at"]) - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    assert ran.document["url"].startswith("http://127.0.0.1:8000/")
    stranger, link = Client(), local(ran.document["url"])
    assert stranger.get(link).status_code == 200
    assert deliver(stranger, consent(gone(stranger.post(link)))) == CONNECTED
    with tenant_scope(config.tenant_id):
        assert AuditEvent.objects.filter(action="consent_link", via="shell").count() == 1
    assert stored_token().connected_by.startswith("consent link of ")


def test_link_is_printed_for_people_too(provider: Provider) -> None:
    code_config(provider)
    ran = run("authorize", *HERE, "acme/crm")
    assert ran.code == 0
    assert urlsplit(ran.lines[1]).query.startswith("link=")
    assert "/oauth/callback/" in ran.lines[2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("acme/unknown", *HERE), "no auth config acme/unknown"),
        (("nobody/crm", *HERE), "no auth config nobody/crm"),
        (("acme/crm", "--environment", "moon"), "in environment moon"),
        (("crm", *HERE), "isn't TENANT/CONFIG"),
        (("acme/crm\udcff", *HERE), "isn't text"),
        (("acme/key", *HERE), "needs no consent"),
        (("acme/crm",), "--environment"),
        (("acme/crm", *HERE, "--wait", "soon"), "number of seconds"),
        (("acme/crm", *HERE, "--wait=-1"), "number of seconds"),
        (("acme/crm", *HERE, "--wait", "nan"), "number of seconds"),
    ],
)
def test_what_cant_be_done_is_exit_2(
    provider: Provider, arguments: tuple[str, ...], told: str
) -> None:
    make_config(code_config(provider).environment, "key")
    ran = run("authorize", *arguments, "--json")
    assert ran.code == 2
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
    if ran.stdout:
        assert ran.document["ok"] is False
    with tenant_scope(Tenant.objects.get().id):
        assert not AuthorizationRequest.objects.exists()


def test_what_is_switched_off_is_exit_1_with_the_document(provider: Provider) -> None:
    code_config(provider)
    change_config(disabled_at=timezone.now())
    ran = run("authorize", "acme/crm", *HERE, "--json")
    assert ran.code == 1
    assert (ran.document["symptom"], ran.document["stage"]) == ("blocked_by_policy", "config")
    Tenant.objects.update(disabled_at=timezone.now())
    assert run("authorize", "acme/crm", *HERE).code == 1


def waited(provider: Provider, seconds: str, act: Any) -> Run:
    """The command, waiting, while somebody opens its link: it is found as soon as it is there."""
    code_config(provider)
    results: list[Run] = []
    waiting = threading.Thread(target=wait, args=(seconds, results))
    waiting.start()
    acme = Tenant.objects.get()
    with tenant_scope(acme.id):
        while not (trip := AuthorizationRequest.objects.first()):
            pass
        act(trip)
    waiting.join()
    return results[0]


def wait(seconds: str, results: list[Run]) -> None:
    try:
        results.append(run("authorize", "acme/crm", *HERE, "--json", "--wait", seconds))
    finally:
        connection.close()


def opened(trip: AuthorizationRequest) -> None:

    stranger = Client()
    away = gone(stranger.post(f"/oauth/consent/?link={_signer.sign(str(trip.id))}"))
    deliver(stranger, consent(away))


def test_wait_ends_when_it_is_connected(provider: Provider) -> None:
    ran = waited(provider, "30", opened)
    assert ran.code == 0
    assert {name: ran.document[name] for name in ("ok", "symptom", "stage")} == {
        "ok": True,
        "symptom": None,
        "stage": "token",
    }
    assert "crm is connected" in ran.document["summary"]
    assert "/oauth/consent/?link=" in ran.stderr


def test_wait_ends_when_consent_is_denied(provider: Provider) -> None:
    def denied(trip: AuthorizationRequest) -> None:
        provider.switches.consent = "deny"
        opened(trip)

    ran = waited(provider, "30", denied)
    assert ran.code == 1
    assert ran.document["symptom"] == "reauthorization_required"
    assert "access_denied" in ran.stderr


@pytest.mark.parametrize(
    ("seconds", "act", "symptom"),
    [
        ("0.2", lambda trip: None, "timeout"),
        ("30", lambda trip: change_trip(expires_at=timezone.now()), "timeout"),
        ("30", lambda trip: trip.delete(), "reauthorization_required"),
    ],
)
def test_wait_ends_without_a_consent(
    provider: Provider, seconds: str, act: Any, symptom: str
) -> None:
    ran = waited(provider, seconds, act)
    assert (ran.code, ran.document["symptom"], ran.document["ok"]) == (1, symptom, False)


def pressed(trip: AuthorizationRequest) -> None:
    Client().post(f"/oauth/consent/?link={_signer.sign(str(trip.id))}")


def answered(trip: AuthorizationRequest) -> None:
    pressed(trip)
    change_trip(consumed_at=timezone.now())


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda trip: None, "The link still works until"),
        (pressed, "The link is used: whoever opened it can consent at the provider until"),
        (answered, "the token is being asked for"),
    ],
)
def test_wait_that_ends_says_what_is_still_open(provider: Provider, act: Any, told: str) -> None:
    ran = waited(provider, "2", act)
    assert (ran.code, ran.document["symptom"]) == (1, "timeout")
    assert told in ran.document["summary"]
