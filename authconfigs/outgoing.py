"""A request as it goes out: one frozen value, built by one function, for call, test and preview alike.

Only the transport turns it into bytes. It knows which of its headers and parameters are credential, so that it can be
shown and kept without them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote_plus

from authconfigs.errors import ConfigInvalid, OutboundError
from authconfigs.paths import UNSENDABLE, before_path, join_path

DOTS = "••••"
# RFC 9110 §5.6.2.
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# What frames a message or belongs to the one connection (RFC 9110 §7.6.1, RFC 9112).
RESERVED_HEADERS = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)

Query = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class OutgoingRequest:
    """A request to an absolute http(s) URL, percent-encoded as it goes out.

    `credential_headers` are lower-case names, `credential_params` names as they are before encoding. `prefixes` tells what
    stands before the credential in a header. `dropped` names the caller's headers and parameters that it displaced.
    """

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    credential_headers: frozenset[str] = frozenset()
    credential_params: frozenset[str] = frozenset()
    prefixes: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()

    def with_credential_header(
        self, name: str, value: str, *, prefix: str = ""
    ) -> "OutgoingRequest":
        """The same with this header, `prefix` and a blank before the value, in place of any of that name.

        Names are compared without regard to case (RFC 9110 §5.1). Raises ConfigInvalid for what a header can't carry.
        """
        sent = _prefixed(prefix, value)
        try:
            refuse_bad_header(name, sent)
        except ValueError as error:
            raise ConfigInvalid(str(error)) from None
        lower = name.lower()
        return replace(
            self,
            headers=(*(pair for pair in self.headers if pair[0].lower() != lower), (name, sent)),
            credential_headers=self.credential_headers | {lower},
            prefixes=(*self.prefixes, (lower, prefix)),
            dropped=self.dropped + tuple(n for n, _ in self.headers if n.lower() == lower),
        )

    def with_credential_param(self, name: str, value: str) -> "OutgoingRequest":
        """The same with this parameter at the end of the query (RFC 3986 §2.1), in place of any of that name.

        The rest of the query keeps its bytes and order. Raises ConfigInvalid for what isn't text of one line.
        """
        if UNSENDABLE.search(name + value):
            raise ConfigInvalid(
                "The query parameter of the credential has a control character: type name and value again, without."
            )
        bare, pairs, fragment = _split(self.url)
        gone = [known for known in map(_name, pairs) if known.lower() == name.lower()]
        kept = [pair for pair in pairs if _name(pair).lower() != name.lower()]
        kept.append(f"{quote(name, safe='')}={quote(value, safe='')}")
        return replace(
            self,
            url=f"{bare}?{'&'.join(kept)}{fragment}",
            credential_params=self.credential_params | {name},
            dropped=self.dropped + tuple(gone),
        )

    @property
    def credentials(self) -> tuple[str, ...]:
        """What has to be masked wherever somebody reflects it: without the prefix, decoded."""
        pairs = filter(self._is_credential, _split(self.url)[1])
        return (
            *(
                value.removeprefix(_prefixed(self._prefix(name), ""))
                for name, value in self.headers
                if name.lower() in self.credential_headers
            ),
            *(unquote_plus(pair.partition("=")[2]) for pair in pairs),
        )

    def masked(self) -> "OutgoingRequest":
        """The same with dots for every credential; what stands before it, such as `Bearer`, stays readable."""
        headers = tuple(
            (name, _prefixed(self._prefix(name), DOTS))
            if name.lower() in self.credential_headers
            else (name, value)
            for name, value in self.headers
        )
        bare, pairs, fragment = _split(self.url)
        shown = (f"{p.partition('=')[0]}={DOTS}" if self._is_credential(p) else p for p in pairs)
        query = f"?{'&'.join(shown)}" if pairs else ""
        return replace(self, headers=headers, url=f"{bare}{query}{fragment}")

    def _prefix(self, name: str) -> str:
        return dict(self.prefixes).get(name.lower(), "")

    def _is_credential(self, pair: str) -> bool:
        return _name(pair).lower() in {name.lower() for name in self.credential_params}


def _prefixed(prefix: str, value: str) -> str:
    return f"{prefix} {value}" if prefix else value


def _split(url: str) -> tuple[str, list[str], str]:
    """What is before the query, its pairs as they are written, and the fragment with its mark."""
    # Not urlsplit, which changes what it takes apart.
    whole, mark, fragment = url.partition("#")
    bare, _, query = whole.partition("?")
    return bare, query.split("&") if query else [], mark + fragment


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])


def build_request(
    method: str,
    base_url: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    query: Query | None = None,
    extra_headers: Sequence[tuple[str, str]] = (),
    body: bytes | None = None,
) -> OutgoingRequest:
    """The request without its credential.

    `headers` and `query` are what the integration sends always; a header in `extra_headers`, or a parameter in the path's own
    query, replaces the one of that name. Raises ValueError for a path, method or header that can't be sent.
    """
    if not TOKEN.fullmatch(method) or method.upper() == "CONNECT":
        raise ValueError(
            "The method isn't one that a request to an API has: choose another, such as GET."
        )
    named = {name.lower() for name, _ in extra_headers}
    standing = ((n, v) for n, v in (headers or {}).items() if n.lower() not in named)
    sent = (*standing, *extra_headers)
    for name, value in sent:
        refuse_bad_header(name, value)
    url = _with_defaults(join_path(base_url, path), query or {})
    return OutgoingRequest(method.upper(), url, sent, body)


def _with_defaults(url: str, query: Query) -> str:
    bare, pairs, fragment = _split(url)
    named = set(map(_name, pairs))
    more = [
        f"{quote(name, safe='')}={quote(each, safe='')}"
        for name, value in query.items()
        if name not in named
        for each in ([value] if isinstance(value, str) else value)
    ]
    return f"{bare}?{'&'.join([*pairs, *more])}{fragment}" if more else url


def refuse_bad_header(name: str, value: str) -> None:
    """Raises ValueError for a name or value that a header can't carry (RFC 9110 §5.1, §5.5), or that isn't ours to set."""
    if not TOKEN.fullmatch(name):
        raise ValueError(
            "A header name has letters, digits and hyphens, and no blank or colon: write it as in X-Region."
        )
    if name.lower() in RESERVED_HEADERS:
        raise ValueError(f"The header {name} is set by the connection itself: leave it out.")
    if UNSENDABLE.search(value.replace("\t", " ")):
        raise ValueError(
            f"The header {name} has a control character, such as a line break: type it without."
        )


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute URL (RFC 6454), as the transport reads it; a default port is left out.

    Raises ValueError when it isn't an address that could be called.
    """
    # Here, because the transport is built on this module. Two readings of one URL would be two hosts.
    from authconfigs.transport.target import split_url

    try:
        target = split_url(before_path(url))
    except OutboundError as error:
        raise ValueError(error.summary) from None
    return f"{target.scheme}://{target.authority}"


def as_text(
    method: str, url: str, headers: Iterable[Sequence[str]], *, body: str | None = None
) -> str:
    """A request as HTTP shows it. What is passed in is masked already."""
    lines = [f"{method} {url}", *(f"{name}: {value}" for name, value in headers)]
    return "\n".join([*lines, *(["", body] if body else [])])
