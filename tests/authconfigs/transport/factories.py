from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

import requests

from authconfigs.outgoing import OutgoingRequest
from authconfigs.transport import Deadline, Door, NetworkPolicy, Trace

LOOPBACK = ("127.0.0.0/8", "::1/128")


def make_policy(networks: Iterable[str] = LOOPBACK) -> NetworkPolicy:
    return NetworkPolicy(tuple(ip_network(network) for network in networks))


def make_door(networks: Iterable[str] = LOOPBACK, **options: Any) -> Door:
    return Door(make_policy(networks), **options)


def get(url: str, **fields: Any) -> OutgoingRequest:
    return OutgoingRequest("GET", url, **fields)


def with_credential(url: str, secret: str = "s3cret") -> OutgoingRequest:
    return OutgoingRequest(
        "GET",
        url,
        headers=(("Authorization", f"Bearer {secret}"),),
        credential_headers=frozenset({"authorization"}),
    )


def send(
    door: Door,
    request: OutgoingRequest | str,
    *,
    seconds: float = 5,
    max_bytes: int = 10 * 2**20,
    **options: Any,
) -> requests.Response:
    if isinstance(request, str):
        request = get(request)
    return door.send(request, deadline=Deadline.after(seconds), max_bytes=max_bytes, **options)


def open_traced(door: Door, url: str, *, seconds: float = 5, **options: Any) -> Trace:
    trace = Trace()
    door.open(url, deadline=Deadline.after(seconds), trace=trace, **options)
    return trace
