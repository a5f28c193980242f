import socket
import ssl
from pathlib import Path

import pytest

from authconfigs.errors import ConnectFailed, OutboundError
from authconfigs.symptoms import Stage, Symptom
from authconfigs.transport import Deadline, Trace, new_door
from authconfigs.transport.tls import tls_context
from tests.authconfigs.transport.factories import get, make_door, open_traced, send
from tests.servers.certificates import CertificateAuthority, self_signed
from tests.servers.names import resolving
from tests.servers.raw import Conversation, serve
from tests.servers.scripts import answer, hang_before_reading


def failing(door_options: dict[str, str], url: str) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        send(make_door(**door_options), url)
    return caught.value


def test_tls_is_verified_with_the_operators_bundle(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    with serve(answer(), tls=authority.server("127.0.0.1")) as server:
        assert send(make_door(ca_bundle=authority.bundle), server.url()).text == "ok"
        error = failing({}, server.url())
        assert len(server.requests) == 1
    assert (error.symptom, error.stage, error.permanent) == (Symptom.TLS, Stage.TLS, False)
    assert "isn't trusted" in error.summary


def test_the_bundle_is_added_to_the_public_roots(tmp_path: Path) -> None:
    own = tls_context(CertificateAuthority(tmp_path).bundle)
    assert own.cert_store_stats()["x509_ca"] == tls_context().cert_store_stats()["x509_ca"] + 1
    assert tls_context().cert_store_stats()["x509_ca"] > 50


def test_certificates_that_fail_say_why(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    cases = {
        "expired": authority.server("127.0.0.1", expired=True),
        "not valid for": authority.server("other.example"),
        "self-signed": self_signed(tmp_path, "127.0.0.1"),
    }
    for words, context in cases.items():
        with serve(answer(), tls=context) as server:
            error = failing({"ca_bundle": authority.bundle}, server.url())
            assert (error.symptom, error.stage) == (Symptom.TLS, Stage.TLS)
            assert words in error.summary
            assert server.requests == []


def test_host_sni_and_certificate_name_are_those_of_the_url(tmp_path: Path) -> None:
    names: list[str | None] = []
    authority = CertificateAuthority(tmp_path)
    context = authority.server("api.acme.example")
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    with serve(answer(), tls=context) as server, resolving({"api.acme.example": ["127.0.0.1"]}):
        send(make_door(ca_bundle=authority.bundle), server.url(host="api.acme.example"))
        assert server.requests[0].header("Host") == f"api.acme.example:{server.port}".encode()
    assert names == ["api.acme.example"]


def test_old_tls_is_refused(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    context = authority.server("127.0.0.1")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with serve(answer(), tls=context) as server:
        error = failing({"ca_bundle": authority.bundle}, server.url())
    assert error.symptom is Symptom.TLS
    assert tls_context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_server_without_tls_says_so() -> None:
    def plain(talk: Conversation) -> None:
        talk.connection.recv(10)
        talk.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with serve(plain) as server:
        error = failing({}, server.url().replace("http://", "https://"))
    assert "doesn't speak TLS" in error.summary
    assert error.symptom is Symptom.TLS


def test_a_server_that_hangs_up_during_tls_is_a_tls_failure() -> None:
    def hang_up(talk: Conversation) -> None:
        # Reset any earlier, it may be the connecting that fails.
        talk.connection.recv(10)
        talk.reset()

    with serve(hang_up) as server:
        error = failing({}, server.url().replace("http://", "https://"))
    assert (error.symptom, error.stage) == (Symptom.TLS, Stage.TLS)


def test_a_port_that_nobody_listens_on_is_a_network_failure_at_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failing({}, f"http://127.0.0.1:{port}/")
    assert (error.symptom, error.stage) == (Symptom.NETWORK, Stage.CONNECT)
    assert error.summary == f"127.0.0.1 refuses connections on port {port}."


def test_the_next_address_is_tried_when_the_first_is_dead() -> None:
    with serve(answer()) as server, resolving({"two.example": ["127.0.0.9", "127.0.0.1"]}):
        assert send(make_door(), server.url(host="two.example")).text == "ok"


def test_ipv6_is_connected() -> None:
    with serve(answer(), host="::1") as server:
        assert send(make_door(), server.url()).text == "ok"
        assert server.requests[0].header("Host") == f"[::1]:{server.port}".encode()


def test_opening_records_its_steps_and_the_request_uses_that_connection(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    context = authority.server("api.acme.example")
    with serve(answer(), tls=context) as server, resolving({"api.acme.example": ["127.0.0.1"]}):
        door = make_door(ca_bundle=authority.bundle)
        trace = open_traced(door, server.url(host="api.acme.example"))
        assert [(step.name, step.ok) for step in trace] == [
            (Stage.DNS, True),
            (Stage.CONNECT, True),
            (Stage.TLS, True),
        ]
        dns, connect, tls = trace
        assert dns.detail == "127.0.0.1"
        assert connect.detail == f"127.0.0.1:{server.port}"
        assert tls.detail.startswith("TLSv1.3, certificate valid until 20")
        assert all(0 <= step.ms < 5000 for step in trace)
        send(door, server.url(host="api.acme.example"), trace=trace)
        assert len(trace) == 3
        assert server.connections == 1


def test_a_failing_step_is_recorded_and_the_last() -> None:
    cases = {
        "https://does-not-exist.invalid/": Stage.DNS,
        "http://127.0.0.1:9/": Stage.CONNECT,
    }
    for url, stage in cases.items():
        trace = Trace()
        with pytest.raises(ConnectFailed) as caught:
            make_door().open(url, deadline=Deadline.after(5), trace=trace)
        assert (trace[-1].name, trace[-1].ok) == (stage, False)
        assert trace[-1].detail == caught.value.summary
        assert all(step.ok for step in trace[:-1])


def test_a_failing_tls_step_is_recorded(tmp_path: Path) -> None:
    trace = Trace()
    with (
        serve(answer(), tls=self_signed(tmp_path, "127.0.0.1")) as server,
        pytest.raises(ConnectFailed),
    ):
        make_door().open(server.url(), deadline=Deadline.after(5), trace=trace)
    assert [(step.name, step.ok) for step in trace] == [
        (Stage.DNS, True),
        (Stage.CONNECT, True),
        (Stage.TLS, False),
    ]


def test_plain_http_has_no_tls_step() -> None:
    with serve(hang_before_reading()) as server:
        trace = open_traced(make_door(), server.url())
    assert [step.name for step in trace] == [Stage.DNS, Stage.CONNECT]


def test_a_new_door_has_connections_of_its_own() -> None:
    with serve(answer()) as server:
        for door in (new_door(), new_door()):
            send(door, get(server.url()))
        assert server.connections == 2
