"""The token and revocation endpoints: RFC 6749 §4 to §6, RFC 7636, RFC 7009."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from integrations.demo.provider import accounts
from integrations.demo.provider.ledger import Grant, Ledger, Refused
from integrations.demo.provider.messages import Answer, Received, json_answer, parameters

NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
REPEATABLE = frozenset({"resource", "audience"})

Form = dict[str, str]


class TokenEndpoint:
    """Answers for /token and /revoke."""

    def __init__(self, ledger: Ledger, count: Callable[[str], None]) -> None:
        self._ledger, self._count = ledger, count
        self._grants: dict[str, Callable[[accounts.Client, Form], dict[str, Any]]] = {
            "client_credentials": self._client_credentials,
            "password": self._password,
            "authorization_code": self._authorization_code,
            "refresh_token": self._refresh_token,
        }

    def token(self, received: Received) -> Answer:
        """A token, or an OAuth error."""
        return self._answered(received, self._granted)

    def revoke(self, received: Received) -> Answer:
        """200 whether or not the token was known (RFC 7009 §2.2), or an OAuth error."""
        return self._answered(received, self._revoked)

    def _answered(
        self, received: Received, act: Callable[[accounts.Client, Form], dict[str, Any]]
    ) -> Answer:
        if received.method != "POST":
            return json_answer({"error": "method_not_allowed"}, 405, headers=(("Allow", "POST"),))
        try:
            form = _single(received)
            answer = act(_authenticated(received, form), form)
        except Refused as refusal:
            return oauth_error(
                refusal.error, refusal.description, status=refusal.status, received=received
            )
        return json_answer(answer, headers=NO_STORE)

    def _granted(self, client: accounts.Client, form: Form) -> dict[str, Any]:
        grant_type = _needed(form, "grant_type")
        self._count(f"grant {grant_type}")
        grant = self._grants.get(grant_type)
        if grant is None:
            raise Refused("unsupported_grant_type", "This server doesn't know that grant type.")
        return grant(client, form)

    def _revoked(self, client: accounts.Client, form: Form) -> dict[str, Any]:
        self._ledger.revoke(_needed(form, "token"), client_id=client.client_id)
        return {}

    def _client_credentials(self, client: accounts.Client, form: Form) -> dict[str, Any]:
        if not client.secret:
            raise Refused("unauthorized_client", "A public client can't act for itself.")
        grant = Grant(client.client_id, client.client_id, granted_scope(form.get("scope", "")))
        return self._ledger.issue(grant, with_refresh=False)

    def _password(self, client: accounts.Client, form: Form) -> dict[str, Any]:
        username, password = _needed(form, "username"), _needed(form, "password")
        if (username, password) != (accounts.OAUTH_USERNAME, accounts.OAUTH_PASSWORD):
            raise Refused("invalid_grant", "The user name or password is wrong.")
        grant = Grant(client.client_id, username, granted_scope(form.get("scope", "")))
        return self._ledger.issue(grant, with_refresh=True)

    def _authorization_code(self, client: accounts.Client, form: Form) -> dict[str, Any]:
        code = self._ledger.spend_code(_needed(form, "code"))
        if code.grant.client_id != client.client_id:
            raise Refused("invalid_grant", "The code belongs to another client.")
        if code.redirect_uri != form.get("redirect_uri"):
            raise Refused("invalid_grant", "The redirect_uri isn't the one of the consent.")
        if not hmac.compare_digest(code.challenge, s256(_needed(form, "code_verifier"))):
            raise Refused("invalid_grant", "The code_verifier doesn't fit the code_challenge.")
        return self._ledger.issue(code.grant, with_refresh=True)

    def _refresh_token(self, client: accounts.Client, form: Form) -> dict[str, Any]:
        return self._ledger.refresh(
            _needed(form, "refresh_token"),
            client_id=client.client_id,
            scope=form.get("scope", ""),
        )


def oauth_error(
    error: str, description: str, *, status: int = 400, received: Received | None = None
) -> Answer:
    """An error answer of RFC 6749 §5.2; one that used Basic gets its challenge back with a 401."""
    answer = json_answer(
        {"error": error, "error_description": description}, status, headers=NO_STORE
    )
    basic = received is not None and _basic_of(received) is not None
    if status == 401 and basic:
        return answer.with_headers(("WWW-Authenticate", 'Basic realm="demo", charset="UTF-8"'))
    return answer


def granted_scope(asked: str) -> str:
    """The scope that a request gets: as asked, or the default. Raises Refused for an unknown one."""
    unknown = set(asked.split()) - set(accounts.SCOPES)
    if unknown:
        raise Refused("invalid_scope", f"The scopes are: {', '.join(accounts.SCOPES)}.")
    return " ".join(asked.split()) or accounts.DEFAULT_SCOPE


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _single(received: Received) -> Form:
    try:
        found = parameters(received)
    except ValueError as problem:
        raise Refused("invalid_request", str(problem)) from None
    for name, values in found.items():
        if len(values) > 1 and name not in REPEATABLE:
            raise Refused("invalid_request", f"The parameter {name} came more than once.")
    return {name: values[0] for name, values in found.items() if values}


def _needed(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise Refused("invalid_request", f"The parameter {name} is missing.")
    return value


def _basic_of(received: Received) -> str | None:
    scheme, _, encoded = (received.header("Authorization") or "").partition(" ")
    return encoded if scheme.lower() == "basic" else None


def _authenticated(received: Received, form: Form) -> accounts.Client:
    encoded = _basic_of(received)
    if encoded is None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    elif "client_secret" in form:
        raise Refused("invalid_request", "The client authenticated in two ways at once.")
    else:
        try:
            pair = base64.b64decode(encoded, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeError):
            raise Refused(
                "invalid_client", "The Basic credential is garbled.", status=401
            ) from None
        # RFC 6749 §2.3.1: both were form-encoded before they were joined.
        client_id, secret = (unquote_plus(part) for part in pair.partition(":")[::2])
    client = accounts.CLIENTS.get(client_id)
    if client is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
        raise Refused("invalid_client", "The client or its secret is wrong.", status=401)
    return client
