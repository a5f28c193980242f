"""What a server does with a connection; pass one to serve()."""

import gzip
import zlib
from collections.abc import Callable, Iterable

from tests.servers.raw import Conversation, ReceivedRequest, Script

Headers = Iterable[tuple[str, str]]


def message(status: str, body: bytes = b"", *, headers: Headers = ()) -> bytes:
    """The bytes of an answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answer(status: str = "200 OK", body: bytes = b"ok", *, headers: Headers = ()) -> Script:
    """Answers every request the same and keeps the connection open."""
    return answer_by(lambda request: message(status, body, headers=headers))


def answer_by(choose: Callable[[ReceivedRequest], bytes]) -> Script:
    """Answers each request with the bytes that `choose` gives, and keeps the connection open."""

    def script(talk: Conversation) -> None:
        while request := talk.read_request():
            talk.send(choose(request))

    return script


def send_and_close(data: bytes) -> Script:
    """Reads one request, sends exactly these bytes and closes: garbage, half an answer, no length."""

    def script(talk: Conversation) -> None:
        if talk.read_request():
            talk.send(data)

    return script


def redirect(location: str, *, status: str = "302 Found") -> Script:
    """Answers with a redirect."""
    return answer(status, b"", headers=[("Location", location)])


def drip_headers(*, pause: float) -> Script:
    """Sends a valid answer byte by byte, with headers that take a while."""

    def script(talk: Conversation) -> None:
        if talk.read_request():
            talk.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000 + b"\r\n\r\n", pause=pause)

    return script


def drip_body(*, pause: float, chunked: bool = False) -> Script:
    """Sends its headers at once and the body byte by byte."""

    def script(talk: Conversation) -> None:
        if talk.read_request():
            if chunked:
                talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                talk.drip(b"1\r\na\r\n" * 1000, pause=pause)
            else:
                talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                talk.drip(b"a" * 1000, pause=pause)

    return script


def hang() -> Script:
    """Reads the request and never answers."""

    def script(talk: Conversation) -> None:
        talk.read_request()
        talk.server.stopped.wait(20)

    return script


def hang_before_reading() -> Script:
    """Accepts the connection and says nothing, not even TLS."""

    def script(talk: Conversation) -> None:
        talk.server.stopped.wait(20)

    return script


def reset_after_request() -> Script:
    """Reads the request, then breaks the connection with RST."""

    def script(talk: Conversation) -> None:
        if talk.read_request():
            talk.reset()

    return script


def answer_then_close(times: int = 1, *, reset: bool = False) -> Script:
    """Answers so many requests, promising to stay, and closes on the next one without an answer."""

    def script(talk: Conversation) -> None:
        for _ in range(times):
            if talk.read_request():
                talk.send(message("200 OK", b"ok"))
        if talk.read_request() and reset:
            talk.reset()

    return script


def gzip_bomb(*, megabytes: int = 1000) -> Script:
    """A small gzip answer that inflates to so many megabytes of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    megabyte = bytes(2**20)
    data = b"".join(packer.compress(megabyte) for _ in range(megabytes)) + packer.flush()
    return answer(body=data, headers=[("Content-Encoding", "gzip")])


def gzipped(body: bytes) -> Script:
    """Answers with a gzip-encoded body."""
    return answer(body=gzip.compress(body), headers=[("Content-Encoding", "gzip")])
