"""Withdrawing a token at the provider (RFC 7009), with the client authentication of token requests."""

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from authconfigs.errors import ConfigInvalid, TokenFailed
from authconfigs.oauth.answer import document_of
from authconfigs.oauth.client import OAuthClient
from authconfigs.oauth.refusal import error_in
from authconfigs.oauth.request import TokenRequest
from authconfigs.outgoing import OutgoingRequest
from authconfigs.symptoms import Symptom
from authconfigs.transport import Deadline, Door

LARGEST_ANSWER = 2**16


def revoke(client: OAuthClient, token: str, *, hint: str, door: Door, deadline: Deadline) -> None:
    """Withdraw a token; `hint` is its kind: refresh_token or access_token.

    A token that the provider doesn't know is no error (§2.2). Raises OutboundError when nobody can say that it is withdrawn.
    """
    prepared = PreparedRequest()
    prepared.headers = CaseInsensitiveDict({"Accept": "application/json"})
    prepared.body = b""
    TokenRequest(client, {"token": token, "token_type_hint": hint})(prepared)
    body = prepared.body
    if not isinstance(body, bytes):
        raise ConfigInvalid("No revocation request can be made of the auth config's fields.")
    request = OutgoingRequest(
        "POST",
        client.revocation_url,
        tuple(prepared.headers.items()),
        body,
        # Whatever it authenticates with: the token in the body is a credential.
        credential_headers=frozenset({"authorization"}),
    )
    answer = door.send(request, deadline=deadline, max_bytes=LARGEST_ANSWER, truncate=True)
    if not 200 <= answer.status_code < 300:
        hidden = [token, *client.secrets]
        code, said = error_in(document_of(answer.content) or {}, secrets=hidden)
        named = f"{answer.status_code} {code}" if code else str(answer.status_code)
        raise TokenFailed(
            f"The revocation endpoint refuses ({named}).{said}",
            symptom=Symptom.TOKEN_ENDPOINT_CONFIG,
            permanent=True,
            error=code or "",
            status=answer.status_code,
        )
