"""Where requests may go. Operators widen it; tenants never do.

Addresses aren't named in a refusal: who types host names must not learn what internal ones resolve to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from authconfigs.errors import PolicyRefused
from authconfigs.transport.addresses import Address, Network, is_allowed, is_public, judged_as
from authconfigs.transport.target import Target, split_url

_WELL_KNOWN_PORTS = frozenset({80, 443})
# Databases, remote control, container daemons, mail and chat: what answers there is no web API, and
# some of them take orders from the bytes of an HTTP request.
_DENIED_PORTS = frozenset(
    {1433, 1521, 2049, 2375, 2376, 3306, 3389, 5432, 5900, 5985, 6000, 6379, 6667, 11211, 27017}
)
_LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True)
class NetworkPolicy:
    """Public unicast space over https://, and the networks that the operator adds to it."""

    allow_networks: tuple[Network, ...] = ()

    def judge(
        self, target: Target, addresses: Iterable[str], *, protected: bool, credential: bool
    ) -> None:
        """Refuse unless every address that the name resolved to may be connected.

        `protected`: the environment is; `credential`: the request carries one. Raises PolicyRefused.
        """
        judged = [judged_as(address) for address in addresses]
        if not judged:
            raise PolicyRefused(f"The name {target.host} has no address.")
        allowed = [is_allowed(address, self.allow_networks) for address in judged]
        for address, is_listed in zip(judged, allowed, strict=True):
            if not is_listed and not is_public(address):
                raise PolicyRefused(
                    f"{target.host} leads to an address that isn't public, and the operator of this"
                    " console hasn't allowed its network."
                )
        if not all(allowed):
            _judge_port(target)
            if target.scheme == "http":
                raise PolicyRefused(
                    f"http:// isn't used for {target.host}: without encryption only the networks"
                    " that the operator of this console allows are called. Use https://."
                )
        elif target.scheme == "http" and protected and credential and not _are_loopback(judged):
            raise _unencrypted_in_protected(target)


def check_url(url: str, *, protected: bool, credential: bool, policy: NetworkPolicy) -> Target:
    """What the policy can say before the name is looked up; the addresses are judged where they are connected.

    Returns the parts of the URL. Raises PolicyRefused, or ConfigInvalid for what isn't a URL.
    """
    target = split_url(url)
    if target.scheme == "http":
        if not policy.allow_networks:
            raise PolicyRefused(
                f"http:// isn't used for {target.host}: the operator of this console allows no"
                " network without encryption. Use https://."
            )
        if protected and credential and not _reaches_loopback(policy.allow_networks):
            raise _unencrypted_in_protected(target)
    return target


def _judge_port(target: Target) -> None:
    port = target.port
    if port not in _WELL_KNOWN_PORTS and (port < 1024 or port in _DENIED_PORTS):
        raise PolicyRefused(
            f"Port {port} isn't called on public addresses. Use 443 or a port from 1024 on that"
            " isn't reserved for another protocol."
        )


def _are_loopback(addresses: Iterable[Address]) -> bool:
    return all(any(address in network for network in _LOOPBACK) for address in addresses)


def _reaches_loopback(networks: tuple[Network, ...]) -> bool:
    return any(
        network.version == loopback.version and network.overlaps(loopback)
        for network in networks
        for loopback in _LOOPBACK
    )


def _unencrypted_in_protected(target: Target) -> PolicyRefused:
    return PolicyRefused(
        f"A credential isn't sent to {target.host} over http://: a protected environment asks for"
        " https://, except on this machine itself."
    )
