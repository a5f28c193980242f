"""Reads an answer of a token endpoint, however odd: nothing that was given may be lost to a detail of its form.

oauthlib refuses expires_in "soon", a foreign token_type, a JSON array, a narrower scope; so it never sees them.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from authconfigs.errors import TokenFailed
from authconfigs.oauth.client import OAuthClient, TokenAnswer
from authconfigs.symptoms import Symptom

TEN_YEARS = 10 * 365.25 * 86400
LONGEST_NUMBER = 300
LONGEST_TOKEN = 32 * 2**10
LONGEST_TYPE = 50
MOST_FIELDS = 1000

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")


def document_of(content: bytes) -> dict[str, Any] | None:
    """The fields of a JSON object or of a form-encoded answer; None for anything else, such as a web page."""
    try:
        value = json.loads(content, parse_int=_whole, parse_constant=str)
    except (ValueError, RecursionError):
        return _form(content)
    return value if isinstance(value, dict) else None


def token_in(
    document: Mapping[str, Any], client: OAuthClient, *, sent_at: float
) -> TokenAnswer | None:
    """The token in an answer, or None when there is none that a header could carry.

    `sent_at` is the time of the request, in seconds since 1970: an absolute expiry is counted from it. Raises TokenFailed for
    a token that is too long.
    """

    def given(name: str) -> Any:
        return _at(document, client.token_response.get(name) or name)

    access_token = _carried(given("access_token"))
    if access_token is None:
        return None
    lifetime = lifetime_of(given("expires_in"), client.expiry_format, sent_at=sent_at)
    if lifetime is None and client.default_lifetime is not None:
        lifetime = lifetime_of(client.default_lifetime, "seconds", sent_at=sent_at)
    return TokenAnswer(
        access_token=access_token,
        refresh_token=_carried(given("refresh_token")),
        expires_in=lifetime,
        scope=_scope(given("scope")),
        token_type=_printable(given("token_type"))[:LONGEST_TYPE],
    )


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


def _form(content: bytes) -> dict[str, Any] | None:
    try:
        text = content.decode("utf-8-sig").strip()
        looks_like_one = "=" in text and text.split() == [text] and not text.startswith("<")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    return dict(pairs) if looks_like_one else None


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
    if len(text) > LONGEST_TOKEN:
        raise TokenFailed(
            f"The token is longer than {LONGEST_TOKEN:,} characters: no server would take it.",
            symptom=Symptom.PROVIDER_ERROR,
            permanent=False,
        )
    return text if text and text.isprintable() else None


def _printable(value: object) -> str:
    # A control character would be refused by the database, and the token lost with it.
    text = value if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable())


def _scope(value: object) -> str | None:
    if isinstance(value, list):
        value = " ".join(one for one in value if isinstance(one, str))
    return _printable(value) if isinstance(value, str) else None


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
