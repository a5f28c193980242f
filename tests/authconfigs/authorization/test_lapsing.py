"""A consent that gave no refresh token: when it ends, or the API refuses it, that is in the history and told once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from authconfigs.errors import TokenFailed
from authconfigs.health import health
from authconfigs.models import OAuthToken, TokenEvent
from authconfigs.notices import send_due_mails
from authconfigs.saving import draft_of, save_config, switch_config
from authconfigs.state import load_config
from authconfigs.tokens import usable_token
from authconfigs.tokens.bulk import refresh_many
from authconfigs.tokens.sweep import due_configs, renew_now
from authconfigs.transport import Deadline
from integrations.calls import Call, perform
from integrations.demo.provider import Provider
from integrations.targets import load_target
from integrations.testing import test_connection as run_test
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import CONNECTED, Journey, back_from, consent, leave
from tests.authconfigs.authorization.journeys import deliver as delivered
from tests.authconfigs.consoles import browser, html, url
from tests.factories import make_member, posted
from tests.integrations.wired import NAME, change_token, stored_token, the_config

pytestmark = pytest.mark.django_db(transaction=True)

NEEDS = OAuthToken.State.REAUTHORIZATION_REQUIRED


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def journey(provider: Provider) -> Journey:
    """Connected, by an answer without a refresh token."""
    journey = back_from(provider, "connect")
    make_member(journey.config.tenant, Role.ADMIN, username="boss")
    provider.switches.token = "refresh_absent"
    assert journey.deliver() == CONNECTED
    return journey


def lapse() -> None:
    past = timezone.now() - timedelta(minutes=10)
    change_token(expires_at=past, refresh_after=past)


def swept() -> None:
    refresh_many([stored_token().config_id])


def failures() -> list[tuple[str, str, bool]]:
    row = stored_token()
    with tenant_scope(row.tenant_id):
        events = TokenEvent.objects.filter(kind="failed").order_by("at")
        return [(event.state, event.symptom, event.mail_due) for event in events]


def call() -> Any:
    return perform(load_target(NAME), Call("GET", ""))


def test_nothing_is_due_while_it_is_good(journey: Journey) -> None:
    row = stored_token()
    assert row.expires_at is not None
    assert row.refresh_after == row.expires_at
    swept()
    assert due_configs(timedelta(days=3000), force=False) == []
    assert failures() == []
    assert call().response.status_code == 200
    assert journey.token_calls == 1


def test_end_of_its_life_is_found_by_the_sweep_and_told_once(journey: Journey) -> None:
    lapse()
    assert (health().due, health().overdue) == (1, 1)
    for _ in range(3):
        swept()
        send_due_mails()

    row = stored_token()
    assert (row.state, row.failure_symptom) == (NEEDS, "reauthorization_required")
    assert "has expired" in row.failure_summary
    assert failures() == [(NEEDS, "reauthorization_required", True)]
    assert (health().due, health().overdue) == (0, 0)
    (sent,) = mail.outbox
    assert "needs reauthorization" in sent.subject
    assert journey.token_calls == 1


def test_end_of_its_life_is_found_by_a_call_where_no_worker_runs(journey: Journey) -> None:
    lapse()
    for _ in range(2):
        with pytest.raises(TokenFailed, match="has expired"):
            call()

    assert stored_token().state == NEEDS
    assert failures() == [(NEEDS, "reauthorization_required", True)]


def test_simulated_expiry_is_an_end_as_well(journey: Journey) -> None:
    call_command("simulate_expiry", "acme/crm", "--environment", "staging", verbosity=0)
    swept()
    assert stored_token().state == NEEDS


def test_simulated_expiry_doesnt_promise_a_renewal(journey: Journey) -> None:
    config = journey.config
    pressed = browser(config.tenant).post(
        url("expire", config.id), posted(config.tenant), follow=True
    )
    assert "the next call renews it" not in html(pressed)
    assert "somebody has to connect it again" in html(pressed)


@pytest.mark.parametrize("ask", [call, lambda: run_test(NAME)], ids=["call", "test"])
def test_refusal_by_the_api_is_in_the_history_and_told_once(
    provider: Provider, journey: Journey, ask: Callable[[], Any]
) -> None:
    provider.switches.api = "401"
    results = [ask() for _ in range(3)]

    assert {result.symptom for result in results} == {"reauthorization_required"}
    row = stored_token()
    assert (row.state, row.failure_symptom, row.failure_status) == (
        NEEDS,
        "reauthorization_required",
        401,
    )
    assert "The API refused" in row.failure_summary
    assert failures() == [(NEEDS, "reauthorization_required", True)]
    assert row.lease_owner is None
    page = html(browser(journey.config.tenant).get(url("change", journey.config.id)))
    assert "Needs reauthorization" in page
    assert journey.token_calls == 1


def test_refusal_of_a_token_that_was_replaced_meanwhile_says_nothing(
    provider: Provider, journey: Journey
) -> None:
    before = load_config(journey.config.id)
    away = consent(leave(journey.client, journey.config))
    assert delivered(journey.client, away) == CONNECTED

    assert before.token is not None
    with pytest.raises(TokenFailed, match="The API refused"):
        usable_token(before, deadline=Deadline.after(5), refused_generation=before.token.generation)

    assert stored_token().state == OAuthToken.State.VALID
    assert failures() == []


def test_new_consent_lifts_it(provider: Provider, journey: Journey) -> None:
    lapse()
    swept()
    assert delivered(journey.client, consent(leave(journey.client, journey.config))) == CONNECTED
    assert (stored_token().state, stored_token().failures) == (OAuthToken.State.VALID, 0)
    assert call().response.status_code == 200


@pytest.mark.parametrize("edited", [{"header": "X-Token"}, {"audience": "https://api.example.com"}])
def test_edit_doesnt_make_what_has_expired_look_good_again(
    journey: Journey, edited: dict[str, Any]
) -> None:
    lapse()
    swept()
    config = the_config()
    with tenant_scope(config.tenant_id):
        draft = draft_of(config)
        draft = replace(draft, options={**draft.options, **edited})
        save_config(draft, environment=config.environment, config=config)
    swept()

    assert stored_token().state == NEEDS
    assert "has expired" in stored_token().failure_summary
    assert failures() == [(NEEDS, "reauthorization_required", True)]


def test_edit_gives_what_an_api_refused_another_chance(
    provider: Provider, journey: Journey
) -> None:
    provider.switches.api = "401"
    call()
    config = the_config()
    with tenant_scope(config.tenant_id):
        switch_config(config, disabled=True)
        switch_config(config, disabled=False)
    assert stored_token().state == OAuthToken.State.VALID


def test_refresh_by_hand_says_why_there_is_none_and_harms_nothing(journey: Journey) -> None:
    renewal = renew_now(load_config(journey.config.id), force=True)

    assert (renewal.ok, renewal.symptom) == (False, "reauthorization_required")
    assert "refused" not in renewal.summary
    assert "stays in use" in renewal.summary
    assert (stored_token().state, failures()) == (OAuthToken.State.VALID, [])
    assert call().response.status_code == 200


def test_refresh_by_hand_repeats_what_the_api_said(provider: Provider, journey: Journey) -> None:
    provider.switches.api = "401"
    call()
    renewal = renew_now(load_config(journey.config.id), force=True)

    assert (renewal.ok, renewal.symptom) == (False, "reauthorization_required")
    assert "The API refused" in renewal.summary
