"""Why there is no token: the verdict on every answer that has none, in plain words (RFC 6749 §5.2)."""

import re
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from authconfigs.errors import TokenFailed
from authconfigs.masking import LONGEST_ESCAPE, PIECE, Reflections
from authconfigs.symptoms import Symptom

LONGEST_DESCRIPTION = 200
# What is read of a longer one: blanks, queries and what can't be printed are taken out of it.
LONGEST_READ = 4 * LONGEST_DESCRIPTION
# So much of what follows is looked at, too, that a secret which begins before the end is recognized.
BEHIND = PIECE * LONGEST_ESCAPE
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
    hidden = Reflections(secrets, shortest=1)
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
        if code is None and _is_page(content):
            said = " It sent a web page and no OAuth error: a firewall in front of it may have done so."
        return TokenFailed(
            f"The token endpoint refuses ({_named(status, code)}): {meaning}.{said}",
            symptom=Symptom.TOKEN_ENDPOINT_CONFIG,
            permanent=True,
            error=code or "",
            is_nameless=code is None,
            retry_after=wait if code is None else None,
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
    return _error_in(document, Reflections(secrets, shortest=1))


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


def _redirect(status: int, headers: Mapping[str, str], *, hidden: Reflections) -> TokenFailed:
    target = headers.get("Location", "").partition("?")[0].partition("#")[0]
    told = "" if "@" in target else _told(target, hidden)
    where = f" to {told}" if told else ""
    return TokenFailed(
        f"The token endpoint redirects{where} ({status}), and a secret never follows a redirect.",
        symptom=Symptom.BLOCKED_BY_POLICY,
        permanent=True,
        status=status,
    )


def _error_in(document: Mapping[str, Any], hidden: Reflections) -> tuple[str | None, str]:
    error, said = document.get("error"), document.get("error_description")
    if isinstance(error, dict):
        said = said or error.get("message")
        error = error.get("code") or error.get("type") or error.get("status") or ""
    elif not error:
        error = None
    if error is not None and not (isinstance(error, str) and _may_show(error, hidden)):
        error = ""
    said = said or document.get("message")
    told = _told(said, hidden) if isinstance(said, str) else ""
    return error, f" It says: “{told}”" if told else ""


def _may_show(code: str, hidden: Reflections) -> bool:
    return code in KNOWN or bool(_ERROR_CODE.fullmatch(code) and not hidden.found_in(code))


def _told(text: str, hidden: Reflections) -> str:
    """What is shown of somebody else's words; empty when a secret is among them, or a part of one."""
    read = text[: LONGEST_READ + BEHIND]
    if hidden.found_in(read, _printable(read)):
        return ""
    plain = _printable(text[:LONGEST_READ])
    return plain if len(plain) <= LONGEST_DESCRIPTION else f"{plain[:LONGEST_DESCRIPTION]}…"


def _printable(text: str) -> str:
    plain = " ".join(_QUERY.sub("", text).split())
    return "".join(character for character in plain if character.isprintable())


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
    return "a web page" if _is_page(content) else "something unreadable"


def _is_page(content: bytes) -> bool:
    return content.lstrip()[:1] == b"<"
