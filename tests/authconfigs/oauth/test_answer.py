"""What is read from a token answer, oddities included."""

import json
from datetime import UTC, datetime
from typing import Any

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
        ("a\x00b", "ab"),
    ],
)
def test_scope_is_kept_as_it_was_given(value: object, scope: str | None) -> None:
    assert read({"scope": value}).scope == scope


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
        (b"[" * 200_000, None),
        (b"&".join([b"a=b"] * 2000), None),
    ],
)
def test_document_is_a_json_object_or_a_form(
    content: bytes, document: dict[str, Any] | None
) -> None:
    assert document_of(content) == document


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


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_token_that_no_header_could_carry_is_a_provider_error(name: str) -> None:
    assert getattr(read({name: "t" * LONGEST_TOKEN}), name) == "t" * LONGEST_TOKEN
    with pytest.raises(TokenFailed, match="The token is longer than 32,768 characters") as caught:
        read({name: "t" * (LONGEST_TOKEN + 1)})
    assert (caught.value.symptom, caught.value.permanent) == (Symptom.PROVIDER_ERROR, False)
