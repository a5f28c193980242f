"""A request as it goes out: one frozen value, built by one function, for call, test and preview alike.

Only the transport turns it into bytes. It knows which of its headers and parameters are credential, so that it can be
shown and kept without them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

import idna

DOTS = "••••"
# RFC 3986 §2.2 and §2.3: what may stand in a path or query as it is, and the escapes that are there already.
_AS_WRITTEN = "!$&'()*+,;=:@/?%[]|^`{}\"<>~-._"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DEFAULT_PORTS = {"http": 80, "https": 443}

Query = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class OutgoingRequest:
    """A request to an absolute http(s) URL, percent-encoded as it goes out.

    `credential_headers` are lower-case names, `credential_params` names as they are before encoding. `dropped` names the
    caller's headers and parameters that the credential displaced.
    """

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    credential_headers: frozenset[str] = frozenset()
    credential_params: frozenset[str] = frozenset()
    dropped: tuple[str, ...] = ()

    def with_credential_header(self, name: str, value: str) -> "OutgoingRequest":
        """The same with this header, in place of any of that name (RFC 9110 §5.1: without regard to case)."""
        lower = name.lower()
        kept = tuple(pair for pair in self.headers if pair[0].lower() != lower)
        gone = tuple(pair[0] for pair in self.headers if pair[0].lower() == lower)
        return replace(
            self,
            headers=(*kept, (name, value)),
            credential_headers=self.credential_headers | {lower},
            dropped=self.dropped + gone,
        )

    def with_credential_param(self, name: str, value: str) -> "OutgoingRequest":
        """The same with this parameter at the end of the query; the rest keeps its bytes and order."""
        parts = urlsplit(self.url)
        kept, gone = [], []
        for pair in parts.query.split("&") if parts.query else ():
            known = unquote_plus(pair.partition("=")[0])
            if known.lower() == name.lower():
                gone.append(known)
            else:
                kept.append(pair)
        kept.append(f"{quote(name, safe='')}={quote(value, safe='')}")
        return replace(
            self,
            url=urlunsplit(parts._replace(query="&".join(kept))),
            credential_params=self.credential_params | {name},
            dropped=self.dropped + tuple(gone),
        )

    def masked(self) -> "OutgoingRequest":
        """The same with dots for every credential; a scheme such as `Bearer` stays readable."""
        headers = tuple(
            (name, _masked_value(value) if name.lower() in self.credential_headers else value)
            for name, value in self.headers
        )
        lower = {name.lower() for name in self.credential_params}
        parts = urlsplit(self.url)
        pairs = [
            f"{pair.partition('=')[0]}={DOTS}"
            if unquote_plus(pair.partition("=")[0]).lower() in lower
            else pair
            for pair in (parts.query.split("&") if parts.query else ())
        ]
        return replace(self, headers=headers, url=urlunsplit(parts._replace(query="&".join(pairs))))


def _masked_value(value: str) -> str:
    scheme, blank, rest = value.partition(" ")
    return f"{scheme} {DOTS}" if blank and rest and _TOKEN.fullmatch(scheme) else DOTS


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
    if not _TOKEN.fullmatch(method):
        raise ValueError("The method isn't a word that HTTP knows, such as GET.")
    named = {name.lower() for name, _ in extra_headers}
    standing = [(n, v) for n, v in (headers or {}).items() if n.lower() not in named]
    sent = (*standing, *extra_headers)
    for name, value in sent:
        refuse_bad_header(name, value)
    url = join_path(base_url, path)
    return OutgoingRequest(method.upper(), _with_defaults(url, query or {}), sent, body)


def refuse_bad_header(name: str, value: str) -> None:
    """Raises ValueError for a name or value that a header can't carry (RFC 9110 §5.1, §5.5)."""
    if not _TOKEN.fullmatch(name):
        raise ValueError("A header name has only letters, digits and !#$%&'*+-.^_`|~.")
    if name.lower() in RESERVED_HEADERS:
        raise ValueError(f"The header {name} is set by the connection itself: leave it out.")
    if _CONTROL.search(value.replace("\t", " ")):
        raise ValueError(f"The header {name} has a control character, such as a line break.")


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


def _with_defaults(url: str, query: Query) -> str:
    parts = urlsplit(url)
    pairs = parts.query.split("&") if parts.query else []
    named = {unquote_plus(pair.partition("=")[0]) for pair in pairs}
    for name, value in query.items():
        if name not in named:
            values = [value] if isinstance(value, str) else value
            pairs += [f"{quote(name, safe='')}={quote(each, safe='')}" for each in values]
    if not pairs:
        return url
    return f"{url.partition('?')[0]}?{'&'.join(pairs)}"


def join_path(base_url: str, path: str) -> str:
    """The URL of `path` below `base_url`, joined by exactly one slash; PATH as in the contract.

    Sent as written, what isn't ASCII percent-encoded as UTF-8. Raises ValueError for a path that isn't below the base URL or
    has what a URL can't carry; the query is not judged, blanks and control characters apart.
    """
    bare, mark, query = path.partition("?")
    if bare and not bare.startswith("/"):
        raise ValueError("The path begins with / or ?, without scheme or host.")
    if bare.startswith("//"):
        raise ValueError("The path begins with one slash, not two: two would name another host.")
    if "\\" in bare:
        raise ValueError("The path has a backslash.")
    if re.search(r"\s", bare) or _CONTROL.search(bare):
        raise ValueError("The path has a blank or a control character: write a blank as %20.")
    if "#" in bare:
        raise ValueError("The path has a fragment (#), which is never sent: write %23.")
    _refuse_leaving(bare)
    base = base_url.rstrip("/") if bare else base_url
    return base + quote(bare, safe=_AS_WRITTEN) + mark + quote(query, safe=_AS_WRITTEN + "\\")


def _refuse_leaving(path: str) -> None:
    # A server may undo escapes before it resolves dot segments.
    plain = re.sub("%2e", ".", re.sub("%2f|%5c", "/", path, flags=re.I), flags=re.I)
    depth = 0
    for segment in plain.split("/")[1:]:
        depth += {"..": -1, ".": 0, "": 0}.get(segment, 1)
        if depth < 0:
            raise ValueError("The path leaves the base URL by dot segments.")


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute URL (RFC 6454), lower case, the host as IDNA, a default port left out.

    Raises ValueError when the URL has no host or a port that is none.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not host or parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("The URL needs a scheme, http or https, and a host.")
    if not host.isascii():
        # As the transport reads it: two readings of one name would be two hosts.
        host = idna.encode(host, uts46=True).decode()
    shown = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{shown}{port}"
