"""Takes a URL apart, once: what is checked here is what gets connected and sent."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address

import idna

from authconfigs.errors import ConfigInvalid, PolicyRefused

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)", re.I)
_AUTHORITY = re.compile(
    r"(?:\[(?P<literal>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>\d*))?", re.I
)
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `path` is the request target: path and query, byte for byte; not in the repr."""

    scheme: str
    host: str
    port: int
    path: str

    def __repr__(self) -> str:
        return f"Target({self.scheme}://{self.authority})"

    @property
    def authority(self) -> str:
        """What stands in a Host header (RFC 9110 §7.2): no default port, no dot at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host.rstrip(".")
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def split_url(url: str) -> Target:
    """Scheme, host, port and request target of an absolute http(s) URL.

    Raises PolicyRefused for another scheme or a user name in it, ConfigInvalid for what can't be requested at all.
    """
    parts = _URL.fullmatch(url.partition("#")[0])
    if parts is None:
        raise ConfigInvalid("The URL isn't a complete address such as https://api.example.com/v1.")
    scheme = parts["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        raise PolicyRefused("Only https:// and http:// addresses are called.")
    if "@" in parts["authority"]:
        raise PolicyRefused("A URL with a user name or password in it isn't called.")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise ConfigInvalid("The host of the URL isn't valid.")
    port = int(authority["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise ConfigInvalid("The port of the URL isn't between 1 and 65535.")
    path = parts["rest"] if parts["rest"].startswith("/") else "/" + parts["rest"]
    if _NOT_IN_A_TARGET.search(path):
        raise ConfigInvalid("The path of the URL has characters that must be percent-encoded.")
    return Target(scheme, _host(authority["literal"], authority["name"]), port=port, path=path)


def _host(literal: str | None, name: str | None) -> str:
    """The host in lower-case ASCII; IPv6 without brackets."""
    try:
        if literal is not None:
            return IPv6Address(literal).compressed
        assert name is not None  # noqa: S101 - the pattern has no third branch
        host = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except ValueError:
        host = ""
    if not _NAME.fullmatch(host) or len(host) > 254:
        raise ConfigInvalid("The host of the URL isn't valid.")
    return host
