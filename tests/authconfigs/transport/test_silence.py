"""Nothing secret in errors, tracebacks, logs, reprs, or in what the response tells about its request."""

import base64
import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from authconfigs.errors import OutboundError
from authconfigs.outgoing import OutgoingRequest
from authconfigs.transport import Deadline, Door
from tests.authconfigs.transport.factories import make_door, send
from tests.servers.certificates import self_signed
from tests.servers.names import resolving
from tests.servers.raw import Script, serve
from tests.servers.scripts import (
    answer,
    answer_then_close,
    gzip_bomb,
    hang,
    reset_after_request,
    send_and_close,
)

SECRET = "plantedS3cret"


def secretive(url: str) -> OutgoingRequest:
    return OutgoingRequest(
        "POST",
        f"{url}?a=1&key={SECRET}",
        headers=(("X-Api-Key", SECRET), ("Authorization", f"Bearer {SECRET}")),
        body=SECRET.encode(),
        credential_headers=frozenset({"x-api-key", "authorization"}),
        credential_params=frozenset({"key"}),
    )


def assert_silent(text: str) -> None:
    assert SECRET not in text
    assert base64.b64encode(SECRET.encode()).decode() not in text


def by_door(door: Door, url: str) -> None:
    send(door, secretive(url), seconds=0.5, max_bytes=10000)


def by_session(door: Door, url: str) -> None:
    session = door.guard(requests.Session(), deadline=Deadline.after(0.5), max_bytes=10000)
    session.post(f"{url}?key={SECRET}", data=SECRET, auth=("user", SECRET))


@pytest.mark.parametrize("attempt", [by_door, by_session])
@pytest.mark.parametrize(
    "script",
    [
        hang(),
        reset_after_request(),
        send_and_close(b""),
        send_and_close(b"garbage\r\n\r\n"),
        send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        gzip_bomb(megabytes=1),
    ],
    ids=["hang", "reset", "close", "garbage", "short", "bomb"],
)
def test_failures_are_silent(
    script: Script, attempt: Callable[[Door, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(script) as server, pytest.raises(OutboundError) as caught:
        attempt(make_door(), server.url())
    assert_silent("".join(traceback.format_exception(caught.value)))
    assert_silent(repr(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert_silent(caplog.text)


@pytest.mark.parametrize("attempt", [by_door, by_session])
def test_failures_before_the_request_are_silent(
    attempt: Callable[[Door, str], None], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(answer(), tls=self_signed(tmp_path, "127.0.0.1")) as server:
        urls = [
            server.url("/p"),
            "http://127.0.0.1:9/p",
            "https://does-not-exist.invalid/p",
            "http://10.0.0.1/p",
            "https://hanging.example/p",
            "https://user:plantedS3cret@127.0.0.1/p",
            "https://127.0.0.1:99999/p",
            "https://127.0.0.1:9/a b",
        ]
        for url in urls:
            with resolving({"hanging.example": None}), pytest.raises(OutboundError) as caught:
                attempt(make_door(), url)
            assert_silent("".join(traceback.format_exception(caught.value)))
    assert_silent(caplog.text)


def test_a_success_is_silent_in_every_log(caplog: pytest.LogCaptureFixture) -> None:
    """Answers with headers that urllib3 can't parse made it log the URL with its query, as a warning."""
    caplog.set_level(logging.DEBUG)
    odd = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon in this line\r\n\r\nok"
    with serve(send_and_close(odd)) as server:
        by_door(make_door(), server.url())
        by_session(make_door(), server.url())
    with serve(answer_then_close()) as server:
        door = make_door()
        get = OutgoingRequest(
            "GET", server.url(f"/?key={SECRET}"), credential_params=frozenset({"key"})
        )
        send(door, get)
        send(door, get)
    assert_silent(caplog.text)


def test_the_response_shows_dots_for_the_credential() -> None:
    with serve(answer("401 Unauthorized", b"")) as server:
        response = send(make_door(), secretive(server.url("/p")))
        assert server.requests[0].target == f"/p?a=1&key={SECRET}"
    with pytest.raises(requests.HTTPError) as caught:
        response.raise_for_status()
    assert SECRET not in str(caught.value)
    assert SECRET not in f"{response.url} {response.request.url} {response.request.headers}"
    assert "a=1" in response.url


def test_a_refused_header_is_named_without_its_value() -> None:
    request = OutgoingRequest("GET", "http://127.0.0.1/", headers=(("X-Key", f"{SECRET}\n"),))
    with pytest.raises(OutboundError) as caught:
        send(make_door(), request)
    assert caught.value.summary == "The value of the header X-Key has control characters."


def test_what_is_in_hand_has_a_silent_repr() -> None:
    from authconfigs.transport.target import split_url
    from authconfigs.transport.wire import wire_request

    target = split_url(f"https://api.example.com/?key={SECRET}")
    wire = wire_request("GET", target, headers=[("X-Key", SECRET)], body=SECRET.encode())
    assert_silent(repr(target) + repr(wire))
