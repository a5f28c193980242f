from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs.errors import ConfigInvalid, OutboundError
from authconfigs.outgoing import OutgoingRequest, build_request, origin_of
from authconfigs.transport.target import split_url

BASE = "https://api.example.com/v1"


LINES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)


@given(name=LINES, value=LINES)
def test_query_credential_keeps_the_rest_byte_for_byte(name: str, value: str) -> None:
    request = OutgoingRequest("GET", f"{BASE}?b=%41&&a=+x&c&")
    signed = request.with_credential_param(f"key-{name}", value)
    assert signed.url.startswith(f"{request.url}&key-")
    assert parse_qsl(urlsplit(signed.url).query, keep_blank_values=True)[-1] == (
        f"key-{name}",
        value,
    )
    assert signed.credentials == (value,)
    assert signed.dropped == ()


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        (BASE, f"{BASE}?k=a%2Bb"),
        (f"{BASE}?", f"{BASE}?k=a%2Bb"),
        (f"{BASE}?x=1#part", f"{BASE}?x=1&k=a%2Bb#part"),
        (f"{BASE}#part?no", f"{BASE}?k=a%2Bb#part?no"),
        (f"{BASE}?K=1&%6b=2&kk=3&k", f"{BASE}?kk=3&k=a%2Bb"),
    ],
)
def test_query_credential_comes_last_and_alone(url: str, signed: str) -> None:
    assert OutgoingRequest("GET", url).with_credential_param("k", "a+b").url == signed


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "a\x85b", "\ud800"])
def test_credential_that_can_not_be_sent_is_config_invalid(value: str) -> None:
    request = OutgoingRequest("GET", BASE)
    for sign in (request.with_credential_header, request.with_credential_param):
        with pytest.raises(ConfigInvalid) as caught:
            sign("X-Key", value)
        assert value not in str(caught.value)
    with pytest.raises(ConfigInvalid):
        request.with_credential_header("Content-Length", "7")


def test_credential_displaces_equal_names_and_says_so() -> None:
    request = OutgoingRequest(
        "GET", f"{BASE}?API_key=mine&x=1", (("x-api-KEY", "mine"), ("Accept", "*/*"))
    )
    signed = request.with_credential_header("X-Api-Key", "s").with_credential_param("api_key", "s")
    assert signed.headers == (("Accept", "*/*"), ("X-Api-Key", "s"))
    assert signed.url == f"{BASE}?x=1&api_key=s"
    assert signed.dropped == ("x-api-KEY", "API_key")


def test_masked_request_shows_prefixes_and_names_only() -> None:
    request = OutgoingRequest("GET", f"{BASE}?x=1", (("Accept", "*/*"),))
    signed = request.with_credential_header("Authorization", "abc", prefix="Bearer")
    signed = signed.with_credential_header("X-Key", "two words").with_credential_param("k y", "abc")
    masked = signed.masked()
    assert masked.headers == (
        ("Accept", "*/*"),
        ("Authorization", "Bearer ••••"),
        ("X-Key", "••••"),
    )
    assert masked.url == f"{BASE}?x=1&k%20y=••••"


def test_credentials_of_a_request_are_its_values_without_prefix() -> None:
    request = OutgoingRequest("GET", f"{BASE}?x=1", (("Accept", "*/*"),))
    signed = request.with_credential_header("Authorization", "a b", prefix="Bearer")
    assert signed.with_credential_param("k", "c d").credentials == ("a b", "c d")
    assert request.credentials == ()


def test_repr_has_neither_header_values_nor_query() -> None:
    request = OutgoingRequest("GET", f"{BASE}?k=canary", (("X-Key", "canary"),), body=b"canary")
    assert "canary" not in repr(request.with_credential_param("q", "canary"))


def test_caller_replaces_what_the_integration_sends() -> None:
    request = build_request(
        "get",
        BASE,
        "/a?page=2",
        headers={"Accept": "text/html", "X-A": "1"},
        query={"page": "1", "lang": ["de", "f r"]},
        extra_headers=(("accept", "application/json"),),
    )
    assert request.method == "GET"
    assert request.headers == (("X-A", "1"), ("accept", "application/json"))
    assert request.url == f"{BASE}/a?page=2&lang=de&lang=f%20r"


@pytest.mark.parametrize(
    ("name", "value"), [("A\nB", "x"), ("", "x"), ("Host", "x"), ("A", "x\r\ny")]
)
def test_header_that_can_not_be_sent_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        build_request("GET", BASE, "", extra_headers=((name, value),))


@pytest.mark.parametrize("method", ["", "GET /", "GÉT", "CONNECT", "connect"])
def test_method_that_no_request_has_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        build_request(method, BASE, "")


def test_standing_query_comes_after_that_of_the_path_unless_named_there() -> None:
    standing = {"a b": "1", "lang": "de"}
    assert (
        build_request("GET", BASE, "?a+b=2&x=%41", query=standing).url
        == f"{BASE}?a+b=2&x=%41&lang=de"
    )
    assert build_request("GET", BASE, "", query=standing).url == f"{BASE}?a%20b=1&lang=de"
    assert build_request("GET", BASE, "/x?").url == f"{BASE}/x?"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.Example.com:443/x?y", "https://api.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:80/", "http://[::1]"),
        ("http://[0:0::1]:81/", "http://[::1]:81"),
        ("https://bücher.example./", "https://xn--bcher-kva.example"),
        ("https://a.example/ü?x#y", "https://a.example"),
        ("HTTPS://a.example?x=https://b.example/", "https://a.example"),
    ],
)
def test_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://a.example",
        "https://",
        "https:///x",
        "https://a.example:x",
        "https://a.example:0",
        "https://me@a.example",
        "https://a.example\\@b.example",
        "https://a b.example",
    ],
)
def test_what_has_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        origin_of(url)


@given(
    st.lists(
        st.sampled_from(
            [
                "https",
                "http",
                ":",
                "/",
                "//",
                "@",
                "?",
                "#",
                "\\",
                "[",
                "]",
                "::1",
                ".",
                "a.b",
                "é",
                "80",
                "%41",
            ]
        ),
        max_size=12,
    )
)
def test_origin_is_where_the_transport_connects(parts: list[str]) -> None:
    url = "".join(parts)
    try:
        target = split_url(url)
    except OutboundError:
        return
    assert origin_of(url) == f"{target.scheme}://{target.authority}"
