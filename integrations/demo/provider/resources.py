"""The API endpoints, each with its own idea of a credential and the challenge that its standard asks for.

RFC 9110 §11.6.1 (every 401 carries WWW-Authenticate), RFC 6750 §3 (Bearer), RFC 7617 (Basic).
"""

import base64
import binascii
import hmac
from collections.abc import Callable

from integrations.demo.provider import accounts
from integrations.demo.provider.ledger import Ledger
from integrations.demo.provider.messages import Answer, Received, json_answer
from integrations.demo.provider.switches import Switches

REALM = 'realm="demo"'
KEY_HEADER_CHALLENGE = f'ApiKey {REALM}, in="header", name="{accounts.API_KEY_HEADER}"'
KEY_QUERY_CHALLENGE = f'ApiKey {REALM}, in="query", name="{accounts.API_KEY_PARAMETER}"'

CHALLENGES = {
    "/bearer": f"Bearer {REALM}",
    "/scoped": f"Bearer {REALM}",
    "/key-header": KEY_HEADER_CHALLENGE,
    "/rotating": KEY_HEADER_CHALLENGE,
    "/key-query": KEY_QUERY_CHALLENGE,
    "/basic": f'Basic {REALM}, charset="UTF-8"',
}
ENDPOINTS = (*CHALLENGES, "/open")


def root_of(endpoint: str) -> str | None:
    """The API endpoint that a path belongs to: itself or anything below it."""
    for root in ENDPOINTS:
        if endpoint == root or endpoint.startswith(root + "/"):
            return root
    return None


class Resources:
    """Answers for everything under ENDPOINTS."""

    def __init__(self, switches: Switches, ledger: Ledger) -> None:
        self._switches, self._ledger = switches, ledger
        self._judges: dict[str, Callable[[Received], Answer | None]] = {
            "/bearer": self._bearer,
            "/scoped": self._scoped,
            "/key-header": lambda r: _key_in_header(r, accounts.API_KEY),
            "/rotating": self._rotating,
            "/key-query": _key_in_query,
            "/basic": _basic,
            "/open": lambda received: None,
        }

    def answer(self, received: Received, root: str) -> Answer:
        """The endpoint's refusal, or 200 with a word about the request."""
        refusal = self._judges[root](received)
        if refusal is not None:
            return refusal
        return json_answer(
            {"ok": True, "endpoint": root, "method": received.method, "path": received.endpoint}
        )

    def _bearer(self, received: Received) -> Answer | None:
        return self._bearer_for(received, needed="")

    def _scoped(self, received: Received) -> Answer | None:
        return self._bearer_for(received, needed=accounts.REPORTS_SCOPE)

    def _bearer_for(self, received: Received, needed: str) -> Answer | None:
        scheme, _, token = (received.header("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return refused(CHALLENGES["/bearer"], "This endpoint wants a Bearer token.")
        scope = accounts.DEFAULT_SCOPE
        if not _same(token, accounts.BEARER_TOKEN):
            known = self._ledger.access(token)
            if known is None:
                return _bearer_refusal("The access token is unknown or revoked.")
            if known.expires_in <= 0:
                return _bearer_refusal("The access token expired.")
            scope = known.grant.scope
        if needed and needed not in scope.split():
            description = f"The token lacks the scope {needed}."
            challenge = (
                f'{CHALLENGES["/bearer"]}, error="insufficient_scope", '
                f'error_description="{description}", scope="{needed}"'
            )
            return refused(challenge, description, status=403, error="insufficient_scope")
        return None

    def _rotating(self, received: Received) -> Answer | None:
        switched = self._switches.rotated
        return _key_in_header(received, accounts.ROTATED_KEY if switched else accounts.ROTATING_KEY)


def refused(challenge: str, message: str, *, status: int = 401, error: str = "") -> Answer:
    """An answer that refuses the credential, with its challenge."""
    body = {"error": error or "unauthorized", "message": message}
    return json_answer(
        body, status, headers=(("WWW-Authenticate", challenge),) if challenge else ()
    )


def _bearer_refusal(description: str) -> Answer:
    challenge = f'{CHALLENGES["/bearer"]}, error="invalid_token", error_description="{description}"'
    return refused(challenge, description, error="invalid_token")


def _key_in_header(received: Received, expected: str) -> Answer | None:
    sent = received.header(accounts.API_KEY_HEADER)
    if sent is None:
        return refused(KEY_HEADER_CHALLENGE, f"The header {accounts.API_KEY_HEADER} is missing.")
    return None if _same(sent, expected) else refused(KEY_HEADER_CHALLENGE, "The API key is wrong.")


def _key_in_query(received: Received) -> Answer | None:
    sent = [value for name, value in received.query if name == accounts.API_KEY_PARAMETER]
    if not sent:
        return refused(
            KEY_QUERY_CHALLENGE, f"The parameter {accounts.API_KEY_PARAMETER} is missing."
        )
    if sent != [accounts.API_KEY]:
        return refused(KEY_QUERY_CHALLENGE, "The API key is wrong.")
    return None


def _basic(received: Received) -> Answer | None:
    challenge = CHALLENGES["/basic"]
    scheme, _, encoded = (received.header("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return refused(challenge, "This endpoint wants Basic authentication.")
    try:
        pair = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError):
        return refused(challenge, "The Basic credential isn't base64 of UTF-8.")
    if not _same(pair, f"{accounts.BASIC_USERNAME}:{accounts.BASIC_PASSWORD}"):
        return refused(challenge, "The user name or password is wrong.")
    return None


def _same(sent: str, expected: str) -> bool:
    return hmac.compare_digest(sent.encode("utf-8", "replace"), expected.encode())
