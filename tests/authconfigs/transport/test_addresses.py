from ipaddress import ip_network

import pytest

from authconfigs.transport.addresses import is_allowed, is_public, judged_as


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "64:ff9b:1:7f00:0:100::",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_special_purpose_addresses_are_not_public(text: str) -> None:
    assert not is_public(judged_as(text))


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "223.255.255.255", "2606:4700::1111"]
)
def test_other_unicast_addresses_are_public(text: str) -> None:
    assert is_public(judged_as(text))


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::ffff:a9fe:a9fe", "169.254.169.254"),
        ("64:ff9b::10.0.0.1", "10.0.0.1"),
        ("64:ff9b::808:808", "8.8.8.8"),
        ("64:ff9b:1::192.168.0.1", "192.168.0.1"),
        ("2002:7f00:1::", "127.0.0.1"),
        ("2002:808:808::1", "8.8.8.8"),
        ("fe80::1%eth0", "fe80::1"),
        ("2606:4700::1111", "2606:4700::1111"),
    ],
)
def test_an_address_inside_another_decides(text: str, inner: str) -> None:
    assert str(judged_as(text)) == inner


def test_listed_networks_are_allowed() -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert is_allowed(judged_as("10.1.2.3"), networks)
    assert is_allowed(judged_as("::ffff:10.1.2.3"), networks)
    assert is_allowed(judged_as("fd12::1"), networks)
    assert not is_allowed(judged_as("192.168.0.1"), networks)


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "169.254.1.1",
        "168.63.129.16",
        "100.100.100.200",
        "fe80::1",
        "fd00:ec2::254",
    ],
)
def test_link_local_and_metadata_count_only_when_listed_alone(text: str) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    near = tuple(ip_network(n) for n in ("169.254.169.254/31", "fe80::/127"))
    alone = (ip_network(text),)
    assert not is_allowed(judged_as(text), everything + near)
    assert is_allowed(judged_as(text), alone)
    assert not is_public(judged_as(text))
