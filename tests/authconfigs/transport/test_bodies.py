import gzip
import tracemalloc
import zlib

import pytest

from authconfigs.errors import BadAnswer, ConnectFailed, OutboundError
from authconfigs.outgoing import OutgoingRequest
from authconfigs.symptoms import Stage, Symptom
from tests.authconfigs.transport.factories import make_door, send
from tests.servers.raw import Script, serve
from tests.servers.scripts import (
    answer,
    drip_body,
    gzip_bomb,
    gzipped,
    message,
    reset_after_request,
    send_and_close,
)

TEXT = b"A text that gets shorter when it is packed, packed, packed. " * 200


def gzipped_bytes(data: bytes) -> bytes:
    # Without the time, so that the parameters of a test are always the same.
    return gzip.compress(data, mtime=0)


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzipped_bytes(TEXT)),
        ("x-gzip", gzipped_bytes(TEXT)),
        ("GZIP", gzipped_bytes(TEXT)),
        ("gzip", gzipped_bytes(TEXT[:5000]) + gzipped_bytes(TEXT[5000:])),
        ("gzip", gzipped_bytes(TEXT) + bytes(8)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", bare_deflate(TEXT)),
        ("identity", TEXT),
    ],
)
def test_the_content_encoding_is_undone(encoding: str, data: bytes) -> None:
    with serve(answer(body=data, headers=[("Content-Encoding", encoding)])) as server:
        assert send(make_door(), server.url()).content == TEXT


def test_a_chunked_answer_is_put_together() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n"
    with serve(send_and_close(chunked)) as server:
        assert send(make_door(), server.url()).content == b"abcdefg"


def test_an_answer_without_length_ends_with_the_connection() -> None:
    with serve(send_and_close(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")) as server:
        assert send(make_door(), server.url()).content == b"until the end"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_body_is_empty(status: str) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\n\r\n".encode()
    with serve(send_and_close(head)) as server:
        assert send(make_door(), server.url()).content == b""


def test_the_answer_to_head_may_announce_any_length() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nContent-Encoding: gzip\r\n\r\n"
    with serve(send_and_close(head)) as server:
        response = send(make_door(), OutgoingRequest("HEAD", server.url()), max_bytes=10)
    assert (response.status_code, response.content) == (200, b"")


def test_a_body_of_exactly_the_cap_is_read() -> None:
    with serve(answer(body=bytes(1000))) as server:
        assert len(send(make_door(), server.url(), max_bytes=1000).content) == 1000


@pytest.mark.parametrize(
    "script",
    [
        answer(body=bytes(1001)),
        gzipped(bytes(1001)),
        send_and_close(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1001)),
        send_and_close(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n" + bytes(1001)
        ),
    ],
    ids=["length", "gzip", "until the end", "chunked"],
)
def test_a_body_over_the_cap_is_an_error(script: Script) -> None:
    with serve(script) as server, pytest.raises(BadAnswer) as caught:
        send(make_door(), server.url(), max_bytes=1000)
    error = caught.value
    assert (error.symptom, error.stage, error.status) == (Symptom.PROVIDER_ERROR, Stage.API, 200)
    assert error.summary == "The answer is larger than 1,000 bytes."


@pytest.mark.parametrize(
    "script",
    [answer(body=TEXT), gzipped(TEXT), gzip_bomb(megabytes=50)],
    ids=["plain", "gzip", "bomb"],
)
def test_a_body_can_be_cut_instead_and_its_rest_is_no_later_answer(script: Script) -> None:
    with serve(script) as server:
        door = make_door()
        for _ in range(2):
            assert len(send(door, server.url(), max_bytes=100, truncate=True).content) == 100
        assert server.connections == 2


def test_an_announced_length_over_the_cap_is_refused_without_waiting_for_it() -> None:
    with serve(drip_body(pause=0.2)) as server, pytest.raises(BadAnswer):
        send(make_door(), server.url(), max_bytes=999, seconds=3)


def test_a_gzip_bomb_takes_bounded_memory() -> None:
    with serve(gzip_bomb(megabytes=500)) as server:
        tracemalloc.start()
        try:
            with pytest.raises(BadAnswer):
                send(make_door(), server.url(), max_bytes=2**20)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8 * 2**20


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", b"this isn't gzip"),
        ("gzip", gzipped_bytes(TEXT)[:-20]),
        ("deflate", zlib.compress(TEXT)[:-20]),
        ("deflate", b"x\x9cgarbage"),
        ("br", b"whatever"),
        ("gzip, gzip", gzipped_bytes(gzipped_bytes(TEXT))),
    ],
)
def test_a_broken_or_unasked_encoding_is_an_error(encoding: str, data: bytes) -> None:
    script = answer(body=data, headers=[("Content-Encoding", encoding)])
    with serve(script) as server, pytest.raises(BadAnswer) as caught:
        send(make_door(), server.url())
    assert caught.value.status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnumber\r\nshort",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nshort",
        *(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + size
            + b"\r\nhello\r\n0\r\n\r\n"
            for size in (b"-5", b"-1", b"-0xA", b"", b"f" * 16, b"f" * 5000, b"\xff")
        ),
    ],
)
def test_an_answer_that_breaks_the_protocol_is_a_provider_error(data: bytes) -> None:
    with serve(send_and_close(data)) as server, pytest.raises(BadAnswer) as caught:
        send(make_door(), server.url())
    assert (caught.value.symptom, caught.value.stage) == (Symptom.PROVIDER_ERROR, Stage.API)
    assert not caught.value.permanent


@pytest.mark.parametrize("script", [reset_after_request(), send_and_close(b"")])
def test_a_connection_that_breaks_without_answer_is_a_network_failure(script: Script) -> None:
    with serve(script) as server:
        with pytest.raises(OutboundError) as caught:
            send(make_door(), server.url())
        assert server.connections == 1
    assert isinstance(caught.value, ConnectFailed)
    assert (caught.value.symptom, caught.value.stage) == (Symptom.NETWORK, Stage.API)


def test_the_response_is_what_users_of_requests_know() -> None:
    headers = [
        ("Content-Type", "application/json"),
        ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2"),
        ("X-Many", "one"),
        ("x-many", "two"),
        ("X-Folded", "first\r\n\tsecond"),
    ]
    data = message("418 I'm a teapot", b'{"a": "\xc3\xbc"}', headers=headers)
    with serve(send_and_close(data)) as server:
        response = send(make_door(), server.url("/x?y=z"))
    assert (response.status_code, response.reason, response.ok) == (418, "I'm a teapot", False)
    assert response.json() == {"a": "ü"}
    assert response.headers["x-many"] == "one, two"
    assert response.headers["X-Folded"] == "first second"
    assert response.raw.headers.getlist("set-cookie") == ["a=1; Path=/", "b=2"]
    assert response.url == server.url("/x?y=z")
    assert response.request.method == "GET"
    assert 0 < response.elapsed.total_seconds() < 5
    assert b"".join(response.iter_content(3)) == response.content
    response.close()
