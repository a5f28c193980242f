"""Answers that are half good, or that reflect what is stored, from a real server to the row, its history and the mails."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from authconfigs.models import OAuthToken, TokenEvent
from authconfigs.state import load_named_config
from authconfigs.symptoms import Symptom
from authconfigs.tokens.bulk import refresh_many
from authconfigs.tokens.granted import configs_with_other_scopes, scope_warnings
from authconfigs.tokens.sweep import Renewal, renew_now
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import browser, url
from tests.authconfigs.oauth.test_reflecting import NEW, SECRET, SENT, STORED
from tests.flows.dumps import stored as dumped
from tests.integrations.wired import change_token, store_token, stored_token, the_config, wired
from tests.servers.raw import ReceivedRequest, serve
from tests.servers.scripts import answer_by, message

pytestmark = pytest.mark.django_db(transaction=True)


class Endpoint:
    """A token endpoint that answers whatever it is told to."""

    def __init__(self) -> None:
        self.status, self.body = "200 OK", b""

    def says(self, document: Any, *, status: str = "200 OK") -> None:
        self.status = status
        self.body = document if isinstance(document, bytes) else json.dumps(document).encode()

    def answer(self, _: ReceivedRequest) -> bytes:
        return message(self.status, self.body)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """The endpoint of acme/crm, which has both tokens."""
    endpoint = Endpoint()
    with serve(answer_by(endpoint.answer)) as server:
        wired(
            server.url("/api"),
            method="oauth2_authorization_code",
            options={
                "token_url": server.url("/token"),
                "authorization_url": server.url("/authorize"),
                "client_id": "console",
                "scope": "a b",
            },
            secrets={"client_secret": SECRET},
        )
        store_token(
            access_token=STORED,
            refresh_token=SENT,
            granted_scope="a b",
            state="valid",
            generation=1,
        )
        yield endpoint


def ask() -> Renewal:
    return renew_now(load_named_config("acme", "crm", environment="staging"), force=True)


def tokens() -> tuple[Any, Any]:
    row = stored_token()
    assert row.access_token is not None
    assert row.refresh_token is not None
    return row.access_token.reveal(), row.refresh_token.reveal()


def events() -> list[tuple[str, str, str]]:
    """Kind, summary and scope, the oldest first."""
    with tenant_scope(stored_token().tenant_id):
        found = TokenEvent.objects.order_by("at")
        return [(event.kind, event.summary, event.granted_scope) for event in found]


def planted_in_dump(*planted: str) -> list[tuple[str, str]]:
    found = []
    for where, data in dumped():
        content = data if isinstance(data, bytes) else str(data).encode()
        found += [(str(where), text) for text in planted if text.encode() in content]
    return found


GIVEN = b'"access_token": "newA", "refresh_token": "newR", "scope": "a b"'


@pytest.mark.parametrize(
    "body",
    [
        b'{%b, "user": "M\xfcller"}',
        b'{"message": "a\nb", %b}',
        b"{%b}\n<!-- 12 ms -->",
        b")]}',\n{%b}",
        b'{"x": ' + b"[" * 3000 + b"]" * 3000 + b", %b}",
    ],
)
def test_unrelated_detail_loses_no_token(endpoint: Endpoint, body: bytes) -> None:
    endpoint.says(body.replace(b"%b", GIVEN))
    assert ask().ok
    assert tokens() == ("newA", "newR")


@pytest.mark.parametrize("access_token", [None, 5, "a" * 40_000, "a\r\nX: y"])
def test_refresh_token_is_stored_although_no_access_token_came(
    endpoint: Endpoint, access_token: object
) -> None:
    endpoint.says({"access_token": access_token, "refresh_token": NEW})
    assert ask().symptom == Symptom.PROVIDER_ERROR
    assert stored_token().state == OAuthToken.State.RETRYING
    assert tokens() == (STORED, NEW)
    assert not planted_in_dump(NEW)


def test_refresh_token_is_stored_where_the_sweep_asked(endpoint: Endpoint) -> None:
    endpoint.says({"refresh_token": NEW})
    row = stored_token()
    change_token(refresh_after=row.state_since)
    refresh_many([row.config_id])
    assert stored_token().state == OAuthToken.State.RETRYING
    assert tokens() == (STORED, NEW)


def test_refresh_token_of_a_config_that_stopped_is_stored(endpoint: Endpoint) -> None:
    change_token(state=OAuthToken.State.STOPPED)
    endpoint.says({"refresh_token": NEW})
    ask()
    assert stored_token().state == OAuthToken.State.STOPPED
    assert tokens() == (STORED, NEW)


def test_access_token_is_stored_beside_a_refresh_token_that_cant_be(endpoint: Endpoint) -> None:
    endpoint.says({"access_token": "newA", "refresh_token": "r" * 40_000})
    assert ask().ok
    assert tokens() == ("newA", SENT)
    ((kind, summary, _),) = events()
    assert kind == "refreshed"
    assert "longer than 32,768 characters, so it isn't stored. The one before stays." in summary


def test_history_names_the_scope_when_it_changes(endpoint: Endpoint) -> None:
    for scope in ("a b", "a", "a", "a b"):
        endpoint.says({"access_token": "newA", "scope": scope})
        assert ask().ok
        assert stored_token().granted_scope == scope
    endpoint.says({"access_token": "newA"})
    assert ask().ok
    assert stored_token().granted_scope == "a b"
    assert [scope for _, _, scope in events()] == ["", "a", "", "a b", ""]


def test_scope_without_end_is_cut_and_counted(endpoint: Endpoint) -> None:
    scope = " ".join(f"scope{number:06d}" for number in range(70_000))
    endpoint.says({"access_token": "newA", "scope": scope})
    for _ in range(3):
        assert ask().ok
    row = stored_token()
    assert len(row.granted_scope.split()) + row.scope_left_out == 70_000
    assert len(row.granted_scope) <= 4096
    assert sum(len(scope) for _, _, scope in events()) <= 4096
    with tenant_scope(row.tenant_id):
        assert configs_with_other_scopes() == [row.config_id]
    *_, told = scope_warnings(row.tenant_id, row.config_id)
    assert f"named {row.scope_left_out:,} more" in told
    client, config = browser(the_config().tenant), the_config()
    for page in (url("change", config.id), url("events", config.id), url("changelist")):
        assert len(client.get(page).content) < 200_000


@pytest.mark.parametrize(
    "document",
    [
        {"error": "invalid_client", "error_description": f"{STORED} of {SECRET} is dead"},
        {"error": STORED},
        {"message": f"{SENT}"},
    ],
)
@pytest.mark.parametrize("by_sweep", [False, True])
def test_refusal_shows_no_stored_token_anywhere(
    endpoint: Endpoint, document: dict[str, str], by_sweep: bool, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.says(document, status="400 Bad Request")
    if by_sweep:
        row = stored_token()
        change_token(refresh_after=row.state_since)
        refresh_many([row.config_id])
    else:
        ask()
    row = stored_token()
    State = OAuthToken.State
    assert row.state == (State.STOPPED if "error" in document else State.RETRYING)
    assert not planted_in_dump(SECRET, STORED, SENT)
    shown = f"{caplog.text} {row.failure_summary} {row.failure_error} {events()}"
    assert not [text for text in (SECRET, STORED, SENT) if text in shown]


def test_success_stores_no_secret_in_the_clear(endpoint: Endpoint) -> None:
    scope = f"a {SECRET} {STORED} {SENT} {NEW}"
    endpoint.says({"access_token": NEW, "scope": scope, "token_type": STORED})
    assert ask().ok
    assert (stored_token().granted_scope, stored_token().token_type) == ("a", "")
    assert stored_token().scope_left_out == 4
    assert not planted_in_dump(SECRET, STORED, SENT, NEW)
