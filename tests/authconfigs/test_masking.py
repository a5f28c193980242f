import base64
import html
import json
import time
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs.masking import Reflections, mask_text

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


def every(form: str, text: str | bytes) -> str:
    return "".join(form.format(ord(one) if isinstance(one, str) else one) for one in text)


@pytest.mark.parametrize(
    "reflected",
    [
        every("%{:02x}", SECRET.encode()),
        every("%{:02X}", SECRET.encode()),
        every("%{:02x}", SECRET.encode("latin-1")),
        every("%25{:02x}", SECRET.encode()),
        every("{:02x}", SECRET.encode()),
        every("{:02X}", SECRET.encode()),
        every("\\x{:02x}", SECRET.encode()),
        every("\\u{:04x}", SECRET),
        every("\\u{:04X}", LATIN_1),
        every("\\\\u{:04x}", SECRET),
        every("&#{};", SECRET),
        every("&#x{:x};", SECRET),
        every("&#X{:06X};", SECRET),
        every("&amp;#{};", SECRET),
        json.dumps(html.escape(every("%{:02x}", SECRET.encode())))[1:-1],
        SECRET.upper().replace("Ä", "ä").replace("Ö", "ö"),
        SECRET[:5] + every("%{:02x}", SECRET[5:].encode()),
        every("\\u{:04x}", SECRET[:9]) + SECRET[9:].replace('"', '\\"'),
    ],
)
def test_secret_is_masked_whichever_characters_are_escaped(reflected: str) -> None:
    assert (
        mask_text(f"http://before/ {reflected}%41 after", [SECRET])
        == "http://before/ ••••%41 after"
    )


@pytest.mark.parametrize("secret", ["50%25off&amp;", "a\\u0041\\\\b", "%41%42%43%44", "𝄞 clef 🎼"])
def test_secret_that_looks_escaped_is_masked_as_well(secret: str) -> None:
    for reflected in (
        secret,
        quote(secret, safe=""),
        every("%{:02x}", secret.encode()),
        json.dumps(secret)[1:-1],
        every("&#{};", secret[:3]) + secret[3:],
    ):
        assert mask_text(f"<{reflected}>", [secret]) == "<••••>"


def test_beginning_shows_no_part_of_a_secret_that_isnt_there_to_its_end() -> None:
    secrets = Reflections(["secret-of-20-letters"])
    escaped = every("\\u{:04x}", "secret-of-20-letters")
    for reflected in ("secret-of-20-letters", escaped):
        text = "x" * 990 + reflected + "y" * 2000
        assert secrets.masked_start(text, 1000, is_cut=False) == "x" * 990 + "••••"
        # The dots are shorter, but no more of the text comes for that.
        assert secrets.masked_start(reflected * 50, 1000, is_cut=False).strip("•") == ""
        begun = "x" * 990 + reflected[:-1]
        assert secrets.masked_start(begun, 1000, is_cut=True).strip("x") == ""
    assert secrets.masked_start("short", 1000, is_cut=False) == "short"


def test_a_part_of_a_secret_is_found_by_eight_bytes() -> None:
    secrets = Reflections([SECRET, "b"], shortest=1)
    escaped = every("%{:02x}", SECRET[3:12].encode())
    assert all(map(secrets.found_in, ("xb", f"u{SECRET[2:10]}u", escaped, SECRET[-9:].upper())))
    assert not any(map(secrets.found_in, ("", SECRET[:5], "nothing of it at all", "Ynothing")))


@pytest.mark.parametrize("at", range(9))
def test_a_part_of_a_secret_is_found_wherever_a_long_text_has_it(at: int) -> None:
    secrets = Reflections([SECRET, "s3cret-of-a-client", "b"], shortest=1)
    around = "".join(f"{number:05}" for number in range(10_000, 10_040))
    for part in (SECRET[at : at + 8], "s3cret-of-a-client"[at : at + 8], "b"):
        assert secrets.found_in(around[at:] + part + around), part
        assert secrets.missing_from([around, around[at:] + part, "x"]) == [around, "x"]
    assert not secrets.found_in(around)


def test_short_texts_are_compared_with_long_secrets_and_long_ones_never_count_as_clean() -> None:
    secrets = Reflections([f"{part}{'-' * 30_000}{part}" for part in ("begin", "middle", "final")])
    assert secrets.missing_from(["read write", "final---", "admin"]) == ["read write", "admin"]
    assert secrets.found_in(" ".join(f"{number:07}" for number in range(200)))


LONG = [
    "".join(f"{n * n % 99991:x}é%-+" for n in range(at, at + 4000))[:20_000] for at in (3, 5, 7)
]


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("A" * 65536, ["A" * 20_000 + "z", "z" + "A" * 20_000, "A" * 9999 + "z" + "A" * 9999]),
        (every("%{:02x}", LONG[0].encode())[:65536], LONG),
        ("%252541" * 9362, LONG),
        ("\\" * 65536, LONG),
        ("&a;" * 21845, LONG),
        ("abcd" * 16384, [*LONG, "abcd"]),
    ],
    ids=["alike", "escaped", "deep", "backslashes", "entities", "many"],
)
def test_hostile_text_costs_no_time(text: str, secrets: list[str]) -> None:
    started = time.thread_time()
    reflections = Reflections(secrets)
    reflections.masked(text)
    reflections.found_in(text[:1000])
    # A tenth of it is usual.
    assert time.thread_time() - started < 2
