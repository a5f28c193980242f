"""What is read from a token answer, oddities included."""

import base64
import cProfile
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs.errors import TokenFailed
from authconfigs.oauth.answer import LONGEST_TOKEN, TEN_YEARS, document_of, lifetime_of, token_in
from authconfigs.oauth.client import OAuthClient, TokenAnswer
from authconfigs.symptoms import Symptom

SENT_AT = 1_700_000_000.0


def client(**changes: Any) -> OAuthClient:
    return OAuthClient(token_url="https://a.example/token", client_id="id", **changes)


def read(document: dict[str, Any], **changes: Any) -> TokenAnswer:
    found = token_in(
        {"access_token": "at", "token_type": "Bearer", **document},
        client(**changes),
        sent_at=SENT_AT,
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        ("300", 300.0),
        ('"300"', 300.0),
        ('" 300 "', 300.0),
        ("299.5", 299.5),
        ('"299.5"', 299.5),
        ("0", 0.0),
        ("-1", 0.0),
        ('"-1"', 0.0),
        ("-1" + "0" * 400, 0.0),
        ("1" + "0" * 400, TEN_YEARS),
        ("9" * 5000, TEN_YEARS),
        ('"' + "9" * 400 + '"', TEN_YEARS),
        ("1e999", TEN_YEARS),
        ("null", None),
        ('"soon"', None),
        ('""', None),
        ('"1_000"', None),
        ('"٣"', None),
        ("true", None),
        ("NaN", None),
        ("Infinity", None),
        ('"Infinity"', None),
        ("[300]", None),
        ("{}", None),
    ],
)
def test_lifetime_is_read_from_whatever_stands_there(raw: str, seconds: float | None) -> None:
    document = document_of(f'{{"expires_in": {raw}}}'.encode())
    assert document is not None
    assert read(document).expires_in == seconds


@pytest.mark.parametrize("document", [{}, {"expires_in": None}, {"expires_in": "soon"}])
def test_default_lifetime_stands_in_for_an_unreadable_one(document: dict[str, Any]) -> None:
    assert read(document, default_lifetime=60).expires_in == 60.0
    assert read(document).expires_in is None


def test_default_lifetime_gives_way_to_one_that_is_given() -> None:
    assert read({"expires_in": 0}, default_lifetime=60).expires_in == 0.0


@pytest.mark.parametrize(
    ("expiry_format", "value", "seconds"),
    [
        ("milliseconds", 300_000, 300.0),
        ("milliseconds", "300000", 300.0),
        ("epoch", SENT_AT + 300, 300.0),
        ("epoch", str(int(SENT_AT) + 300), 300.0),
        ("epoch", SENT_AT - 300, 0.0),
        ("iso8601", datetime.fromtimestamp(SENT_AT + 300, UTC).isoformat(), 300.0),
        ("iso8601", "2023-11-14T22:18:20Z", 300.0),
        ("iso8601", "2023-11-14T22:18:20", 300.0),
        ("iso8601", "2023-11-14T23:18:20+01:00", 300.0),
        ("iso8601", "9999-12-31T23:59:59-23:00", TEN_YEARS),
        ("iso8601", "soon", None),
        ("iso8601", 300, None),
    ],
)
def test_expiry_formats(expiry_format: str, value: object, seconds: float | None) -> None:
    assert lifetime_of(value, expiry_format, sent_at=SENT_AT) == seconds


@pytest.mark.parametrize("value", [None, "", "   ", 5, ["rt"], "a\nb"])
def test_unusable_refresh_token_counts_as_absent(value: object) -> None:
    assert read({"refresh_token": value}).refresh_token is None


@pytest.mark.parametrize("value", [None, "", "  ", 5, True, ["at"], "a\r\nb", "a\x00b", "\ud800"])
def test_access_token_that_no_header_can_carry_is_none(value: object) -> None:
    assert token_in({"access_token": value}, client(), sent_at=SENT_AT) is None


def test_white_space_around_tokens_is_dropped() -> None:
    found = read({"access_token": " at\n", "refresh_token": "rt\n"})
    assert (found.access_token, found.refresh_token) == ("at", "rt")


@pytest.mark.parametrize(
    ("value", "scope"),
    [
        ("b a", "b a"),
        ("a,b", "a,b"),
        ("", ""),
        (None, None),
        (["a", "b", 3], "a b"),
        (7, None),
        ("a\x00b c", "c"),
        ("a,b a", "a b"),
        ('"quoted" \\ é c', "c"),
        (f"{'x' * 201} c", "c"),
    ],
)
def test_scope_is_kept_as_it_was_given(value: object, scope: str | None) -> None:
    assert read({"scope": value}).scope == scope


