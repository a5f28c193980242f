"""Which IP addresses belong to the public internet, and which ones an IPv6 address stands for.

The lists are IANA's special-purpose registries (RFC 6890 and its updates), written out because those of `ipaddress` differ
between the Python versions that we run on.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# Reached only where the operator lists the very address: link-local, and what clouds answer with
# the credentials of the machine (Azure's is a public address, Alibaba's and Oracle's nearly).
_BY_NAME_ONLY: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "fe80::/10",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
    )
)

# RFC 4291 §2.5.5.2, RFC 6052 §2.1. RFC 8215 leaves the layout of the rest of 64:ff9b:1::/48 to the
# operator, so nobody can tell what is inside: it counts as it stands, as not public.
_INNER_AT_THE_END = (
    IPv6Network("::ffff:0:0/96"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/96"),
)
_SIX_TO_FOUR = IPv6Network("2002::/16")


@lru_cache(maxsize=1024)
def judged_as(text: str) -> Address:
    """The address that decides: an IPv4 address inside a mapped, NAT64 or 6to4 one, else itself."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return address
    number = int(address)
    if any(address in network for network in _INNER_AT_THE_END):
        return IPv4Address(number & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether it is public unicast space, and not a cloud's own service in it."""
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _NOT_PUBLIC + _BY_NAME_ONLY)


def is_allowed(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether the operator lists it; link-local and metadata addresses count only when listed alone."""
    if any(address in network for network in _BY_NAME_ONLY):
        networks = tuple(network for network in networks if network.num_addresses == 1)
    return any(address in network for network in networks)
