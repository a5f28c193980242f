"""Many tokens by one task: each exactly once, whatever becomes of the others."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.db.models import JSONField, Value
from django.utils import timezone
from kombu.message import Message
from pytest_django.fixtures import Settings

from authconfigs.health import pulse
from authconfigs.models import AllowedOrigin, AuthConfig, Credential, OAuthToken, TokenEvent
from authconfigs.tasks import prune, refresh_chunk, sweep
from authconfigs.tokens.bulk import refresh_many
from authconfigs.tokens.due import host_of
from integrations.demo.provider import Provider, accounts
from tenants.models import Environment
from tenants.scope import tenant_scope, unscoped
from tenants.task_base import ScopeLeftOver
from tests.factories import make_config, make_environment, make_tenant
from tests.servers.raw import serve
from tests.servers.scripts import hang

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant("acme"))


def due_config(environment: Environment, provider: Provider, name: str, **row: Any) -> AuthConfig:
    """A config with a password grant, and a token that is due and expires in a minute."""
    config = make_config(
        environment,
        name,
        method="oauth2_password",
        options={
            "token_url": provider.token_url,
            "client_id": accounts.CLIENT.client_id,
            "username": accounts.OAUTH_USERNAME,
        },
        secrets={
            "client_secret": accounts.CLIENT.secret,
            "password": accounts.OAUTH_PASSWORD,
        },
    )
    now = timezone.now()
    with tenant_scope(environment.tenant_id):
        token = OAuthToken.objects.get(config=config)
        token.access_token = "stored"
        due = {"refresh_after": now, "expires_at": now + timedelta(seconds=60), **row}
        for column, value in {"state": "valid", "generation": 1, **due}.items():
            setattr(token, column, value)
        token.save()
    return config


def rows() -> dict[str, OAuthToken]:
    with unscoped("a test looks at all"):
        return {row.config.name: row for row in OAuthToken.objects.select_related("config")}


def refresh_all() -> None:
    with unscoped("a test names all"):
        ids = list(AuthConfig.objects.values_list("id", flat=True))
    refresh_many(ids)


def test_every_due_token_is_renewed_once_and_the_others_left_alone(
    provider: Provider, staging: Environment
) -> None:
    now = timezone.now()
    for number in range(20):
        due_config(staging, provider, f"due-{number}")
    due_config(staging, provider, "early", refresh_after=now + timedelta(hours=1))
    due_config(staging, provider, "resting", next_attempt_at=now + timedelta(hours=1))
    due_config(staging, provider, "stopped", state="stopped")
    later = now + timedelta(hours=1)
    due_config(staging, provider, "taken", lease_owner=uuid4(), lease_expires_at=later)
    off = due_config(staging, provider, "off")
    with tenant_scope(staging.tenant_id):
        AuthConfig.objects.filter(id=off.id).update(disabled_at=now)

    refresh_all()

    generations = {name: row.generation for name, row in rows().items()}
    assert generations == {
        **{f"due-{number}": 2 for number in range(20)},
        **dict.fromkeys(("early", "resting", "stopped", "taken", "off"), 1),
    }
    assert provider.count("POST /token") == 20
    renewed = rows()["due-7"]
    assert renewed.access_token is not None
    assert provider.ledger.access(renewed.access_token.reveal()) is not None
    assert renewed.lease_owner is None
    assert renewed.refresh_after is not None
    assert renewed.refresh_after > now
    with unscoped("a test looks at all"):
        assert TokenEvent.objects.filter(kind="refreshed").count() == 20
    refresh_all()
    assert provider.count("POST /token") == 20


def test_poisoned_chunk_mates_fail_alone_and_delay_nobody(
    provider: Provider, staging: Environment, settings: Settings
) -> None:
    settings.OUTBOUND_TIMEOUT = 2
    with Provider() as slow:
        slow.switches.token_delay = 30
        for number in range(4):
            due_config(staging, slow, f"slow-{number}")
        unreadable = due_config(staging, provider, "unreadable")
        due_config(staging, provider, "dead", refresh_token="dead")
        elsewhere = due_config(staging, provider, "elsewhere")
        for number in range(12):
            due_config(staging, provider, f"good-{number}")
        with unscoped("a test breaks rows"):
            other = Credential.objects.exclude(config=unreadable).first()
            assert other is not None
            Credential.objects.filter(config=unreadable).update(secrets=other.secrets)
            Credential.objects.filter(config=elsewhere).update(
                options={"token_url": "http://127.0.0.1:9/", "client_id": "x", "username": "y"}
            )
        started = time.monotonic()
        refresh_all()
        took = time.monotonic() - started

    found = rows()
    good = [found[f"good-{number}"] for number in range(12)]
    assert [row.generation for row in good] == [2] * 12
    last = max(row.obtained_at for row in good if row.obtained_at is not None)
    assert last < min(found[f"slow-{number}"].failed_at or last for number in range(4))
    assert {found[f"slow-{number}"].failure_symptom for number in range(4)} == {"timeout"}
    assert found["unreadable"].failure_symptom == "secret_unreadable"
    assert found["elsewhere"].failure_symptom == "blocked_by_policy"
    assert (found["dead"].state, found["dead"].generation) == ("valid", 2)
    assert [row.lease_owner for row in found.values()] == [None] * len(found)
    assert took < 10


def test_consent_without_refresh_token_needs_a_person_once_it_expires(
    provider: Provider, staging: Environment
) -> None:
    now = timezone.now()
    for name, expires_at in (("good", now + timedelta(minutes=1)), ("expired", now)):
        config = due_config(staging, provider, name, expires_at=expires_at)
        with tenant_scope(staging.tenant_id):
            AuthConfig.objects.filter(id=config.id).update(method="oauth2_authorization_code")

    refresh_all()

    assert {name: row.state for name, row in rows().items()} == {
        "good": "valid",
        "expired": "reauthorization_required",
    }
    assert provider.count("POST /token") == 0
    with unscoped("a test looks at all"):
        assert [event.mail_due for event in TokenEvent.objects.all()] == [True]


def test_limit_of_a_host_holds(
    provider: Provider, staging: Environment, settings: Settings
) -> None:
    settings.REFRESH_PER_HOST = 2
    provider.switches.token_delay = 0.1
    for number in range(8):
        due_config(staging, provider, f"due-{number}")

    started = time.monotonic()
    refresh_all()

    assert time.monotonic() - started > 0.39
    assert provider.count("POST /token") == 8
    assert provider.count("connections") <= 2


def test_slow_provider_doesnt_hold_a_worker_from_other_work(
    provider: Provider, staging: Environment, settings: Settings
) -> None:
    settings.OUTBOUND_TIMEOUT = 3
    with Provider() as slow:
        slow.switches.token_delay = 30
        held = due_config(staging, slow, "slow")
        due_config(staging, provider, "of-another-chunk")
        refresh_many([held.id])

    assert rows()["of-another-chunk"].generation == 2


def handed_out() -> list[Message]:
    """What lies in the queue; it is taken out."""
    found: list[Message] = []
    with (
        current_app.connection_for_read() as broker,
        broker.SimpleQueue("celery") as queue,
        suppress(queue.Empty),
    ):
        while True:
            message = queue.get(block=False)
            message.ack()
            found.append(message)
    return found


def test_sweep_hands_out_ids_that_expire_and_gives_a_sign(
    provider: Provider, staging: Environment
) -> None:
    handed_out()
    config = due_config(staging, provider, "due")

    sweep()

    (message,) = handed_out()
    assert message.payload[0] == [[str(config.id)]]
    assert message.headers["expires"] is not None
    worker_age = pulse().worker_age_s
    assert worker_age is not None
    assert worker_age < 30
    refresh_chunk(*message.payload[0])
    sweep()
    assert handed_out() == []
    assert provider.count("POST /token") == 1
    with tenant_scope(staging.tenant_id):
        assert set(TokenEvent.objects.values_list("actor", flat=True)) == {"the schedule"}


def test_task_refuses_a_scope_that_was_left_open(staging: Environment) -> None:
    with tenant_scope(staging.tenant_id), pytest.raises(ScopeLeftOver):
        refresh_chunk([])
    with unscoped("left open"), pytest.raises(ScopeLeftOver):
        sweep()


def test_old_events_are_forgotten(provider: Provider, staging: Environment) -> None:
    due_config(staging, provider, "due")
    refresh_all()
    with unscoped("a test ages rows"):
        TokenEvent.objects.update(at=timezone.now() - timedelta(days=29))
    prune()
    with unscoped("a test ages rows"):
        assert TokenEvent.objects.update(at=timezone.now() - timedelta(days=31)) == 1
    prune()
    with unscoped("a test looks at all"):
        assert not TokenEvent.objects.exists()


@pytest.mark.parametrize(
    "options", [None, [1], {"token_url": 5}, {"token_url": "http://[::1", "client_id": "x"}]
)
def test_row_that_nobody_can_read_costs_its_chunk_nothing(
    provider: Provider, staging: Environment, options: object
) -> None:
    bad = due_config(staging, provider, "bad")
    for number in range(3):
        due_config(staging, provider, f"good-{number}")
    with tenant_scope(staging.tenant_id):
        written = Value(options, JSONField())
        Credential.objects.filter(config=bad).update(options=written)

    refresh_all()

    found = rows()
    assert [found[f"good-{number}"].generation for number in range(3)] == [2, 2, 2]
    assert found["bad"].generation == 1
    assert found["bad"].lease_owner is None
    assert found["bad"].failure_summary


def test_origin_that_nobody_can_read_costs_its_chunk_nothing(
    provider: Provider, staging: Environment
) -> None:
    bad = due_config(staging, provider, "bad")
    due_config(staging, provider, "good")
    with tenant_scope(staging.tenant_id):
        AllowedOrigin.objects.filter(config=bad).update(origin="https://a b")

    refresh_all()

    assert {name: row.generation for name, row in rows().items()} == {"bad": 1, "good": 2}


def test_address_that_no_request_can_be_made_to_is_told_as_such(
    provider: Provider, staging: Environment
) -> None:
    bad = due_config(staging, provider, "bad")
    with tenant_scope(staging.tenant_id):
        Credential.objects.filter(config=bad).update(options={"token_url": "nowhere"})
    refresh_all()
    assert rows()["bad"].failure_symptom == "config_invalid"


def test_tenant_with_many_hanging_hosts_goes_first_nowhere(
    provider: Provider, staging: Environment, settings: Settings
) -> None:
    settings.OUTBOUND_TIMEOUT = 3
    settings.REFRESH_CONCURRENCY = 16
    elsewhere = make_environment(make_tenant("globex"))
    with ExitStack() as stack:
        for number in range(30):
            hanging = stack.enter_context(serve(hang()))
            address = hanging.url("/token")
            config = due_config(elsewhere, provider, f"hanging-{number}")
            with tenant_scope(elsewhere.tenant_id):
                options = {**Credential.objects.get(config=config).options, "token_url": address}
                Credential.objects.filter(config=config).update(options=options)
                AllowedOrigin.objects.create(
                    config=config, purpose="token", origin=address.removesuffix("/token")
                )
        for number in range(5):
            due_config(staging, provider, f"good-{number}")
        begun = timezone.now()
        refresh_all()
    good = [row for name, row in rows().items() if name.startswith("good")]
    waited = [row.obtained_at - begun for row in good if row.obtained_at]
    assert len(waited) == 5
    assert max(waited) < timedelta(seconds=settings.OUTBOUND_TIMEOUT)


@pytest.mark.parametrize(
    "other",
    [
        "https://LOGIN.example.com:443/x",
        "https://login.example.com./",
        "https://u@login.example.com",
    ],
)
def test_host_is_one_however_it_is_spelled(other: str) -> None:
    assert host_of(other) == host_of("https://login.example.com/token")
    assert host_of(other) != host_of("https://login.example.com:8443/token")


def test_what_has_no_host_has_no_name() -> None:
    assert [host_of(url) for url in ("", "nowhere", "http://[::1")] == ["", "", ""]