def test_scope_is_kept_up_to_a_limit_and_the_rest_is_counted() -> None:
    many = " ".join(f"n{number}" for number in range(70_000))
    found = read({"scope": f"{many} asked"}, scope="asked n69999")
    assert found.scope
    names = found.scope.split()
    assert (names[:3], names[-2:]) == (["n0", "n1", "n2"], ["n69999", "asked"])
    assert (len(names), found.left_out) == (202, 70_001 - 202)

    long = read({"scope": " ".join(f"{number:0200}" for number in range(100))})
    assert long.scope
    assert len(long.scope) <= 4096
    assert len(long.scope.split()) + long.left_out == 100


SENT = "Kq7vN2xLmZ9wRt4B"


@pytest.mark.parametrize(
    "name",
    [
        SENT,
        f"x{SENT[4:12]}x",
        SENT.lower(),
        quote(f"é{SENT}"),
        base64.b64encode(f"id:{SENT}".encode()).decode().strip("="),
        f"a,{SENT}",
        "Ga81hdUwq0PzX5yc",
        "Wm3oEj6sTf2bVk8i",
        "stored-elsewhere",
        "of-the-parameters",
    ],
)
def test_neither_scope_nor_type_repeats_a_secret(name: str) -> None:
    document = {"access_token": "Ga81hdUwq0PzX5yc", "refresh_token": "Wm3oEj6sTf2bVk8i"}
    asking = client(
        scope="asked",
        hidden=("stored-elsewhere",),
        secret_token_params={"key": ["of-the-parameters"]},
    )
    found = token_in(
        {**document, "scope": f"b {name} asked", "token_type": name},
        asking,
        sent_at=SENT_AT,
        secrets=[SENT],
    )
    assert found is not None
    assert (found.scope or "").replace("a ", "") == "b asked"
    assert (found.left_out, found.token_type) == (1, "")


def test_secret_of_several_words_is_in_no_scope() -> None:
    found = token_in(
        {"access_token": "at", "scope": "correct horse battery asked"},
        client(scope="asked"),
        sent_at=SENT_AT,
        secrets=["correct horse battery"],
    )
    assert found is not None
    assert (found.scope, found.left_out) == ("asked", 3)


@pytest.mark.parametrize(
    ("value", "kind"), [("mac", "mac"), (None, ""), (5, ""), ("x" * 99, "x" * 50)]
)
def test_token_type_is_kept_and_never_refused(value: object, kind: str) -> None:
    assert read({"token_type": value}).token_type == kind


def test_dotted_paths_find_nested_fields() -> None:
    document = {"data": [{"token": {"value": "nested", "life": 5}}], "access_token": "outer"}
    paths = {"access_token": "data.0.token.value", "expires_in": "data.0.token.life"}
    found = token_in(document, client(token_response=paths), sent_at=SENT_AT)
    assert found is not None
    assert (found.access_token, found.expires_in) == ("nested", 5.0)
    paths = {"access_token": "data.1.token"}
    assert token_in(document, client(token_response=paths), sent_at=SENT_AT) is None


@pytest.mark.parametrize(
    ("content", "document"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        (b"access_token=a%20b&scope=x+y", {"access_token": "a b", "scope": "x y"}),
        (b"error=bad_code\n", {"error": "bad_code"}),
        (b"[1]", None),
        (b"null", None),
        (b'"text"', None),
        (b"", None),
        (b"Internal error: a=b", None),
        (b"<p>&access_token=1</p>", None),
        (b"\xff\xfe\xff=", None),
        (b'{"a": "M\xfcller"}', {"a": "Müller"}),
        (b'{"a": "line\nbreak"}', {"a": "line\nbreak"}),
        (b'{"a": 1}\n<!-- 12 ms -->', {"a": 1}),
        (b'{"a": 1}{"a": 2}', {"a": 1}),
        (b")]}',\n" + b'{"a": 1}', {"a": 1}),
        (b'while(1);{"a": 1}', {"a": 1}),
        (b'for (;;); {"a": 1}', {"a": 1}),
        (b'{"x": ' + b"[" * 3000 + b'"]"' + b"]" * 3000 + b', "a": 1}', {"a": 1}),
        (b'{"x": ' + b'{"]": ' * 3000 + b'"\\"{"' + b"}" * 3000 + b', "a": 1}', {"a": 1}),
        (b'{"x": ' + b"[" * 3000 + b'"\\"' * 3000, None),
        (b"a=b&scope=x y&c=d", {"a": "b", "scope": "x y", "c": "d"}),
        (b"a=b&u=M\xfcller", {"a": "b", "u": "Müller"}),
        (b"[" * 200_000, None),
        (b"&".join([b"a=b"] * 2000), None),
    ],
)
def test_document_is_a_json_object_or_a_form(
    content: bytes, document: dict[str, Any] | None
) -> None:
    found = document_of(content)
    if found is not None and document is not None:
        # How much of it is read depends on the Python.
        found.pop("x", None)
    assert found == document


