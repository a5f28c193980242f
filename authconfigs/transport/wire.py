"""The bytes of a request: what was given, and no header of our own but those that HTTP needs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from authconfigs.errors import ConfigInvalid
from authconfigs.transport.target import Target

USER_AGENT = "outbound-auth-console"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# Framing, and the connection itself: only we know them.
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_WITHOUT_BODY_LENGTH = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"})
# Asking twice changes nothing (RFC 9110 §9.2.1), so they may be repeated where an old connection broke.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request that is ready to go out. Its repr shows neither headers, body nor query."""

    method: str
    target: Target
    headers: tuple[tuple[str, bytes], ...]
    body: bytes | None

    def __repr__(self) -> str:
        return f"WireRequest({self.method} {self.target!r})"

    def with_headers(self, headers: tuple[tuple[str, bytes], ...]) -> "WireRequest":
        return replace(self, headers=self.headers + headers)

    @property
    def is_safe(self) -> bool:
        return self.method in _SAFE


def wire_request(
    method: str,
    target: Target,
    *,
    headers: Iterable[tuple[str, str | bytes]],
    body: bytes | None,
) -> WireRequest:
    """The request with its complete headers, values as UTF-8.

    Raises ConfigInvalid for what a header can't carry, naming the header and never its value.
    """
    if not _TOKEN.fullmatch(method) or method == "CONNECT":
        raise ConfigInvalid("The method of the request isn't an HTTP method.")
    given = tuple(_checked(headers))
    names = {name.lower() for name, _ in given}
    complete = (
        ("Host", target.authority.encode("ascii")),
        *((name, value) for name, value in _DEFAULTS if name.lower() not in names),
        ("Connection", b"keep-alive"),
        *given,
    )
    if body is not None or method not in _WITHOUT_BODY_LENGTH:
        complete += (("Content-Length", b"%d" % len(body or b"")),)
    return WireRequest(method, target, headers=complete, body=body)


_DEFAULTS = (
    ("User-Agent", USER_AGENT.encode("ascii")),
    ("Accept", b"*/*"),
    ("Accept-Encoding", b"gzip, deflate"),
)


def _checked(headers: Iterable[tuple[str, str | bytes]]) -> Iterator[tuple[str, bytes]]:
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise ConfigInvalid("The name of a header has characters that a header can't carry.")
        if name.lower() in _OURS:
            raise ConfigInvalid(f"The header {name} belongs to the connection and can't be set.")
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        if _CONTROL.search(data):
            raise ConfigInvalid(f"The value of the header {name} has control characters.")
        yield name, data
