"""Where requests may go, proven by who was called and who wasn't."""

import pytest

from authconfigs.errors import ConnectFailed, PolicyRefused
from authconfigs.symptoms import Stage, Symptom
from authconfigs.transport import Trace, check_url
from tests.authconfigs.transport.factories import (
    LOOPBACK,
    make_door,
    make_policy,
    open_traced,
    send,
    with_credential,
)
from tests.servers.names import resolving
from tests.servers.raw import serve
from tests.servers.scripts import answer


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "127.1", "localhost"],
)
def test_loopback_is_refused_however_it_is_spelled_and_no_packet_leaves(host: str) -> None:
    with serve(answer()) as server:
        for networks in ([], ["10.0.0.0/8"]):
            with pytest.raises(PolicyRefused) as caught:
                send(make_door(networks), f"https://{host}:{server.port}/")
            assert caught.value.symptom is Symptom.BLOCKED_BY_POLICY
            assert caught.value.stage is Stage.POLICY
            assert caught.value.permanent
        assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1"])
def test_an_odd_spelling_is_judged_as_what_it_leads_to(host: str) -> None:
    with serve(answer(body=b"here")) as server:
        assert send(make_door(), f"http://{host}:{server.port}/").text == "here"


@pytest.mark.parametrize(
    "address",
    ["::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "0.0.0.0", "::"],  # noqa: S104
)
def test_another_form_of_a_forbidden_address_is_refused(address: str) -> None:
    with serve(answer()) as server, resolving({"odd.example": [address]}):
        with pytest.raises(PolicyRefused):
            send(make_door(["10.0.0.0/8"]), f"https://odd.example:{server.port}/")
        assert server.connections == 0


def test_a_mapped_address_is_allowed_by_its_inner_one() -> None:
    with serve(answer(body=b"here")) as server, resolving({"mapped.example": ["::ffff:127.0.0.1"]}):
        response = send(make_door(["127.0.0.0/8"]), f"http://mapped.example:{server.port}/")
    assert response.text == "here"


def test_a_name_with_a_trailing_dot_is_judged_too() -> None:
    with serve(answer()) as server, resolving({"dotted.example.": ["127.0.0.1"]}):
        url = f"http://dotted.example.:{server.port}/"
        with pytest.raises(PolicyRefused):
            send(make_door(["10.0.0.0/8"]), url)
        assert server.connections == 0
        send(make_door(), url)
        assert server.requests[0].header("Host") == f"dotted.example:{server.port}".encode()


def test_every_resolved_address_must_pass() -> None:
    with serve(answer()) as server:
        url = f"https://mixed.example:{server.port}/"
        for addresses in (["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]):
            with resolving({"mixed.example": addresses}), pytest.raises(PolicyRefused):
                send(make_door(["127.0.0.0/8"]), url)
        assert server.connections == 0


def test_the_refusal_does_not_tell_what_a_name_resolves_to() -> None:
    with resolving({"vault.example": ["10.20.30.40"]}), pytest.raises(PolicyRefused) as caught:
        send(make_door([]), "https://vault.example/")
    assert "10.20.30.40" not in str(caught.value)
    assert "vault.example" in caught.value.summary


def test_an_address_that_changes_after_the_check_is_not_used() -> None:
    with serve(answer(body=b"first")) as server:
        url = f"http://rebinding.example:{server.port}/"
        door = make_door(["127.0.0.1/32"])
        with resolving({"rebinding.example": ["127.0.0.1"]}) as names:
            assert send(door, url).text == "first"
            assert names.lookups == ["rebinding.example"]
            names.addresses["rebinding.example"] = ["127.0.0.2"]
            door.close()
            with pytest.raises(PolicyRefused):
                send(door, url)
        assert server.connections == 1


def test_metadata_is_refused_inside_of_an_allowed_network() -> None:
    door = make_door(["0.0.0.0/0", "::/0"])
    for url in (
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://168.63.129.16/",
    ):
        with pytest.raises(PolicyRefused):
            send(door, url)


@pytest.mark.parametrize("port", [22, 25, 444, 1023, 3306, 5432, 6379, 11211])
def test_public_addresses_are_called_on_few_low_ports_and_no_database(port: int) -> None:
    with resolving({"public.example": ["93.184.216.34"]}), pytest.raises(PolicyRefused) as caught:
        send(make_door([]), f"https://public.example:{port}/", seconds=0.2)
    assert str(port) in caught.value.summary


@pytest.mark.parametrize("port", [80, 443, 1024, 8443, 65535])
def test_other_ports_of_public_addresses_are_called(port: int) -> None:
    target = check_url(
        f"https://public.example:{port}/", protected=True, credential=True, policy=make_policy([])
    )
    make_policy([]).judge(target, ["93.184.216.34"], protected=True, credential=True)


def test_allowed_networks_are_called_on_any_port() -> None:
    for port in (22, 1023, 6379):
        target = check_url(
            f"http://inside.example:{port}/", protected=False, credential=True, policy=make_policy()
        )
        make_policy().judge(target, ["127.0.0.1"], protected=False, credential=True)


def test_http_is_refused_before_the_look_up_where_no_network_is_allowed() -> None:
    with resolving({"plain.example": ["93.184.216.34"]}) as names:
        with pytest.raises(PolicyRefused):
            send(make_door([]), "http://plain.example/")
        assert names.lookups == []


def test_a_credential_of_a_protected_environment_is_refused_before_the_look_up() -> None:
    with resolving({"inside.example": ["10.0.0.1"]}) as names:
        request = with_credential("http://inside.example:8000/")
        with pytest.raises(PolicyRefused):
            send(make_door(["10.0.0.0/8"]), request, protected=True)
        assert names.lookups == []


def test_http_is_refused_unless_every_address_lies_in_an_allowed_network() -> None:
    with (
        serve(answer()) as server,
        resolving({"half.example": ["127.0.0.1", "93.184.216.34"], "public.example": ["1.1.1.1"]}),
    ):
        for name in ("half.example", "public.example"):
            with pytest.raises(PolicyRefused):
                send(make_door(), f"http://{name}:{server.port}/")
        assert server.connections == 0


def test_a_protected_environment_sends_no_credential_over_http_but_to_loopback() -> None:
    with serve(answer()) as server:
        send(make_door(), with_credential(server.url()), protected=True)
        assert server.connections == 1
        with resolving({"inside.example": ["10.0.0.1"]}):
            for networks in (["10.0.0.0/8"], ["10.0.0.0/8", *LOOPBACK]):
                door = make_door(networks)
                url = "http://inside.example:8000/"
                with pytest.raises(PolicyRefused):
                    send(door, with_credential(url), protected=True)
                with pytest.raises(PolicyRefused):
                    send(door.for_environment(protected=True), with_credential(url))
                with pytest.raises(PolicyRefused):
                    open_traced(door, url, protected=True, credential=True)


def test_a_protected_environment_may_use_http_without_a_credential() -> None:
    policy = make_policy(["10.0.0.0/8"])
    url = "http://inside.example:8000/"
    target = check_url(url, protected=True, credential=False, policy=policy)
    policy.judge(target, ["10.0.0.1"], protected=True, credential=False)


def test_a_refused_address_leaves_no_step() -> None:
    trace = Trace()
    with resolving({"vault.example": ["10.0.0.1"]}), pytest.raises(PolicyRefused):
        send(make_door([]), "https://vault.example/", trace=trace)
    assert trace == []


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with serve(answer()) as other:
        location = [("Location", other.url("/elsewhere"))]
        for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
            with serve(answer(status, b"", headers=location)) as server:
                response = send(make_door(), with_credential(server.url()))
            assert response.status_code == int(status[:3])
            assert response.headers["Location"] == other.url("/elsewhere")
            assert response.history == []
        assert other.connections == 0


def test_a_name_without_address_is_a_network_failure_at_dns() -> None:
    with pytest.raises(ConnectFailed) as caught:
        send(make_door(), "https://does-not-exist.invalid/")
    assert caught.value.symptom is Symptom.NETWORK
    assert caught.value.stage is Stage.DNS
    assert not caught.value.permanent
