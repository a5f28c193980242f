from typing import Any

import pytest

from authconfigs.errors import TokenFailed
from authconfigs.methods import METHODS
from authconfigs.symptoms import Symptom
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.verdict import Ask, Fail, Use, Verdict, verdict
from tests.authconfigs.tokens.rows import NOW, a_state, a_token, seconds

CODE = "oauth2_authorization_code"
STOPPED: dict[str, Any] = {
    "state": "stopped",
    "failure_symptom": "token_endpoint_config",
    "failure_summary": "The token endpoint refuses.",
    "failure_error": "invalid_client",
    "failure_status": 401,
}
EXPIRED: dict[str, Any] = {"expires_at": seconds(-1), "refresh_after": seconds(-61)}
IN_MARGIN: dict[str, Any] = {"expires_at": seconds(60), "refresh_after": seconds(-1)}
EMPTY: dict[str, Any] = {
    "state": "empty",
    "generation": 0,
    "attempt": 0,
    "has_access_token": False,
    "expires_at": None,
    "refresh_after": None,
}


def found(
    *,
    method: str = "oauth2_client_credentials",
    refused: int | None = None,
    again: bool = False,
    **row: Any,
) -> Verdict:
    token = a_token(**row)
    return verdict(
        a_state(token, method=method),
        token,
        grant=GRANTS[method],
        now=NOW,
        refused_generation=refused,
        asks_again=again,
    )


def failure(outcome: Verdict) -> TokenFailed:
    assert isinstance(outcome, Fail)
    return outcome.failure


def test_every_method_with_a_token_has_a_grant() -> None:
    assert set(GRANTS) == {method.code for method in METHODS if method.uses_token}


def test_good_token_is_used() -> None:
    assert found() == Use()


def test_token_without_known_expiry_is_used_until_refused() -> None:
    assert found(expires_at=None, refresh_after=None) == Use()
    assert found(expires_at=None, refresh_after=None, refused=1) == Ask(usable=False)


@pytest.mark.parametrize("row", [EXPIRED, EMPTY, {"token_revision": 0}])
def test_another_is_asked_for_without_a_usable_one(row: dict[str, Any]) -> None:
    assert found(**row) == Ask(usable=False)


def test_token_in_its_margin_is_renewed_and_good_until_then() -> None:
    assert found(**IN_MARGIN) == Ask(usable=True)


@pytest.mark.parametrize(
    "rest",
    [
        {"lease_expires_at": seconds(5)},
        {"next_attempt_at": seconds(5)},
        {"retry_after_until": seconds(5)},
        STOPPED,
    ],
)
def test_token_in_its_margin_is_used_while_somebody_is_at_it_or_failed(
    rest: dict[str, Any],
) -> None:
    assert found(**IN_MARGIN, **rest) == Use()


def test_code_grant_without_refresh_token_is_used_to_its_end() -> None:
    assert found(**IN_MARGIN, method=CODE) == Use()


def test_back_off_delays_no_call_without_a_usable_token() -> None:
    assert found(**EXPIRED, next_attempt_at=seconds(600), failures=9) == Ask(usable=False)


def test_answered_wait_is_kept_and_said() -> None:
    failed = failure(found(**EXPIRED, retry_after_until=seconds(30)))

    assert failed.symptom is Symptom.PROVIDER_RATE_LIMITED
    assert not failed.permanent
    assert "00:00:30" in failed.summary
    assert found(**EXPIRED, retry_after_until=seconds(-1)) == Ask(usable=False)


def test_stopped_config_answers_at_once_with_its_failure() -> None:
    failed = failure(found(**EXPIRED, **STOPPED))

    assert failed.symptom is Symptom.TOKEN_ENDPOINT_CONFIG
    assert failed.permanent
    assert (failed.summary, failed.error, failed.status) == (
        "The token endpoint refuses.",
        "invalid_client",
        401,
    )


def test_person_asks_again_where_it_stopped() -> None:
    assert found(**EXPIRED, **STOPPED, again=True) == Ask(usable=False)


def test_refused_token_is_followed_by_a_later_one() -> None:
    assert found(refused=1) == Ask(usable=False)
    assert found(generation=2, refused=1) == Use()


def test_code_grant_that_was_never_connected_needs_a_person() -> None:
    failed = failure(found(method=CODE, **EMPTY))

    assert failed.symptom is Symptom.REAUTHORIZATION_REQUIRED
    assert "never connected" in failed.summary


def test_code_grant_with_a_seed_asks() -> None:
    assert found(method=CODE, **{**EMPTY, "has_refresh_token": True}) == Ask(usable=False)


def test_refused_code_grant_without_refresh_token_needs_a_person() -> None:
    failed = failure(found(method=CODE, refused=1))

    assert failed.symptom is Symptom.REAUTHORIZATION_REQUIRED
    assert failed.status == 401
