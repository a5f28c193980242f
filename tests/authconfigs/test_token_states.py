"""The state of a token in words, pure; and the lists' conditions, which must say the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authconfigs.admin.token_states import (
    Kind,
    configs_that_are,
    configs_that_need_a_person,
    token_status,
)
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.tokens.granted import is_stored
from tenants.models import Environment, Tenant
from tests.factories import make_config, make_environment

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
SOON, LATELY = NOW + timedelta(minutes=5), NOW - timedelta(minutes=5)
CODE, CLIENT = "oauth2_authorization_code", "oauth2_client_credentials"
# Method, whether a refresh token is stored, columns of the row; what a person reads, whether they have to act.
CASES: dict[str, tuple[str, bool, dict[str, Any], Kind, str, bool]] = {
    "never connected": (CODE, False, {"state": "empty"}, Kind.NOT_CONNECTED, "bad", True),
    "no token yet": (CLIENT, False, {"state": "empty"}, Kind.NOT_CONNECTED, "quiet", False),
    "disconnected": (CODE, False, {"state": "empty", "generation": 3}, Kind.NOT_CONNECTED, "bad", True),
    "access token dropped by an edit": (
        CODE, True, {"state": "empty", "obtained_at": LATELY}, Kind.CONNECTED, "good", False,
    ),
    "pasted in": (CODE, True, {"state": "empty"}, Kind.CONNECTED, "quiet", False),
    "good": (CODE, True, {"state": "valid", "expires_at": SOON}, Kind.CONNECTED, "good", False),
    "expiry unknown": (CLIENT, False, {"state": "valid"}, Kind.CONNECTED, "good", False),
    "expired, renewable": (
        CODE, True, {"state": "valid", "expires_at": LATELY}, Kind.CONNECTED, "good", False,
    ),
    "expired for good": (
        CODE, False, {"state": "valid", "expires_at": LATELY}, Kind.REAUTHORIZE, "bad", True,
    ),
    "retrying in vain": (
        CODE, False, {"state": "retrying", "expires_at": LATELY}, Kind.REAUTHORIZE, "bad", True,
    ),
    "retrying": (
        CODE, True, {"state": "retrying", "failure_summary": "No answer."}, Kind.RETRYING, "warn", False,
    ),
    "consent withdrawn": (
        CODE, True, {"state": "reauthorization_required", "state_since": LATELY}, Kind.REAUTHORIZE, "bad", True,
    ),
    "stopped": (
        CLIENT, False, {"state": "stopped", "failure_summary": "invalid_client"}, Kind.STOPPED, "bad", True,
    ),
}  # fmt: skip


def a_config(method: str, *, protected: bool = False) -> AuthConfig:
    return AuthConfig(name="crm", method=method, environment=Environment(protected=protected))


@pytest.mark.parametrize("case", CASES)
def test_row_is_told_in_words(case: str) -> None:
    method, has_refresh, columns, kind, tone, needs_person = CASES[case]
    row = OAuthToken(**columns)
    status = token_status(a_config(method), row, has_refresh_token=has_refresh, now=NOW)
    assert (status.kind, status.tone, status.needs_person) == (kind, tone, needs_person)
    assert status.text
    assert row.failure_summary in status.sentence


@pytest.mark.parametrize("case", CASES)
def test_live_lease_is_refreshing_and_a_dead_one_isnt(case: str) -> None:
    method, has_refresh, columns, kind, *_ = CASES[case]
    owner = OAuthToken().id
    for until, expected in ((SOON, Kind.REFRESHING), (LATELY, kind)):
        row = OAuthToken(**columns, lease_owner=owner, lease_expires_at=until)
        status = token_status(a_config(method), row, has_refresh_token=has_refresh, now=NOW)
        assert status.kind is expected


def test_who_has_to_act_reads_since_when_and_whether_calls_still_work() -> None:
    for state in ("reauthorization_required", "stopped"):
        for expires_at, words in ((SOON, "until it expires"), (LATELY, "fail now")):
            row = OAuthToken(state=state, state_since=LATELY, expires_at=expires_at)
            status = token_status(a_config(CODE), row, has_refresh_token=True, now=NOW)
            assert status.since == LATELY
            assert words in status.asks_for


def told(protected: bool = False, **columns: Any) -> str:
    """What is read of a config without a refresh token."""
    config, row = a_config(CODE, protected=protected), OAuthToken(**columns)
    status = token_status(config, row, has_refresh_token=False, now=NOW)
    return f"{status.sentence} {status.asks_for}"


def test_disconnected_isnt_told_as_never_connected() -> None:
    assert "Nobody has connected it at the provider yet." in told(state="empty")
    assert "Nobody" not in told(state="empty", generation=1)
    assert "isn't connected any more" in told(state="empty", generation=1)


def test_who_may_connect_it_is_said_once_with_what_calls_do() -> None:
    asks = "The provider doesn't take it any more: a person has to connect this auth config again."
    refused = {"state": "reauthorization_required", "failure_summary": asks}
    for columns in ({"state": "empty"}, {"state": "empty", "generation": 1}, refused):
        assert "An editor or an admin can connect it" in told(**columns)
        assert "An admin can connect it" in told(protected=True, **columns)
        assert told(**columns).count("has to connect") <= 1


def test_lists_find_what_the_words_say(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    expected: dict[str, Kind] = {}
    needing = set()
    for number, (method, has_refresh, columns, kind, _, needs_person) in enumerate(CASES.values()):
        config = a_stored_config(environment, f"crm-{number}", method)
        row = OAuthToken.objects.get(config=config)
        for name, value in columns.items():
            setattr(row, name, value)
        row.refresh_token = "planted-refresh" if has_refresh else None
        row.save()
        expected[config.name] = kind
        needing |= {config.name} if needs_person else set()
    make_config(environment, "static")

    def found(condition: Any) -> set[str]:
        return set(AuthConfig.objects.filter(condition).values_list("name", flat=True))

    for kind in (Kind.NOT_CONNECTED, Kind.RETRYING, Kind.REAUTHORIZE, Kind.STOPPED):
        wanted = {name for name, of in expected.items() if of is kind}
        assert found(configs_that_are(kind, now=NOW)) == wanted, kind
    assert found(configs_that_need_a_person(NOW)) == needing
    stored = OAuthToken.objects.annotate(has_refresh=is_stored("refresh_token"))
    assert stored.filter(has_refresh=True).count() == sum(case[1] for case in CASES.values())


def a_stored_config(environment: Any, name: str, method: str) -> AuthConfig:
    options = {"token_url": "https://auth.example.com/token", "client_id": "console"}
    if method == CODE:
        options["authorization_url"] = "https://auth.example.com/authorize"
    return make_config(environment, name, method=method, options=options)
