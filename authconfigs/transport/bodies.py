"""Reads an answer's body: decoded, complete, and never more of it than asked for in memory."""

import zlib
from http.client import HTTPResponse

from authconfigs.errors import BadAnswer

_CHUNK = 65536
_GZIP = zlib.MAX_WBITS | 16


def read_body(answer: HTTPResponse, *, max_bytes: int, truncate: bool = False) -> bytes:
    """The body without its content encoding.

    `max_bytes` counts decoded bytes; a longer body is cut there with `truncate`, else refused. Raises BadAnswer, and what
    reading from the connection raises. After a cut or an error the connection holds unread bytes: `answer.isclosed()` is False.
    """
    inflate = _inflater(answer)
    if inflate is None and not truncate and (answer.length or 0) > max_bytes:
        raise _too_big(answer, max_bytes)
    body = bytearray()
    while chunk := answer.read(min(_CHUNK, max_bytes + 1)):
        body += inflate.feed(chunk, max_bytes + 1 - len(body)) if inflate else chunk
        if len(body) > max_bytes:
            if truncate:
                return bytes(body[:max_bytes])
            raise _too_big(answer, max_bytes)
    if answer.length or (inflate and not inflate.is_complete):
        raise BadAnswer(
            "The answer broke off: less of it came than was announced.", status=answer.status
        )
    return bytes(body)


def _too_big(answer: HTTPResponse, max_bytes: int) -> BadAnswer:
    return BadAnswer(f"The answer is larger than {max_bytes:,} bytes.", status=answer.status)


class _Inflater:
    """gzip (RFC 1952, also in several members), or deflate with or without its zlib frame."""

    def __init__(self, encoding: str, status: int) -> None:
        self._is_gzip = encoding != "deflate"
        self._status = status
        self._stream: zlib._Decompress | None = None

    @property
    def is_complete(self) -> bool:
        return self._stream is None or self._stream.eof

    def feed(self, data: bytes, limit: int) -> bytes:
        """What the data decode to, at most `limit` bytes."""
        out = b""
        while data and len(out) < limit:
            if self._stream is None:
                self._stream = zlib.decompressobj(_GZIP if self._is_gzip else _window_of(data))
            elif self._stream.eof:
                if not (self._is_gzip and data.startswith(b"\x1f\x8b")):
                    break  # padding after the end
                self._stream = zlib.decompressobj(_GZIP)
            try:
                out += self._stream.decompress(data, limit - len(out))
            except zlib.error:
                raise BadAnswer(
                    "The answer's content encoding is broken.", status=self._status
                ) from None
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return out


def _window_of(data: bytes) -> int:
    """zlib's frame, as the standard says, or the bare stream that some servers send (RFC 9110 §8.4.1.2)."""
    is_framed = len(data) > 1 and data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return zlib.MAX_WBITS if is_framed else -zlib.MAX_WBITS


def _inflater(answer: HTTPResponse) -> _Inflater | None:
    encoding = (answer.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding in {"identity", ""}:
        return None
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _Inflater(encoding, answer.status)
    raise BadAnswer(
        "The answer has a content encoding that wasn't asked for; gzip and deflate are.",
        status=answer.status,
    )
