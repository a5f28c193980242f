import base64
import html
import json
import time
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs.masking import mask_text

SECRET = "pä/ss \"wörd'&+<x>=~"
LATIN_1 = SECRET.encode().decode("latin-1")


@pytest.mark.parametrize(
    "reflected",
    [
        SECRET,
        LATIN_1,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(SECRET).replace("/", r"\/"),
        json.dumps(SECRET, ensure_ascii=False).replace("/", r"\/"),
        json.dumps(LATIN_1),
        html.escape(SECRET),
        html.escape(SECRET).replace("&#x27;", "&#39;"),
        html.escape(SECRET, quote=False),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote(SECRET, safe="!$&'()*+,;=:@/?"),
        quote_plus(SECRET),
        urlencode({"key": SECRET}),
        quote(quote(SECRET, safe=""), safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        quote(base64.b64encode(SECRET.encode()).decode(), safe=""),
        base64.b64encode(f"{quote_plus('client')}:{quote_plus(SECRET)}".encode()).decode(),
    ],
)
def test_secret_is_masked_however_it_is_spelled(reflected: str) -> None:
    masked = mask_text(f"before {reflected} after", [SECRET])
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "••••" in masked
    for part in ("wörd", "w\\u00f6rd", "%C3%B6rd", "wÃ¶rd", reflected[8:24]):
        assert part not in masked


LINE = st.characters(exclude_categories=["Cc", "Cs"])


@given(
    user=st.text(LINE, max_size=12),
    secret=st.text(LINE, min_size=5, max_size=30),
    rest=st.text(LINE, max_size=5),
)
def test_secret_is_masked_in_base64_at_every_alignment(user: str, secret: str, rest: str) -> None:
    encoded = base64.b64encode(f"{user}:{secret}{rest}".encode()).decode()
    left = mask_text(encoded, [secret]).replace("••••", "")
    # At most parts of its first and last byte stay, in the digits that they share with their neighbours.
    assert len(left) <= len(encoded) - len(secret.encode()) * 8 // 6 + 2


@given(st.text(), st.lists(st.text(min_size=4), max_size=3))
def test_masked_text_has_no_secret(text: str, secrets: list[str]) -> None:
    masked = mask_text(text + "".join(secrets), secrets)
    assert not [secret for secret in secrets if secret in masked.replace("••••", "\0")]


def test_longer_of_two_secrets_that_begin_alike_goes_whole() -> None:
    assert mask_text("abcdefgh", ["abcd", "abcdefgh"]) == "••••"


def test_short_secrets_and_other_text_stay() -> None:
    assert mask_text("an abc of keys", ["abc", "", "zzzz"]) == "an abc of keys"
    assert mask_text("text", []) == "text"


def test_hostile_text_takes_no_longer() -> None:
    secret = "A" * 2000 + "z"
    started = time.perf_counter()
    mask_text("A" * 200_000, [secret, "AAAAz"])
    assert time.perf_counter() - started < 5
