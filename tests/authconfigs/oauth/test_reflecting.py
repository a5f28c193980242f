"""Servers that reflect what they shouldn't know or show: nothing of it is in what comes of their answers."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from authconfigs.errors import OutboundError, TokenFailed
from authconfigs.oauth import OAuthClient, refresh, revoke
from authconfigs.symptoms import Symptom
from authconfigs.transport import Deadline, Door
from tests.authconfigs.transport.factories import make_door
from tests.servers.raw import Server, serve
from tests.servers.scripts import answer, redirect

SECRET, SENT, STORED = "Kq7vN2xLmZ9wRt4B", "Wm3oEj6sTf2bVk8i", "Ga81hdUwq0PzX5yc"
PARAMETER, NEW = "Zx6cQb1nHs8dUe3k", "Pf9gTa4mJw7rLy2o"
PLANTED = (SECRET, SENT, STORED, PARAMETER, NEW)


@pytest.fixture
def door() -> Iterator[Door]:
    door = make_door()
    yield door
    door.close()


def client_of(server: Server) -> OAuthClient:
    return OAuthClient.from_fields(
        {
            "token_url": server.url("/token"),
            "revocation_url": server.url("/revoke"),
            "client_id": "console",
            "client_secret": SECRET,
            "secret_token_params": {"key": [PARAMETER]},
        },
        hidden=[STORED],
    )


def failure_of(act: Callable[[], Any]) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        act()
    return caught.value


def refreshed(server: Server, door: Door) -> Any:
    return refresh(client_of(server), SENT, door=door, deadline=Deadline.after(5))


@pytest.mark.parametrize("planted", [SECRET, SENT, STORED, PARAMETER])
@pytest.mark.parametrize(
    "document",
    [
        {"error": "invalid_grant", "error_description": "{} is dead"},
        {"error": "{}"},
        {"error": {"code": "{}", "message": "{}"}},
        {"message": "{}"},
        {"error": "x", "error_description": "{}", "access_token": NEW},
    ],
)
@pytest.mark.parametrize("asked", ["refresh", "revocation"])
def test_refusal_repeats_neither_what_was_sent_nor_what_is_stored(
    door: Door, planted: str, document: dict[str, Any], asked: str
) -> None:
    body = json.dumps(document).replace("{}", planted).encode()
    with serve(answer("400 Bad Request", body)) as server:
        client = client_of(server)
        failure = failure_of(
            lambda: (
                refreshed(server, door)
                if asked == "refresh"
                else revoke(client, SENT, hint="x", door=door, deadline=Deadline.after(5))
            )
        )
    assert isinstance(failure, TokenFailed)
    assert not [text for text in PLANTED if text in f"{failure.summary} {failure.error}"]
    assert "(400" in failure.summary


def test_refusal_repeats_no_token_that_it_came_with(door: Door) -> None:
    body = json.dumps({"access_token": NEW, "error": "x", "error_description": f"not {NEW}"})
    with serve(answer("500 Broken", body.encode())) as server:
        failure = failure_of(lambda: refreshed(server, door))
    assert NEW not in failure.summary


def test_target_of_a_redirect_repeats_no_stored_token(door: Door) -> None:
    with serve(redirect(f"http://other.example/{STORED}/x", status="308 Moved")) as server:
        failure = failure_of(lambda: refreshed(server, door))
    assert failure.symptom is Symptom.BLOCKED_BY_POLICY
    assert STORED not in failure.summary
    assert "redirects (308)" in failure.summary


def test_success_repeats_none_in_scope_or_type(door: Door) -> None:
    body = {"access_token": NEW, "scope": f"a {' '.join(PLANTED)}", "token_type": STORED}
    with serve(answer(body=json.dumps(body).encode())) as server:
        found = refreshed(server, door)
    assert (found.access_token, found.scope, found.token_type) == (NEW, "a", "")
    assert found.left_out == len(PLANTED)
    assert not [text for text in PLANTED if text in repr(found)]


@pytest.mark.parametrize(
    "access_token", [None, "", 12345, "a" * 40_000, "a\r\nX: y"], ids=lambda value: str(value)[:9]
)
def test_refresh_token_outlives_an_unusable_access_token(door: Door, access_token: object) -> None:
    body = json.dumps({"access_token": access_token, "refresh_token": NEW}).encode()
    with serve(answer(body=body)) as server:
        failure = failure_of(lambda: refreshed(server, door))
    assert isinstance(failure, TokenFailed)
    assert (failure.symptom, failure.permanent) == (Symptom.PROVIDER_ERROR, False)
    assert failure.refresh_token == NEW
    assert NEW not in failure.summary


@pytest.mark.parametrize("status", ["500 Broken", "400 Bad Request", "302 Found"])
def test_tokens_of_an_error_are_none(door: Door, status: str) -> None:
    """Nobody knows whether the server stands by them: the old refresh token is what it has to take again."""
    body = json.dumps({"access_token": "at", "refresh_token": NEW}).encode()
    with serve(answer(status, body)) as server:
        failure = failure_of(lambda: refreshed(server, door))
    assert isinstance(failure, TokenFailed)
    assert failure.refresh_token is None
