"""OUTBOUND_PROXY: the proxy connects, and the target is judged here all the same."""

import base64
from pathlib import Path

import pytest

from authconfigs.errors import ConnectFailed, PolicyRefused
from authconfigs.symptoms import Stage, Symptom
from authconfigs.transport import Trace
from tests.authconfigs.transport.factories import make_door, open_traced, send, with_credential
from tests.servers.certificates import CertificateAuthority
from tests.servers.names import resolving
from tests.servers.proxy import serve_proxy
from tests.servers.raw import serve
from tests.servers.scripts import answer


def test_https_goes_through_a_tunnel_to_the_name_and_is_verified_end_to_end(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    with (
        serve(answer(body=b"target"), tls=authority.server("api.acme.example")) as server,
        serve_proxy(leads_to=server) as proxy,
        resolving({"api.acme.example": ["127.0.0.1"]}),
    ):
        door = make_door(proxy=proxy.url(), ca_bundle=authority.bundle)
        url = server.url("/path?key=s3cret", host="api.acme.example")
        for _ in range(2):
            assert send(door, url).text == "target"
        assert [request.line.rsplit(" ", 1)[0] for request in proxy.requests] == [
            f"CONNECT api.acme.example:{server.port}"
        ]
        assert server.requests[0].target == "/path?key=s3cret"
        assert server.requests[0].header("Host") == f"api.acme.example:{server.port}".encode()
        assert server.connections == 1


def test_a_proxy_that_leads_elsewhere_fails_at_the_certificate(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    with (
        serve(answer(), tls=authority.server("inside.example")) as server,
        serve_proxy(leads_to=server) as proxy,
        resolving({"api.acme.example": ["127.0.0.1"]}),
    ):
        door = make_door(proxy=proxy.url(), ca_bundle=authority.bundle)
        with pytest.raises(ConnectFailed) as caught:
            send(door, with_credential(server.url(host="api.acme.example")))
        assert caught.value.symptom is Symptom.TLS
        assert server.requests == []


def test_http_goes_to_the_judged_address_whatever_the_proxy_makes_of_the_name() -> None:
    with (
        serve(answer(body=b"target")) as server,
        serve_proxy() as proxy,
        resolving({"inside.example": ["127.0.0.1"]}),
    ):
        door = make_door(proxy=proxy.url())
        assert send(door, server.url("/p?q=%7e", host="inside.example")).text == "target"
        assert proxy.requests[0].line == f"GET http://127.0.0.1:{server.port}/p?q=%7e HTTP/1.1"
        assert server.requests[0].target == "/p?q=%7e"
        assert server.requests[0].header("Host") == f"inside.example:{server.port}".encode()


def test_the_target_is_judged_for_every_request_before_the_proxy_hears_of_it() -> None:
    with (
        serve(answer()) as server,
        serve_proxy() as proxy,
        resolving({"inside.example": ["127.0.0.1"], "vault.example": ["10.0.0.1"]}),
    ):
        door = make_door(proxy=proxy.url())
        send(door, server.url(host="inside.example"))
        for url in ("http://vault.example:8000/", "https://vault.example/"):
            with pytest.raises(PolicyRefused):
                send(door, url)
        assert len(proxy.requests) == 1


def test_the_proxys_password_goes_to_the_proxy_alone(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    expected = b"Basic " + base64.b64encode("us:er:wörd".encode())
    with (
        serve(answer()) as plain,
        serve(answer(), tls=authority.server("127.0.0.1")) as secure,
        serve_proxy() as proxy,
    ):
        door = make_door(
            proxy=proxy.url().replace("http://", "http://us%3Aer:w%C3%B6rd@"),
            ca_bundle=authority.bundle,
        )
        send(door, plain.url())
        send(door, secure.url())
        assert [request.header("Proxy-Authorization") for request in proxy.requests] == [
            expected,
            expected,
        ]
        assert secure.requests[0].header("Proxy-Authorization") is None


def test_a_proxy_that_refuses_is_a_network_failure_at_connect() -> None:
    with serve_proxy(refuse="407 Proxy Authentication Required") as proxy:
        door = make_door(proxy=proxy.url().replace("http://", "http://user:pa55word@"))
        trace = Trace()
        with pytest.raises(ConnectFailed) as caught:
            send(door, "https://127.0.0.1:8443/", trace=trace)
    assert (caught.value.symptom, caught.value.stage) == (Symptom.NETWORK, Stage.CONNECT)
    assert "proxy" in caught.value.summary
    assert "pa55word" not in caught.value.summary
    assert [(step.name, step.ok) for step in trace] == [(Stage.DNS, True), (Stage.CONNECT, False)]


def test_a_proxy_that_is_down_is_a_network_failure_at_connect() -> None:
    with serve_proxy() as proxy:
        url = proxy.url()
    for target in ("https://127.0.0.1:8443/", "http://127.0.0.1:8000/"):
        with pytest.raises(ConnectFailed) as caught:
            send(make_door(proxy=url), target)
        assert caught.value.stage is Stage.CONNECT
        assert caught.value.summary == "The proxy of this console can't be reached."


def test_a_proxy_may_speak_tls_itself(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    context = authority.server("127.0.0.1")
    with (
        serve(answer(body=b"secure"), tls=context) as secure,
        serve(answer(body=b"plain")) as plain,
        serve_proxy(tls=context) as proxy,
    ):
        door = make_door(proxy=proxy.url(), ca_bundle=authority.bundle)
        for _ in range(2):
            assert send(door, secure.url()).text == "secure"
            assert send(door, plain.url()).text == "plain"
        with pytest.raises(ConnectFailed):
            send(make_door(proxy=proxy.url()), plain.url())


def test_the_steps_name_the_proxy(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    with (
        serve(answer(), tls=authority.server("127.0.0.1")) as server,
        serve_proxy() as proxy,
    ):
        door = make_door(
            proxy=proxy.url().replace("http://", "http://user:pa55word@"),
            ca_bundle=authority.bundle,
        )
        trace = open_traced(door, server.url())
    assert [step.name for step in trace] == [Stage.DNS, Stage.CONNECT, Stage.TLS]
    assert trace[1].detail == f"through the proxy 127.0.0.1:{proxy.port}"
