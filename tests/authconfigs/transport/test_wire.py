"""The very bytes of a request."""

from typing import Any

import pytest

from authconfigs.errors import ConfigInvalid
from authconfigs.outgoing import OutgoingRequest
from tests.authconfigs.transport.factories import get, make_door, send
from tests.servers.raw import ReceivedRequest, serve
from tests.servers.scripts import answer


def received(request: OutgoingRequest) -> ReceivedRequest:
    """What a server gets of a request to another address of its own."""
    with serve(answer()) as server:
        url = request.url.replace("http://server", server.url("").rstrip("/"))
        send(make_door(), OutgoingRequest(request.method, url, request.headers, request.body))
        return server.requests[0]


def test_a_get_carries_no_header_but_what_http_needs() -> None:
    request = received(get("http://server/"))
    assert request.headers == [
        ("Host", request.header("Host")),
        ("User-Agent", b"outbound-auth-console"),
        ("Accept", b"*/*"),
        ("Accept-Encoding", b"gzip, deflate"),
        ("Connection", b"keep-alive"),
    ]
    assert request.body == b""


def test_a_body_gets_its_length_and_no_type() -> None:
    request = received(OutgoingRequest("POST", "http://server/", body='{"ü": 1}'.encode()))
    assert request.header("Content-Length") == b"9"
    assert request.header("Content-Type") is None
    assert request.body == '{"ü": 1}'.encode()


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("POST", None, b"0"),
        ("PUT", None, b"0"),
        ("PATCH", b"", b"0"),
        ("GET", b"", b"0"),
        ("GET", None, None),
        ("DELETE", None, None),
        ("HEAD", None, None),
    ],
)
def test_the_length_of_no_body(method: str, body: bytes | None, length: bytes | None) -> None:
    request = received(OutgoingRequest(method, "http://server/", body=body))
    assert request.header("Content-Length") == length
    assert request.header("Transfer-Encoding") is None


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/%7Euser/%c3%bc/%2f%2F/a;b=c/./../x//y",
        "/p?q=%zz&a[b]=c|d&e={f}&g=\"h\"&i='j'&k^l&empty=&=v&&x=a+b%20c?d/e@f:g",
        "/?key=%41&key=A",
        "/\\back",
    ],
)
def test_path_and_query_go_out_byte_for_byte(target: str) -> None:
    assert received(get(f"http://server{target}")).target == target


def test_a_url_without_path_asks_for_the_root_and_a_fragment_stays_here() -> None:
    assert received(get("http://server")).target == "/"
    assert received(get("http://server?a=1#part")).target == "/?a=1"


def test_given_headers_keep_order_name_and_repetition() -> None:
    given = (
        ("x-b", "1"),
        ("X-A", "2"),
        ("x-b", "3"),
        ("Accept", "text/plain"),
        ("user-agent", "me"),
    )
    request = received(get("http://server/", headers=given))
    assert [
        pair for pair in request.headers if pair[0] in {"x-b", "X-A", "Accept", "user-agent"}
    ] == [(name, value.encode()) for name, value in given]
    names = [name.lower() for name, _ in request.headers]
    assert names.count("accept") == names.count("user-agent") == 1


def test_header_values_outside_ascii_go_out_as_utf8() -> None:
    request = received(get("http://server/", headers=(("X-Key", "schlüssel€"), ("X-Empty", ""))))
    assert request.header("X-Key") == "schlüssel€".encode()
    assert request.header("X-Empty") == b""


@pytest.mark.parametrize("method", ["PROPFIND", "patch", "QUERY"])
def test_any_method_goes_out_as_written(method: str) -> None:
    assert received(OutgoingRequest(method, "http://server/")).line == f"{method} / HTTP/1.1"


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": (("X-Key", "s3cret\r\nX-Evil: 1"),)},
        {"headers": (("X-Key", "s3cret\r\n folded"),)},
        {"headers": (("X-Key", "s3cret\n"),)},
        {"headers": (("X-Key", "s3cret\x00"),)},
        {"headers": (("X-Key", "s3cret\x7f"),)},
        {"headers": (("X-Key: s3cret\r\nX-Evil", "1"),)},
        {"headers": (("X Key", "1"),)},
        {"headers": (("", "1"),)},
        {"headers": (("Schlüssel", "1"),)},
        {"headers": (("Host", "other.example"),)},
        {"headers": (("content-length", "5"),)},
        {"headers": (("Transfer-Encoding", "chunked"),)},
        {"headers": (("Connection", "close"),)},
        {"method": "GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET"},
        {"method": "G ET"},
        {"method": ""},
        {"method": "CONNECT"},
        {"path": "/a\r\nX-Evil: 1"},
        {"path": "/a b"},
    ],
)
def test_what_would_break_out_of_a_request_is_refused_unsent(fields: dict[str, Any]) -> None:
    with serve(answer()) as server:
        request = OutgoingRequest(
            fields.get("method", "GET"),
            server.url(fields.get("path", "/")),
            headers=fields.get("headers", ()),
        )
        with pytest.raises(ConfigInvalid) as caught:
            send(make_door(), request)
        assert server.connections == 0
    assert "s3cret" not in str(caught.value)
