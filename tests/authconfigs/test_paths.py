import posixpath
import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs.outgoing import origin_of
from authconfigs.paths import join_path

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
        ("https://bücher.example/é", "/ü", "https://bücher.example/%C3%A9/%C3%BC"),
        (f"{BASE}//", "/a", f"{BASE}/a"),
        (BASE, "?", f"{BASE}?"),
        (BASE, "/a;v=1,2@x:y/!$&'()*+=", f"{BASE}/a;v=1,2@x:y/!$&'()*+="),
        (BASE, "/a?b=//c&d=../..&e=\t", f"{BASE}/a?b=//c&d=../..&e=%09"),
        (BASE, "/...", f"{BASE}/..."),
        (BASE, "/..a;/b/..;v/%252e%252e;", f"{BASE}/..a;/b/..;v/%252e%252e;"),
        (BASE, "/a%252fb", f"{BASE}/a%252fb"),
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
        "/a\u3000b",
        "/a\x85",
        "/a\x7f",
        "/a\ud800",
        "/a?\ud800",
        "/a//../../b",
        "/..;/x",
        "/..;v=1/x",
        "/..%3b/x",
        "/a/..;/.;/;/../x",
        "/a%2fb/../../x",
        "/%252e%252e/x",
        "/%252E./x",
        "/%25%32%65%252e%252fx",
        "/a/..%252f..%255cx",
        "/.%25252e;/x",
    ],
)
def test_path_that_is_not_below_the_base_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        join_path(BASE, path)


@given(st.one_of(st.text(max_size=40), st.text("/.%2eEfF5c?#\\a:@; ", max_size=20)))
def test_joined_path_never_leaves_the_base(path: str) -> None:
    try:
        url = join_path(BASE, path)
    except ValueError:
        return
    assert url.isascii()
    assert origin_of(url) == "https://api.example.com"
    sent = urlsplit(url).path
    for plain in (sent, unquote(sent), unquote(unquote(sent))):
        # As a server may read it: escapes undone, what is behind semicolons away, dot segments resolved.
        read = posixpath.normpath(re.sub("(?<=/)([.]*);[^/]*", r"\1", plain.replace("\\", "/")))
        assert read == "/v1" or read.startswith("/v1/")


@given(st.text(max_size=40))
def test_error_quotes_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="path") as caught:
        join_path(BASE, f"canary{text}")
    assert "canary" not in str(caught.value)
