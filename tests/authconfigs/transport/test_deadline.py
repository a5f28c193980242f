"""One total deadline holds, whatever the server does with its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from authconfigs.errors import OutboundError, TimedOut
from authconfigs.outgoing import OutgoingRequest
from authconfigs.symptoms import Stage, Symptom
from authconfigs.transport import Deadline
from tests.authconfigs.transport.factories import make_door, send
from tests.servers.certificates import CertificateAuthority
from tests.servers.names import resolving
from tests.servers.raw import Conversation, Script, serve
from tests.servers.scripts import answer, drip_body, drip_headers, hang, hang_before_reading


@contextmanager
def timing_out(stage: Stage, *, within: float = 0.5) -> Iterator[None]:
    started = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        yield
    assert 0.25 <= time.monotonic() - started < within + 0.7
    assert (caught.value.symptom, caught.value.stage) == (Symptom.TIMEOUT, stage)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "script",
    [
        hang(),
        drip_headers(pause=0.05),
        drip_body(pause=0.05),
        drip_body(pause=0.05, chunked=True),
    ],
    ids=["hang", "headers", "body", "chunks"],
)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_slow_answer_ends_at_the_deadline(script: Script, secure: bool, tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    tls = authority.server("127.0.0.1") if secure else None
    with serve(script, tls=tls) as server, timing_out(Stage.API):
        send(make_door(ca_bundle=authority.bundle), server.url(), seconds=0.5)


def test_endless_interim_answers_end_at_the_deadline() -> None:
    def script(talk: Conversation) -> None:
        talk.read_request()
        while not talk.server.stopped.wait(0.01):
            talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    with serve(script) as server, timing_out(Stage.API):
        send(make_door(), server.url(), seconds=0.5)


def test_a_body_that_nobody_reads_ends_at_the_deadline() -> None:
    with serve(hang_before_reading()) as server, timing_out(Stage.API):
        big = OutgoingRequest("POST", server.url(), body=bytes(50 * 2**20))
        send(make_door(), big, seconds=0.5)


def test_a_server_silent_about_tls_ends_at_the_deadline() -> None:
    with serve(hang_before_reading()) as server, timing_out(Stage.TLS):
        send(make_door(), server.url().replace("http:", "https:"), seconds=0.5)


def test_a_handshake_that_drips_ends_at_the_deadline() -> None:
    def script(talk: Conversation) -> None:
        talk.connection.recv(1000)
        talk.drip(b"\x16\x03\x03\x40\x00" + bytes(1000), pause=0.05)

    with serve(script) as server, timing_out(Stage.TLS):
        send(make_door(), server.url().replace("http:", "https:"), seconds=0.5)


def test_an_address_that_swallows_packets_ends_at_the_deadline() -> None:
    # A listener that doesn't accept, its queue full: further connections hang as behind a firewall.
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        time.sleep(0.05)
        try:
            with pytest.raises(OutboundError) as caught:
                send(make_door(), f"http://127.0.0.1:{port}/", seconds=0.5)
        finally:
            for filler in fillers:
                filler.close()
    assert caught.value.symptom is Symptom.TIMEOUT


def test_a_look_up_that_hangs_ends_at_the_deadline() -> None:
    with resolving({"hanging.example": None}), timing_out(Stage.DNS):
        send(make_door(), "https://hanging.example/", seconds=0.5)


def test_many_hanging_look_ups_do_not_stop_other_names_for_good() -> None:
    with serve(answer()) as server:
        with resolving({"hanging.example": None, "fine.example": ["127.0.0.1"]}):
            for _ in range(70):
                with pytest.raises(TimedOut):
                    send(make_door(), "https://hanging.example/", seconds=0.01)
        with resolving({"fine.example": ["127.0.0.1"]}):
            assert send(make_door(), server.url(host="fine.example")).text == "ok"


def test_nothing_is_sent_after_the_deadline() -> None:
    with serve(answer()) as server:
        door = make_door()
        send(door, server.url())
        with pytest.raises(TimedOut):
            send(door, server.url(), seconds=0)
        with pytest.raises(TimedOut):
            send(make_door(), server.url(), seconds=0)
        assert len(server.requests) == 1


def test_a_deadline_counts_down_to_zero() -> None:
    assert 9 < Deadline.after(10).remaining() <= 10
    assert not Deadline.after(10).expired
    past = Deadline.after(-1)
    assert past.expired
    assert past.remaining() == 0
