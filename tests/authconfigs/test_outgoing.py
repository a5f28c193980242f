from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs.outgoing import OutgoingRequest, build_request, join_path, origin_of

BASE = "https://api.example.com/v1"


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        (BASE, "", BASE),
        (f"{BASE}/", "", f"{BASE}/"),
        (BASE, "/invoices", f"{BASE}/invoices"),
        (f"{BASE}/", "/invoices", f"{BASE}/invoices"),
        (BASE, "?page=2", f"{BASE}?page=2"),
        (BASE, "/a?b=c&b=d", f"{BASE}/a?b=c&b=d"),
        (BASE, "/caf%C3%A9/é", f"{BASE}/caf%C3%A9/%C3%A9"),
        (BASE, "/a/../b/./c", f"{BASE}/a/../b/./c"),
        (BASE, "/a?next=https://x.example/../y\\z", f"{BASE}/a?next=https://x.example/../y\\z"),
        (BASE, "/100%", f"{BASE}/100%"),
        (BASE, "/a//b", f"{BASE}/a//b"),
        (BASE, "/x?q=a b#c", f"{BASE}/x?q=a%20b%23c"),
        ("https://api.example.com", "/", "https://api.example.com/"),
    ],
)
def test_path_is_joined_as_written(base: str, path: str, url: str) -> None:
    assert join_path(base, path) == url


@pytest.mark.parametrize(
    "path",
    [
        "invoices",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\",
        "/a b",
        "/a\tb",
        "/a\r\nX: y",
        "/a\x00",
        "/..",
        "/a/../../b",
        "/%2e%2e/b",
        "/%2E./b",
        "/a/..%2f../b",
        "/..%5cb",
        "/a#b",
    ],
)
def test_path_that_is_not_below_the_base_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        join_path(BASE, path)


@given(st.text(max_size=40))
def test_joined_path_never_leaves_the_origin(path: str) -> None:
    try:
        url = join_path(BASE, path)
    except ValueError:
        return
    assert origin_of(url) == "https://api.example.com"
    assert urlsplit(url).path.startswith("/v1")
    assert url.isascii()


@given(name=st.text(min_size=1, max_size=10), value=st.text(max_size=30))
def test_query_credential_keeps_the_rest_byte_for_byte(name: str, value: str) -> None:
    request = OutgoingRequest("GET", f"{BASE}?b=%41&&a=+x&c")
    signed = request.with_credential_param(f"key-{name}", value)
    assert signed.url.startswith(f"{request.url}&key-")
    assert signed.dropped == ()


def test_credential_displaces_equal_names_and_says_so() -> None:
    request = OutgoingRequest(
        "GET", f"{BASE}?API_key=mine&x=1", (("x-api-KEY", "mine"), ("Accept", "*/*"))
    )
    signed = request.with_credential_header("X-Api-Key", "s").with_credential_param("api_key", "s")
    assert signed.headers == (("Accept", "*/*"), ("X-Api-Key", "s"))
    assert signed.url == f"{BASE}?x=1&api_key=s"
    assert signed.dropped == ("x-api-KEY", "API_key")


def test_masked_request_shows_scheme_and_names_only() -> None:
    request = OutgoingRequest("GET", f"{BASE}?x=1")
    signed = request.with_credential_header("Authorization", "Bearer abc").with_credential_param(
        "k", "abc"
    )
    masked = signed.masked()
    assert masked.headers == (("Authorization", "Bearer ••••"),)
    assert masked.url == f"{BASE}?x=1&k=••••"


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


def test_method_that_is_no_word_is_refused() -> None:
    with pytest.raises(ValueError, match="method"):
        build_request("GET /", BASE, "")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.Example.com:443/x?y", "https://api.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://bücher.example./", "https://xn--bcher-kva.example"),
    ],
)
def test_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["example.com", "ftp://a.example", "https://", "https://a.example:x"]
)
def test_what_has_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL|[Pp]ort"):
        origin_of(url)