@given(st.binary())
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    document = document_of(content)
    assert document is None or isinstance(document, dict)


_TEXT = st.text(max_size=20)
_JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | _TEXT
    | st.lists(_TEXT, max_size=2)
    | st.dictionaries(_TEXT, _TEXT, max_size=2)
)


@given(st.dictionaries(st.sampled_from(["access_token", "expires_in", "scope"]), _JSON))
def test_any_fields_are_read_without_an_error(values: dict[str, Any]) -> None:
    document = document_of(json.dumps(values).encode())
    assert document is not None
    for expiry_format in ("seconds", "milliseconds", "epoch", "iso8601"):
        found = token_in(document, client(expiry_format=expiry_format), sent_at=SENT_AT)
        assert found is None or found.expires_in is None or 0 <= found.expires_in <= TEN_YEARS


def test_repr_shows_no_token() -> None:
    shown = repr(read({"access_token": "planted-at", "refresh_token": "planted-rt"}))
    assert "planted" not in shown


def test_access_token_that_no_header_could_carry_is_a_provider_error() -> None:
    assert read({"access_token": "t" * LONGEST_TOKEN}).access_token == "t" * LONGEST_TOKEN
    with pytest.raises(TokenFailed, match="token is longer than 32,768 characters") as caught:
        read({"access_token": "t" * (LONGEST_TOKEN + 1)})
    assert (caught.value.symptom, caught.value.permanent) == (Symptom.PROVIDER_ERROR, False)


@pytest.mark.parametrize(
    ("value", "unusable"),
    [
        ("t" * LONGEST_TOKEN, ""),
        ("t" * (LONGEST_TOKEN + 1), "longer than 32,768 characters"),
        (12345678, "no text that a request could carry"),
        ("r\x00", "no text that a request could carry"),
        (None, ""),
        (" ", ""),
    ],
)
def test_access_token_is_good_whatever_the_refresh_token_is(value: object, unusable: str) -> None:
    found = read({"refresh_token": value})
    assert (found.access_token, found.unusable) == ("at", unusable)
    assert (found.refresh_token is None) is (bool(unusable) or not str(value or "").strip())


def long_token(seed: int, letters: str, length: int) -> str:
    numbers = (n * n % 99991 for n in range(seed, seed + length))
    return "".join(letters[number % len(letters)] for number in numbers)


def test_long_tokens_beside_a_long_scope_cost_no_time() -> None:
    letters = "!#$&'()*+,/:;<=>?@[]^{|}"
    tokens = [long_token(seed, letters, LONGEST_TOKEN) for seed in (3, 5, 7, 9)]
    names = [f"s{n:03d}{'q' * 13}" for n in range(200)]
    document = {"access_token": tokens[0], "refresh_token": tokens[1], "scope": " ".join(names)}
    started = time.thread_time()
    for _ in range(4):
        found = read(document, hidden=tuple(tokens[2:]), scope=names[7])
    # A twentieth of it is usual.
    assert time.thread_time() - started < 1
    assert (found.refresh_token, found.scope) == (tokens[1], names[7])


def test_ordinary_tokens_are_compared_with_a_scope_in_few_steps() -> None:
    document = {
        "access_token": long_token(3, "abcdefghijklmnopqrstuvwxyz0123456789-_", 1500),
        "refresh_token": long_token(5, "abcdefghijklmnopqrstuvwxyz0123456789-_", 1500),
        "scope": " ".join(f"https://a.example/auth/{n}" for n in range(20)),
    }
    profile = cProfile.Profile()
    found = profile.runcall(read, document, hidden=("stored-elsewhere",))
    assert found.scope == document["scope"]
    # Ten thousand of them come due in a minute.
    assert sum(entry.callcount for entry in profile.getstats()) < 4000
