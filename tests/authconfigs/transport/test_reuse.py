"""Connections are kept for the next request, and never in a way that harms it."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from authconfigs.errors import ConnectFailed, PolicyRefused
from authconfigs.outgoing import OutgoingRequest
from authconfigs.symptoms import Stage, Symptom
from authconfigs.transport import Deadline, default_door
from tests.authconfigs.transport.factories import make_door, open_traced, send, with_credential
from tests.servers.certificates import CertificateAuthority
from tests.servers.raw import Conversation, serve
from tests.servers.scripts import answer, answer_by, answer_then_close, message


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_requests_share_a_connection(secure: bool, tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    with serve(answer(), tls=authority.server("127.0.0.1") if secure else None) as server:
        door = make_door(ca_bundle=authority.bundle)
        for _ in range(5):
            assert send(door, server.url()).text == "ok"
        assert (server.connections, len(server.requests)) == (1, 5)


def test_threads_share_a_door() -> None:
    def echo(request: object) -> bytes:
        time.sleep(0.001)
        return message("200 OK", request.target.encode())  # type: ignore[attr-defined]

    with serve(answer_by(echo)) as server, ThreadPoolExecutor(16) as threads:
        door = make_door()
        urls = [server.url(f"/{number}") for number in range(400)]
        texts = threads.map(lambda url: send(door, url).text, urls)
        assert list(texts) == [f"/{number}" for number in range(400)]
        assert server.connections <= 16


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_connections_of_its_own() -> None:
    with serve(answer()) as server:
        door = make_door()
        send(door, server.url())
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if send(door, server.url()).text == "ok" else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert server.connections == 2
        assert send(door, server.url()).text == "ok"
        assert server.connections == 2


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    def once(talk: Conversation) -> None:
        if talk.read_request():
            talk.send(message("200 OK", b"ok"))

    with serve(once) as server:
        door = make_door()
        for method in ("POST", "GET", "POST"):
            assert send(door, OutgoingRequest(method, server.url(), body=b"x")).text == "ok"
            time.sleep(0.05)
        assert (server.connections, len(server.requests)) == (3, 3)


@pytest.mark.parametrize("reset", [False, True])
def test_a_get_on_a_connection_that_just_closed_is_sent_once_more(reset: bool) -> None:
    """The server closes as it gets the request: nobody could know before."""
    with serve(answer_then_close(reset=reset)) as server:
        door = make_door()
        assert send(door, server.url("/1")).text == "ok"
        assert send(door, server.url("/2")).text == "ok"
        assert [request.target for request in server.requests] == ["/1", "/2", "/2"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_changes_something_is_never_sent_twice(method: str) -> None:
    with serve(answer_then_close()) as server:
        door = make_door()
        send(door, server.url("/1"))
        with pytest.raises(ConnectFailed) as caught:
            send(door, OutgoingRequest(method, server.url("/2"), body=b"x"))
        assert [request.target for request in server.requests] == ["/1", "/2"]
    assert (caught.value.symptom, caught.value.stage) == (Symptom.NETWORK, Stage.API)


def test_a_get_on_a_fresh_connection_is_not_sent_twice() -> None:
    with serve(answer_then_close(0)) as server:
        with pytest.raises(ConnectFailed):
            send(make_door(), server.url())
        assert len(server.requests) == 1


def test_a_get_is_not_sent_twice_once_an_answer_began() -> None:
    def script(talk: Conversation) -> None:
        if talk.read_request():
            talk.send(message("200 OK", b"ok"))
        if talk.read_request():
            talk.send(b"HTTP/1.1 200")
            time.sleep(0.05)
            talk.reset()

    with serve(script) as server:
        door = make_door()
        send(door, server.url())
        with pytest.raises(ConnectFailed):
            send(door, server.url())
        assert len(server.requests) == 2


def test_an_early_refusal_of_a_body_is_read() -> None:
    def script(talk: Conversation) -> None:
        talk.connection.recv(1000)
        talk.send(message("413 Content Too Large", b"no", headers=[("Connection", "close")]))
        # Closing with unread bytes resets the connection while the client still sends.

    with serve(script) as server:
        big = OutgoingRequest("POST", server.url(), body=bytes(20 * 2**20))
        assert send(make_door(), big).status_code == 413


def test_bytes_after_an_answer_are_no_later_answer() -> None:
    evil = message("200 OK", b"first") + message("200 OK", b"smuggled")
    with serve(answer_by(lambda request: evil)) as server:
        door = make_door()
        for _ in range(3):
            assert send(door, server.url()).text == "first"
            time.sleep(0.02)


def test_bytes_that_come_unasked_are_no_answer() -> None:
    def script(talk: Conversation) -> None:
        while talk.read_request():
            talk.send(message("200 OK", b"asked"))
            time.sleep(0.02)
            talk.send(message("200 OK", b"unasked"))

    with serve(script) as server:
        door = make_door()
        for _ in range(3):
            assert send(door, server.url()).text == "asked"
            time.sleep(0.1)


def test_tls_tickets_do_not_look_like_a_closed_connection(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    context = authority.server("127.0.0.1")
    context.num_tickets = 4
    with serve(answer(), tls=context) as server:
        door = make_door(ca_bundle=authority.bundle)
        open_traced(door, server.url())
        time.sleep(0.1)
        assert send(door, server.url()).text == "ok"
        assert server.connections == 1


def test_a_tls_connection_that_the_server_closed_is_replaced(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)

    def once(talk: Conversation) -> None:
        if talk.read_request():
            talk.send(message("200 OK", b"ok"))

    with serve(once, tls=authority.server("127.0.0.1")) as server:
        door = make_door(ca_bundle=authority.bundle)
        for _ in range(2):
            assert send(door, OutgoingRequest("POST", server.url())).text == "ok"
            time.sleep(0.05)
        assert server.connections == 2


def test_a_connection_that_rested_too_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authconfigs.transport.connections._LONGEST_REST", 0.05)
    with serve(answer()) as server:
        door = make_door()
        send(door, server.url())
        time.sleep(0.1)
        send(door, server.url())
        assert server.connections == 2


def test_connection_close_is_heeded() -> None:
    with serve(answer(headers=[("Connection", "close")])) as server:
        door = make_door()
        send(door, server.url())
        send(door, server.url())
        assert server.connections == 2


def test_a_closed_door_starts_over() -> None:
    with serve(answer()) as server:
        door = make_door()
        send(door, server.url())
        door.close()
        send(door, server.url())
        assert server.connections == 2


def test_a_failed_exchange_leaves_no_connection_behind() -> None:
    def script(talk: Conversation) -> None:
        while request := talk.read_request():
            if request.target == "/slow":
                talk.server.stopped.wait(0.5)
            talk.send(message("200 OK", request.target.encode()))

    with serve(script) as server:
        door = make_door()
        with pytest.raises(Exception, match="time was up"):
            send(door, server.url("/slow"), seconds=0.2)
        assert send(door, server.url("/next")).text == "/next"
        assert server.connections == 2


def test_http_to_another_host_of_ours_is_judged_again_when_a_connection_is_reused() -> None:
    """A connection that an unprotected environment opened isn't good enough for a protected one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has loopback only")
        own = probe.getsockname()[0]
    with serve(answer(), host=own) as server:
        door = make_door([f"{own}/32", "127.0.0.0/8"])
        send(door, with_credential(server.url()))
        with pytest.raises(PolicyRefused):
            send(door, with_credential(server.url()), protected=True)
        with pytest.raises(PolicyRefused):
            door.open(server.url(), deadline=Deadline.after(5), protected=True, credential=True)
        send(door, server.url(), protected=True)
        assert len(server.requests) == 2


def test_the_default_door_is_one_per_process() -> None:
    with serve(answer()) as server:
        for _ in range(2):
            assert send(default_door(), server.url()).text == "ok"
        assert server.connections == 1
        default_door().close()
