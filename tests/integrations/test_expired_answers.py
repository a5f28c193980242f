"""APIs that say "expired" in their own way: one renewal and one replay, in a call and in a test, and no more."""

import json
import logging
from typing import Any

import pytest
import requests

from authconfigs.symptoms import Symptom
from integrations import testing
from integrations.calls import SEARCHED_BYTES, Call, perform
from integrations.client import auth
from integrations.targets import load_target
from tests.integrations.wired import NAME, stored_token, wired
from tests.servers.raw import ReceivedRequest, Server, serve
from tests.servers.scripts import answer_by, message

pytestmark = pytest.mark.django_db

TEXT = '"error":"token_expirée"'
JSON = [("Content-Type", "application/json")]
LATIN = [("Content-Type", "text/plain; charset=iso-8859-1")]


class Api:
    """Gives token-1, token-2, ... and takes those from `takes` on; any other gets `refusal`, as an invented one does."""

    def __init__(self, refusal: bytes, *, takes: int = 2) -> None:
        self.refusal, self.takes, self.given = refusal, takes, 0

    def __call__(self, request: ReceivedRequest) -> bytes:
        if request.target == "/token":
            self.given += 1
            token = {"access_token": f"token-{self.given}", "expires_in": 3600}
            return message("200 OK", json.dumps(token).encode(), headers=JSON)
        number = (request.header("Authorization") or b"").removeprefix(b"Bearer token-")
        good = number.isdigit() and int(number) >= self.takes
        return message("200 OK", b'{"ok": true}', headers=JSON) if good else self.refusal


def connected(server: Server, **options: Any) -> None:
    wired(
        server.url("/api"),
        method="oauth2_client_credentials",
        options={"token_url": server.url("/token"), "client_id": "console", **options},
        secrets={"client_secret": "planted"},
    )


def asked(server: Server, path: str) -> int:
    return sum(request.target == path for request in server.requests)


CASES: dict[str, tuple[bytes, dict[str, Any], bool]] = {
    "403, named": (message("403 Forbidden"), {"expired_statuses": [403]}, True),
    "419, one of two": (message("419 Expired"), {"expired_statuses": [403, 419]}, True),
    "403, not named": (message("403 Forbidden"), {"expired_statuses": [419]}, False),
    "text in a 200": (message("200 OK", f"{{{TEXT}}}".encode()), {"expired_text": TEXT}, True),
    "text in a 400": (message("400 Bad", f"{{{TEXT}}}".encode()), {"expired_text": TEXT}, True),
    "text in Latin-1": (
        message("200 OK", TEXT.encode("latin-1"), headers=LATIN),
        {"expired_text": TEXT},
        True,
    ),
    "another text": (message("400 Bad", b"token_expired"), {"expired_text": TEXT}, False),
    "text too far inside": (
        message("400 Bad", b"-" * (SEARCHED_BYTES - 5) + TEXT.encode()),
        {"expired_text": TEXT},
        False,
    ),
}
of_cases = pytest.mark.parametrize(("refusal", "options", "renews"), CASES.values(), ids=CASES)


@of_cases
def test_a_call_renews_once_and_is_sent_again(
    refusal: bytes, options: dict[str, Any], renews: bool
) -> None:
    with serve(answer_by(Api(refusal))) as server:
        connected(server, **options)
        result = perform(load_target(NAME), Call("GET", ""))

        assert (result.response.json() if renews else {}) == ({"ok": True} if renews else {})
        assert (result.symptom is None) is renews
        assert result.token_refreshed
        assert (asked(server, "/token"), asked(server, "/api")) == ((2, 2) if renews else (1, 1))


@of_cases
def test_a_test_renews_once_and_is_sent_again(
    refusal: bytes, options: dict[str, Any], renews: bool
) -> None:
    with serve(answer_by(Api(refusal))) as server:
        connected(server, **options)
        row = testing.test_connection(NAME)

        assert row.ok is renews
        assert asked(server, "/token") == (2 if renews else 1)
        # The negative control comes after a good answer only, and its refusal renews nothing.
        assert asked(server, "/api") == (3 if renews else 1)
        assert (row.negative_control == "refused") is renews


@pytest.mark.parametrize("ask", ["call", "test"])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad"])
def test_a_new_token_that_is_expired_at_once_isnt_renewed_again(ask: str, status: str) -> None:
    with serve(answer_by(Api(message(status, TEXT.encode()), takes=9))) as server:
        connected(server, expired_text=TEXT)
        symptom: str | None
        if ask == "call":
            symptom = perform(load_target(NAME), Call("GET", "")).symptom
        else:
            symptom = testing.test_connection(NAME).symptom

        assert (asked(server, "/token"), asked(server, "/api")) == (2, 2)
        expected = {
            "200 OK": Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY,
            "400 Bad": Symptom.REQUEST_REFUSED,
        }
        assert symptom == expected[status]
        assert stored_token().generation == 2


@pytest.mark.parametrize(("stream", "tokens"), [(False, 2), (True, 1)])
def test_a_session_of_ones_own_sees_the_text_but_in_streams(stream: bool, tokens: int) -> None:
    with serve(answer_by(Api(message("200 OK", TEXT.encode())))) as server:
        connected(server, expired_text=TEXT)
        with requests.Session() as session:
            session.trust_env, session.auth = False, auth("acme", "crm", environment="staging")
            for _ in range(2):
                session.get(server.url("/api"), stream=stream, timeout=5).close()

        assert asked(server, "/token") == tokens


def test_the_answer_that_was_searched_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(answer_by(Api(message("200 OK", f"canary {TEXT}".encode())))) as server:
        connected(server, expired_text=TEXT)
        perform(load_target(NAME), Call("GET", ""))
        testing.test_connection(NAME)

    assert "canary" not in caplog.text
