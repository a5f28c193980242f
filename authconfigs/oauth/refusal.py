"""Why there is no token: the verdict on every answer that has none, in plain words (RFC 6749 §5.2)."""

import base64
import html
import re
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, quote_plus

from authconfigs.errors import TokenFailed
from authconfigs.symptoms import Symptom

LONGEST_DESCRIPTION = 200
REFLECTED_LENGTH = 8
LONGEST_WAIT = 86400.0 * 365

MEANINGS = {
    "invalid_client": "it doesn't accept the client id, the client secret or the way they are sent",
    "invalid_grant": "it doesn't accept the user's password, the code or the refresh token",
    "unauthorized_client": "this client may not use this grant type",
    "unsupported_grant_type": "it doesn't know this grant type",
    "invalid_scope": "it doesn't accept the scope",
    "invalid_request": "it finds a parameter missing, repeated or malformed",
    "invalid_target": "it doesn't accept the audience or resource",
    "access_denied": "it doesn't grant access",
}
OUT_OF_ORDER = frozenset({"server_error", "temporarily_unavailable"})
TOO_FAST = frozenset({"slow_down", "rate_limit_exceeded", "ratelimited"})
KNOWN = frozenset({*MEANINGS, *OUT_OF_ORDER, *TOO_FAST})

_ERROR_CODE = re.compile(r"[\x20-\x7e]{1,60}")
_QUERY = re.compile(r"(?<=\S)\?\S+")


def refusal_of(
    status: int,
    headers: Mapping[str, str],
    *,
    content: bytes,
    document: Mapping[str, Any] | None,
    secrets: Iterable[str],
) -> TokenFailed:
    """The error for an answer without a token. `secrets` are those that were sent: no word of them is repeated."""
    hidden = _forms_of(secrets)
    if 300 <= status < 400:
        return _redirect(status, headers, hidden=hidden)
    code, said = _error_in(document or {}, hidden)
    wait = retry_after(headers.get("Retry-After", ""), now=time.time())
    if status == 429 or code in TOO_FAST:
        when = "" if wait is None else f" for {wait:.0f} seconds"
        return TokenFailed(
            f"The token endpoint asks us to wait{when} ({_named(status, code)}).{said}",
            symptom=Symptom.PROVIDER_RATE_LIMITED,
            permanent=False,
            retry_after=wait,
            status=status,
        )
    if status >= 500 or status in {408, 425} or code in OUT_OF_ORDER:
        return TokenFailed(
            f"The token endpoint is out of order ({_named(status, code)}).{said}",
            symptom=Symptom.PROVIDER_ERROR,
            permanent=False,
            retry_after=wait,
            status=status,
        )
    if code is not None or status >= 400:
        meaning = MEANINGS.get(code or "") or _meaning(status, code)
        return TokenFailed(
            f"The token endpoint refuses ({_named(status, code)}): {meaning}.{said}",
            symptom=Symptom.TOKEN_ENDPOINT_CONFIG,
            permanent=True,
            error=code or "",
            status=status,
        )
    return TokenFailed(
        f"The token endpoint answered {_instead(content, document)} instead of a token ({status}).",
        symptom=Symptom.PROVIDER_ERROR,
        permanent=False,
        status=status,
    )


def error_in(document: Mapping[str, Any], *, secrets: Iterable[str]) -> tuple[str | None, str]:
    """The error code of an answer (None: no error; empty: none that can be shown), and a sentence of what the server says about it."""
    return _error_in(document, _forms_of(secrets))


def retry_after(text: str, *, now: float) -> float | None:
    """Seconds to wait, from seconds or an HTTP date (RFC 9110 §10.2.3); None when neither is there."""
    text = text.strip()
    if re.fullmatch(r"[0-9]+", text):
        return min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(moment - now, 0.0), LONGEST_WAIT)


def _redirect(status: int, headers: Mapping[str, str], *, hidden: frozenset[str]) -> TokenFailed:
    target = headers.get("Location", "").partition("?")[0].partition("#")[0]
    told = target and "@" not in target and not _reflects(target, hidden)
    where = f" to {_shown(target)}" if told else ""
    return TokenFailed(
        f"The token endpoint redirects{where} ({status}), and a secret never follows a redirect.",
        symptom=Symptom.BLOCKED_BY_POLICY,
        permanent=True,
        status=status,
    )


def _error_in(document: Mapping[str, Any], hidden: frozenset[str]) -> tuple[str | None, str]:
    error, said = document.get("error"), document.get("error_description")
    if isinstance(error, dict):
        said = said or error.get("message")
        error = error.get("code") or error.get("type") or error.get("status") or ""
    elif not error:
        error = None
    if error is not None and not (isinstance(error, str) and _may_show(error, hidden)):
        error = ""
    said = said or document.get("message")
    if not isinstance(said, str) or _reflects(said, hidden):
        said = ""
    shown = _shown(said)
    return error, f" It says: “{shown}”" if shown else ""


def _may_show(code: str, hidden: frozenset[str]) -> bool:
    return code in KNOWN or bool(_ERROR_CODE.fullmatch(code) and not _reflects(code, hidden))


def _shown(text: str) -> str:
    plain = " ".join(_QUERY.sub("", text).split())
    plain = "".join(character for character in plain if character.isprintable())
    return plain if len(plain) <= LONGEST_DESCRIPTION else f"{plain[:LONGEST_DESCRIPTION]}…"


def _named(status: int, code: str | None) -> str:
    return f"{status} {code}" if code else str(status)


def _meaning(status: int, code: str | None) -> str:
    if status in {404, 405, 410}:
        return "there is no token endpoint at this address, so the token URL is probably wrong"
    if status == 415:
        return "it wants the request in another format: form or JSON"
    if code:
        return "it names an error that the standard doesn't know"
    if status in {401, 403}:
        return "it doesn't accept the client id and secret, or doesn't let this client in"
    return "it doesn't accept the request"


def _instead(content: bytes, document: Mapping[str, Any] | None) -> str:
    if document is not None:
        return "a document without a usable access token"
    if not content.strip():
        return "nothing"
    return "a web page" if content.lstrip()[:1] == b"<" else "something unreadable"


def _forms_of(secrets: Iterable[str]) -> frozenset[str]:
    """Every secret in the forms that a server may reflect it in."""
    forms: set[str] = set()
    for secret in filter(None, secrets):
        forms |= {secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
        for text in (secret, quote_plus(secret)):
            forms |= {_inside_base64(text, shift) for shift in range(3)}
    return frozenset(form.casefold() for form in forms if form)


def _inside_base64(text: str, shift: int) -> str:
    # What base64 makes of the text behind `shift` other bytes (a client id, say), whatever these are.
    encoded = base64.b64encode(b"." * shift + text.encode("utf-8", "replace")).decode()
    return encoded[(0, 2, 3)[shift] :].rstrip("=")[:-1]


def _reflects(text: str, hidden: frozenset[str]) -> bool:
    plain = text.casefold()
    if any(form in plain for form in hidden):
        return True
    pieces = (plain[i : i + REFLECTED_LENGTH] for i in range(len(plain) - REFLECTED_LENGTH + 1))
    return any(piece in form for piece in pieces for form in hidden)
