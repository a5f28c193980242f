"""Reads an answer of a token endpoint, however odd: nothing that was given may be lost to a detail of its form.

oauthlib refuses expires_in "soon", a foreign token_type, a JSON array, a narrower scope; so it never sees them.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from authconfigs.errors import TokenFailed
from authconfigs.masking import Reflections
from authconfigs.oauth.client import OAuthClient, TokenAnswer
from authconfigs.oauth.granted import scope_in
from authconfigs.oauth.refusal import BEHIND
from authconfigs.symptoms import Symptom

TEN_YEARS = 10 * 365.25 * 86400
LONGEST_NUMBER = 300
LONGEST_TOKEN = 32 * 2**10
LONGEST_TYPE = 50
MOST_FIELDS = 1000

BEARER = "bearer"
# No place that is read of an answer lies deeper.
DEEPEST = 100

_TOO_LONG = f"longer than {LONGEST_TOKEN:,} characters"
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_FIRST_FIELD = re.compile(r"[A-Za-z0-9_.\[\]-]+=")
# What keeps JSON from being run as a script.
_GUARD = re.compile(r"\s*(?:\)\]\}',?|while\s*\(1\);|for\s*\(;;\);)?\s*")
_MARK = re.compile(r'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)


def document_of(content: bytes) -> dict[str, Any] | None:
    """The fields of a JSON object or of a form-encoded answer; None for anything else, such as a web page.

    JSON may have line breaks in its texts, something in front against being run as a script, and something behind.
    """
    text = _text(content)
    value = _json(text)
    return value if isinstance(value, dict) else _form(text)


def token_in(
    document: Mapping[str, Any], client: OAuthClient, *, sent_at: float, secrets: Iterable[str] = ()
) -> TokenAnswer | None:
    """The token in an answer, or None when there is none that a header could carry.

    `sent_at` is the time of the request, in seconds since 1970: an absolute expiry is counted from it. `secrets` are those
    that were sent: neither scope nor type repeats one, nor a token. Raises TokenFailed for an access token that is too long.
    """

    def given(name: str) -> Any:
        return _given(document, client, name)

    access_token = _carried(given("access_token"))
    if access_token is None:
        if _is_too_long(given("access_token")):
            raise TokenFailed(
                f"The access token is {_TOO_LONG}: no server would take it.",
                symptom=Symptom.PROVIDER_ERROR,
                permanent=False,
            )
        return None
    lifetime = lifetime_of(given("expires_in"), client.expiry_format, sent_at=sent_at)
    if lifetime is None and client.default_lifetime is not None:
        lifetime = lifetime_of(client.default_lifetime, "seconds", sent_at=sent_at)
    hidden = Reflections([*secrets, *client.secrets, *tokens_of(document, client)])
    scope, left_out = scope_in(given("scope"), asked=client.scope, hidden=hidden)
    return TokenAnswer(
        access_token=access_token,
        refresh_token=_carried(given("refresh_token")),
        expires_in=lifetime,
        scope=scope,
        token_type=_type(given("token_type"), hidden),
        left_out=left_out,
        unusable=_wrong(given("refresh_token")),
    )


def refresh_token_in(document: Mapping[str, Any], client: OAuthClient) -> str | None:
    """The refresh token in an answer, whatever else is in it."""
    return _carried(_given(document, client, "refresh_token"))


def tokens_of(document: Mapping[str, Any], client: OAuthClient) -> list[str]:
    """The texts in the places of the tokens, usable or not: no other part of the answer is shown that repeats one."""
    values = (_given(document, client, name) for name in ("access_token", "refresh_token"))
    return [value.strip()[:LONGEST_TOKEN] for value in values if isinstance(value, str)]


def lifetime_of(value: object, expiry_format: str, *, sent_at: float) -> float | None:
    """Seconds until the expiry that `value` tells: 0 for the past, at most ten years, None when it can't be read."""
    if expiry_format == "iso8601":
        seconds = _since(value, sent_at)
    else:
        seconds = _number(value)
        if seconds is not None and expiry_format == "milliseconds":
            seconds /= 1000
        elif seconds is not None and expiry_format == "epoch":
            seconds -= sent_at
    return None if seconds is None else min(max(seconds, 0.0), TEN_YEARS)


def _whole(digits: str) -> int:
    # Python refuses to read 4,301 digits; 300 say "very much" as well.
    return int(digits[:LONGEST_NUMBER])


_DECODER = json.JSONDecoder(strict=False, parse_int=_whole, parse_constant=str)


def _text(content: bytes) -> str:
    # Whatever charset is announced: what matters of an answer is ASCII, and Latin-1 leaves that as it is.
    try:
        return content.decode(json.detect_encoding(content))
    except ValueError:
        return content.decode("latin-1")


def _json(text: str) -> Any:
    guard = _GUARD.match(text)
    begin = guard.end() if guard else 0
    try:
        try:
            return _DECODER.raw_decode(text, begin)[0]
        except RecursionError:
            return _DECODER.raw_decode(_shallow(text[begin:]))[0]
    except ValueError:
        return None


def _shallow(text: str) -> str:
    """The JSON text, with null for what is nested too deep to be read."""
    parts, depth, after = list[str](), 0, 0
    for found in _MARK.finditer(text):
        if found.group() in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                parts += [text[after : found.start()], "null"]
                after = len(text)
        elif found.group() in "]}":
            if depth == DEEPEST + 1:
                after = found.end()
            depth -= 1
    return "".join([*parts, text[after:]])


def _form(text: str) -> dict[str, Any] | None:
    text = text.strip()
    if not _FIRST_FIELD.match(text):
        return None
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return None


def _given(document: Mapping[str, Any], client: OAuthClient, name: str) -> Any:
    return _at(document, client.token_response.get(name) or name)


def _at(document: Any, path: str) -> Any:
    value = document
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _carried(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if text and text.isprintable() and not _is_too_long(text) else None


def _is_too_long(value: object) -> bool:
    return isinstance(value, str) and len(value.strip()) > LONGEST_TOKEN


def _wrong(value: object) -> str:
    """What keeps a token that was given from being used; empty where nothing does, or none was given."""
    if value is None or _carried(value) or (isinstance(value, str) and not value.strip()):
        return ""
    return _TOO_LONG if _is_too_long(value) else "no text that a request could carry"


def _type(value: object, hidden: Reflections) -> str:
    text = value[: LONGEST_TYPE + BEHIND] if isinstance(value, str) else ""
    # A control character would be refused by the database, and the token lost with it.
    plain = "".join(character for character in text if character.isprintable())
    if not plain or (plain.lower() != BEARER and hidden.found_in(text, plain)):
        return ""
    return plain[:LONGEST_TYPE]


def _number(value: object) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)


def _since(value: object, sent_at: float) -> float | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return None if moment is None else moment.timestamp() - sent_at
    except (ValueError, OverflowError):
        return None
