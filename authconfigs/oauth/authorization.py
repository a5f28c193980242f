"""The authorization request: where a browser is sent, and what comes back that isn't a code (RFC 6749 §4.1.1, §4.1.2.1).

PKCE with S256 always (RFC 7636). Nothing is sent from here: a person's browser goes there.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from authconfigs.errors import TokenFailed
from authconfigs.oauth.client import OAuthClient
from authconfigs.oauth.refusal import MEANINGS, OUT_OF_ORDER, error_in
from authconfigs.symptoms import Symptom

# 256 bits: more than the 128 of RFC 6749 §10.10, and a verifier of 43 characters (RFC 7636 §4.1).
_BYTES = 32

# Only the person at the provider can change these (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
_OF_THE_PERSON = {
    "access_denied": "the consent was denied",
    "account_selection_required": "an account has to be chosen there",
    "consent_required": "it wants to ask for consent, and wasn't allowed to",
    "interaction_required": "it wants to ask something, and wasn't allowed to",
    "login_required": "it wants a login, and wasn't allowed to ask for one",
}


def new_secret() -> str:
    """What nobody guesses: a state, or a PKCE verifier."""
    return secrets.token_urlsafe(_BYTES)


def challenge_of(verifier: str) -> str:
    """The PKCE challenge of a verifier, by S256 (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def authorization_url(client: OAuthClient, *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where the browser goes to ask for consent.

    The query that stands in the client's URL keeps its bytes; a parameter that it has isn't added again (RFC 6749 §3.1).
    """
    bare, _, typed = client.authorization_url.partition("?")
    known = {name for name, _ in parse_qsl(typed, keep_blank_values=True)}
    own = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        **({"scope": client.scope} if client.scope else {}),
        **({"audience": client.audience} if client.audience else {}),
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    extra = {n: value for n, value in client.authorize_params.items() if n not in known | set(own)}
    # A blank as %20: some providers read a plus as a plus.
    added = urlencode(list(_pairs({**own, **extra})), quote_via=quote)
    return f"{bare}?{typed}&{added}" if typed else f"{bare}?{added}"


def refusal_at_consent(error: str, description: str, *, secrets: Iterable[str]) -> TokenFailed:
    """The verdict on an answer that names an error in the place of a code. No word of `secrets` is repeated."""
    document = {"error": error, "error_description": description}
    code, said = error_in(document, secrets=secrets)
    if code in OUT_OF_ORDER:
        summary = f"The provider is out of order ({code}), so nothing was connected. Try again later.{said}"
        return TokenFailed(summary, symptom=Symptom.PROVIDER_ERROR, permanent=False, error=code)
    symptom = Symptom.TOKEN_ENDPOINT_CONFIG
    if code in _OF_THE_PERSON:
        symptom = Symptom.REAUTHORIZATION_REQUIRED
    named = f" ({code})" if code else ""
    meaning = (
        _OF_THE_PERSON.get(code or "")
        or MEANINGS.get(code or "")
        or "it names an error that the standard doesn't know"
    )
    summary = f"The provider gave no consent{named}: {meaning}.{said}"
    return TokenFailed(summary, symptom=symptom, permanent=True, error=code or "")


def _pairs(values: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            yield name, one if isinstance(one, str) else json.dumps(one)
