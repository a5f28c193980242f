"""The grants, over requests_oauthlib: it prepares each request, the door sends it, our hook reads the answer.

Nothing else imports requests_oauthlib, and none of its errors leaves: their texts and contexts hold answers, URLs, bodies.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable

from oauthlib.oauth2 import (
    BackendApplicationClient,
    Client,
    LegacyApplicationClient,
    OAuth2Error,
    WebApplicationClient,
)
from requests import RequestException, Response
from requests_oauthlib import OAuth2Session

from authconfigs.errors import ConfigInvalid, OutboundError, TokenFailed
from authconfigs.oauth.answer import document_of, refresh_token_in, token_in, tokens_of
from authconfigs.oauth.client import OAuthClient, TokenAnswer
from authconfigs.oauth.refusal import refusal_of
from authconfigs.oauth.request import TokenRequest, parameters_of
from authconfigs.transport import Deadline, Guards

MAX_BYTES = 2**20
HARMLESS = b'{"access_token": "read by our hook", "token_type": "Bearer"}'
MALFORMED = "No token request can be made: an address, a header or a parameter of the auth config is malformed."

# A process-wide switch of oauthlib. Whether http:// may be used is the door's to judge, address by address.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

# At DEBUG the library logs whole requests and answers: not even a changed level may let these out.
for _name in ("requests_oauthlib.oauth2_session", "oauthlib"):
    logging.getLogger(_name).addFilter(lambda record: record.levelno > logging.DEBUG)


def client_credentials(client: OAuthClient, *, door: Guards, deadline: Deadline) -> TokenAnswer:
    """A token for the client itself (RFC 6749 §4.4). Raises TokenFailed."""
    return _exchange(
        client,
        lambda session, auth: session.fetch_token(client.token_url, auth=auth),
        grant=BackendApplicationClient(client.client_id, scope=client.scope or None),
        door=door,
        deadline=deadline,
    )


def password(
    client: OAuthClient, username: str, *, password: str, door: Guards, deadline: Deadline
) -> TokenAnswer:
    """A token for a user whose password we have (RFC 6749 §4.3; RFC 9700 advises against it). Raises TokenFailed."""
    return _exchange(
        client,
        lambda session, auth: session.fetch_token(
            client.token_url, username=username, password=password, auth=auth
        ),
        grant=LegacyApplicationClient(client.client_id, scope=client.scope or None),
        secrets=[password],
        door=door,
        deadline=deadline,
    )


def exchange_code(
    client: OAuthClient,
    code: str,
    *,
    redirect_uri: str,
    verifier: str,
    door: Guards,
    deadline: Deadline,
) -> TokenAnswer:
    """A token for a consent (RFC 6749 §4.1.3), with the PKCE verifier of its request (RFC 7636). Raises TokenFailed."""
    return _exchange(
        client,
        lambda session, auth: session.fetch_token(
            client.token_url, code=code, code_verifier=verifier, auth=auth
        ),
        grant=WebApplicationClient(client.client_id),
        redirect_uri=redirect_uri,
        secrets=[code, verifier],
        door=door,
        deadline=deadline,
    )


def refresh(
    client: OAuthClient, refresh_token: str, *, door: Guards, deadline: Deadline
) -> TokenAnswer:
    """A new access token for a refresh token (RFC 6749 §6), and often a new refresh token. Raises TokenFailed."""
    scope = None if client.authorization_url else client.scope or None
    return _exchange(
        client,
        lambda session, auth: session.refresh_token(
            client.refresh_url or client.token_url, refresh_token=refresh_token, auth=auth
        ),
        grant=WebApplicationClient(client.client_id, scope=scope),
        refreshing=True,
        secrets=[refresh_token],
        door=door,
        deadline=deadline,
    )


def _exchange(
    client: OAuthClient,
    ask: Callable[[OAuth2Session, TokenRequest], object],
    *,
    grant: Client,
    door: Guards,
    deadline: Deadline,
    redirect_uri: str | None = None,
    refreshing: bool = False,
    secrets: Iterable[str] = (),
) -> TokenAnswer:
    session = OAuth2Session(client=grant, redirect_uri=redirect_uri)
    reading = _Reading(client, secrets=[*secrets, *client.secrets])
    for hook in ("access_token_response", "refresh_token_response"):
        session.register_compliance_hook(hook, reading)
    door.guard(session, deadline=deadline, max_bytes=MAX_BYTES)
    outcome: TokenAnswer | TokenFailed
    try:
        ask(session, TokenRequest(client, parameters_of(client, refreshing=refreshing)))
        outcome = reading.outcome
    except OutboundError as error:
        outcome = TokenFailed.from_error(error)
    except (RequestException, OAuth2Error, ValueError):
        outcome = TokenFailed.from_error(ConfigInvalid(MALFORMED))
    # Raised out here, so that no library's error with its URL or body hangs on as the context.
    if isinstance(outcome, TokenFailed):
        raise outcome
    return outcome


class _Reading:
    """The hook that reads an answer in the library's place, and hands on to it one that it can't stumble over."""

    def __init__(self, client: OAuthClient, *, secrets: list[str]) -> None:
        self._client, self._secrets, self._sent_at = client, secrets, time.time()

    def __call__(self, response: Response) -> Response:
        self.outcome = self._read(response)
        harmless = Response()
        harmless.status_code, harmless.encoding, harmless._content = 200, "utf-8", HARMLESS
        return harmless

    def _read(self, response: Response) -> TokenAnswer | TokenFailed:
        client, secrets = self._client, self._secrets
        document = document_of(response.content)
        # With another status it is none (RFC 6749 §5.1): nobody knows whether the server stands by tokens in its error.
        given = document if 200 <= response.status_code < 300 else None
        try:
            if given is not None:
                found = token_in(given, client, sent_at=self._sent_at, secrets=secrets)
                if found is not None:
                    return found
            raise refusal_of(
                response.status_code,
                response.headers,
                content=response.content,
                document=document,
                secrets=[*secrets, *tokens_of(document or {}, client)],
            )
        except TokenFailed as failure:
            if given is not None and not failure.permanent:
                failure.refresh_token = refresh_token_in(given, client)
            return failure
