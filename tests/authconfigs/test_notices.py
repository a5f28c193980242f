"""Mails to the admins: who gets them, what they say, once per transition, and a mail server that doesn't want them."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from authconfigs.models import AuthConfig, OAuthToken, TokenEvent
from authconfigs.notices import MOST_MAILS, send_due_mails
from authconfigs.tokens.verdict import STOPPED
from tenants.models import Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.factories import make_config, make_environment, make_member, make_tenant
from tests.servers.mail import MailServer, mail_server

pytestmark = pytest.mark.django_db

SUMMARY = "The provider doesn't take the refresh token any more."


def a_config(tenant: Tenant, name: str = "crm") -> AuthConfig:
    return make_config(
        make_environment(tenant, f"of-{name}", name=f"Of {name}"),
        name,
        method="oauth2_client_credentials",
        options={"token_url": "https://auth.example.com/token", "client_id": "console"},
    )


def happened(config: AuthConfig, **columns: Any) -> TokenEvent:
    """An event of which the admins are to be told."""
    known = {
        "kind": TokenEvent.Kind.FAILED,
        "state": OAuthToken.State.REAUTHORIZATION_REQUIRED,
        "summary": SUMMARY,
        "mail_due": True,
    }
    with tenant_scope(config.tenant_id):
        return TokenEvent.objects.create(config=config, **{**known, **columns})


def test_active_admins_are_told_once(settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://console.example"
    acme, globex = make_tenant("acme", name="Acme Corp"), make_tenant("globex")
    make_member(acme, Role.ADMIN, username="ann")
    make_member(acme, Role.ADMIN, username="bob")
    make_member(acme, Role.EDITOR, username="eve")
    make_member(acme, Role.ADMIN, username="gone", active=False)
    make_member(globex, Role.ADMIN, username="other")
    silent = make_member(acme, Role.ADMIN, username="silent")
    silent.email = ""
    silent.save()
    config = a_config(acme)
    event = happened(config)
    happened(config, mail_due=False)

    assert (send_due_mails(), send_due_mails()) == (1, 0)

    (sent,) = mail.outbox
    assert sent.to == ["ann@mail.example", "bob@mail.example"]
    assert sent.subject == (
        "[Outbound Auth Console] crm in Of crm needs reauthorization (Acme Corp)"
    )
    link = f"https://console.example/admin/authconfigs/authconfig/{config.id}/change/"
    since = f"since {event.at:%Y-%m-%d %H:%M} UTC"
    for words in ("crm", "Of crm", "Acme Corp", SUMMARY, since, "press Connect", link):
        assert words in sent.body


@pytest.mark.parametrize("state", sorted(STOPPED))
def test_every_state_that_somebody_is_told_of_has_words(state: str) -> None:
    acme = make_tenant()
    make_member(acme)
    happened(a_config(acme), state=state, summary="")
    assert send_due_mails() == 1
    assert "What to do: " in mail.outbox[0].body
    assert "None" not in mail.outbox[0].body


def test_without_an_address_nobody_is_told_and_it_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    acme = make_tenant()
    make_member(acme, Role.EDITOR)
    happened(a_config(acme))
    with caplog.at_level(logging.WARNING, logger="authconfigs.notices"):
        assert (send_due_mails(), send_due_mails()) == (0, 0)
    assert not mail.outbox
    assert len([line for line in caplog.messages if "Nobody of acme is told" in line]) == 1


def test_burst_of_one_tenant_is_one_mail_and_another_tenants_isnt_in_it() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    for tenant in (acme, globex):
        make_member(tenant)
    config, other = a_config(acme), a_config(globex, "theirs")
    for _ in range(MOST_MAILS):
        happened(config)
    happened(other)
    assert send_due_mails() == MOST_MAILS + 1

    mail.outbox.clear()
    for _ in range(MOST_MAILS + 1):
        happened(config)
    happened(other)
    assert send_due_mails() == 2
    (digest,) = [sent for sent in mail.outbox if "6 token events" in sent.subject]
    assert digest.body.count(SUMMARY) == MOST_MAILS + 1
    assert "theirs" not in digest.body


def test_tenant_that_is_switched_off_and_events_older_than_a_day_are_left() -> None:
    acme, off = make_tenant("acme"), make_tenant("off", disabled=True)
    for tenant in (acme, off):
        make_member(tenant)
    happened(a_config(off))
    happened(a_config(acme), at=timezone.now() - timedelta(days=1, minutes=1))
    assert send_due_mails() == 0
    assert not mail.outbox


def use(server: MailServer, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port


def is_told(event: TokenEvent) -> bool:
    with tenant_scope(event.tenant_id):
        event.refresh_from_db()
    return event.mailed_at is not None


@pytest.mark.django_db(transaction=True)
def test_mail_server_that_refuses_gets_the_mail_again_at_the_next_run(settings: Any) -> None:
    acme = make_tenant()
    make_member(acme)
    event = happened(a_config(acme))
    nested: list[int] = []

    def another_run() -> None:
        nested.append(send_due_mails())
        connection.close()

    with mail_server() as server:
        use(server, settings)
        for verb in ("MAIL", "RCPT", "DATA", "EHLO"):
            server.refuses = {verb, "HELO"} if verb == "EHLO" else {verb}
            assert send_due_mails() == 0
            assert not is_told(event)
        server.refuses, server.on_mail = set(), another_run
        assert send_due_mails() == 1
    # Whoever runs while the mail is on its way sends it no second time.
    assert nested == [0]
    assert len(server.taken) == 1
    assert is_told(event)

    later = happened(a_config(acme, "later"))
    # Nobody listens there any more.
    assert send_due_mails() == 0
    assert not is_told(later)
