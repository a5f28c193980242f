"""What a disconnect meets: edits, refreshes and consents that are under way. No token stays good, none goes astray."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from authconfigs.authorization.disconnecting import disconnect
from authconfigs.models import AuthConfig, TokenEvent
from authconfigs.saving import EditConflict, draft_of, save_config
from authconfigs.tasks import refresh_chunk
from authconfigs.tokens.withdrawal import LATE_WAIT, Withdrawn
from integrations.client import CallFailed, connect
from integrations.demo.provider import Provider
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import REFUSED, back_from
from tests.authconfigs.consoles import browser, html, url
from tests.authconfigs.tokens.test_bulk import due_config, refresh_all, rows
from tests.factories import posted
from tests.integrations.wired import store_token, stored_token, the_config, wired
from tests.servers.raw import ReceivedRequest, Server, serve
from tests.servers.scripts import answer_by, hang, message

pytestmark = pytest.mark.django_db(transaction=True)

ALL = {"access_token", "refresh_token"}


@dataclass
class Rotating:
    """A provider that rotates its refresh tokens and withdraws only what is named. It answers once `go` is set."""

    server: Server = field(init=False)
    good: set[str] = field(default_factory=set)
    forms: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    gives: tuple[str, ...] = ("access_token", "refresh_token")
    asked: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: ReceivedRequest) -> bytes:
        if request.target == "/api":
            return message("200 OK")
        form = dict(parse_qsl(request.body.decode()))
        self.forms.append((request.target, form))
        if request.target == "/revoke":
            error = self.refuses.get(form["token_type_hint"])
            if error is None:
                self.good.discard(form["token"])
            status, document = ("400 Bad Request", {"error": error}) if error else ("200 OK", {})
            return message(status, json.dumps(document).encode())
        self.good.discard(form.get("refresh_token", ""))
        number = len(self.forms)
        answer = {kind: f"{kind.partition('_')[0]}-{number}" for kind in self.gives}
        self.good.update(answer.values())
        self.asked.set()
        self.go.wait(10)
        return message("200 OK", json.dumps({**answer, "expires_in": 300}).encode())

    def revoked(self) -> list[str]:
        """The tokens that it was asked to withdraw."""
        return [form["token"] for target, form in self.forms if target == "/revoke"]


@contextmanager
def rotating() -> Iterator[Rotating]:
    provider = Rotating()
    with serve(answer_by(provider.answer)) as server:
        provider.server = server
        yield provider
        provider.go.set()


def connected(provider: Rotating, **options: str) -> AuthConfig:
    """acme/crm, which holds good tokens of the provider that have just expired."""
    server = provider.server
    known = {
        "token_url": server.url("/token"),
        "authorization_url": server.url("/authorize"),
        "revocation_url": server.url("/revoke"),
        "client_id": "console",
    }
    wired(
        server.url("/api"),
        method="oauth2_authorization_code",
        options={**known, **options},
        secrets={"client_secret": "secret of the first"},
    )
    past = timezone.now() - timedelta(seconds=1)
    store_token(
        access_token="access-0",
        refresh_token="refresh-0",
        generation=1,
        state="valid",
        expires_at=past,
        refresh_after=past,
    )
    provider.good = {"access-0", "refresh-0"}
    return the_config()


@pytest.fixture
def provider() -> Iterator[Rotating]:
    with rotating() as running:
        yield running


def apart(work: Callable[[], Any]) -> threading.Thread:
    """The work, begun in another thread."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextmanager
def before(*statements: str, act: Callable[[], Any], times: int = 1) -> Iterator[None]:
    """Let something happen elsewhere, right before this thread's first statements that begin so."""
    left = [times]

    def wrapper(execute: Any, sql: str, *more: Any) -> Any:
        if left[0] and sql.startswith(statements):
            left[0] -= 1
            apart(act).join(10)
        return execute(sql, *more)

    with connection.execute_wrapper(wrapper):
        yield


# What the transaction of a disconnect begins with.
WRITES = ("BEGIN",) if connection.vendor == "sqlite" else ('UPDATE "authconfigs_authconfig"',)


def moved_to(other: Server, *, seed: str = "seed") -> Callable[[], None]:
    """An edit that moves the config to another provider, whose refresh token is pasted in."""

    def edit() -> None:
        with tenant_scope(the_config().tenant_id):
            config = the_config()
            secrets = {"client_secret": "secret of the second", "refresh_token": seed}
            draft = draft_of(config, secrets=secrets)
            urls = {"token_url": other.url("/token"), "revocation_url": other.url("/revoke")}
            draft = replace(draft, options={**draft.options, **urls})
            save_config(draft, environment=config.environment, config=config, widen_origins=True)

    return edit


def described() -> None:
    """An edit that leaves the tokens alone."""
    with tenant_scope(the_config().tenant_id):
        config = the_config()
        draft = draft_of(config)
        draft = replace(draft, options={**draft.options, "default_lifetime": config.revision})
        save_config(draft, environment=config.environment, config=config)


def disconnected(config: AuthConfig | None = None) -> Withdrawn:
    config = config or the_config()
    with tenant_scope(config.tenant_id):
        return disconnect(config)


def called() -> None:
    with suppress(CallFailed, LookupError):
        connect("acme", "crm", environment="staging").get("")


def swept() -> None:
    refresh_chunk([str(the_config().id)])


def events() -> list[tuple[str, str]]:
    with tenant_scope(the_config().tenant_id):
        return list(TokenEvent.objects.order_by("at", "id").values_list("kind", "summary"))


def is_forgotten() -> bool:
    row = stored_token()
    return (row.access_token, row.refresh_token, row.lease_owner) == (None, None, None)


def test_edit_that_a_disconnect_meets_gets_its_token_withdrawn_where_it_is_from(
    provider: Rotating,
) -> None:
    connected(provider)
    provider.go.set()
    called()
    provider.forms.clear()
    with rotating() as other:
        with before(*WRITES, act=moved_to(other.server)):
            told = disconnected()
        assert told == Withdrawn(True, "The provider withdrew them.")
        assert (provider.revoked(), other.revoked()) == ([], ["seed"])
    assert is_forgotten()


def test_edit_that_leaves_the_tokens_alone_holds_no_disconnect_up(provider: Rotating) -> None:
    connected(provider)
    with before(*WRITES, act=described, times=2):
        assert disconnected().revoked
    assert is_forgotten()
    assert not provider.good


def test_config_that_is_edited_all_the_time_isnt_disconnected_and_it_is_said(
    provider: Rotating,
) -> None:
    config = connected(provider)
    with before(*WRITES, act=described, times=100), pytest.raises(EditConflict, match="again"):
        disconnected()
    client = browser(config.tenant)
    with before(*WRITES, act=described, times=100):
        page = client.post(url("disconnect", config.id), posted(config.tenant), follow=True)
    assert "so it isn&#x27;t disconnected" in html(page)
    assert stored_token().refresh_token is not None
    assert provider.revoked() == []


def test_token_that_is_stored_while_a_disconnect_begins_is_withdrawn(provider: Rotating) -> None:
    connected(provider)
    refresh = apart(called)
    provider.asked.wait(10)

    def stored() -> None:
        provider.go.set()
        refresh.join(1)

    with before('UPDATE "authconfigs_oauthtoken"', act=stored):
        assert disconnected().revoked
    refresh.join()
    # The access token that was replaced had expired.
    assert provider.good <= {"access-0"}
    assert is_forgotten()


def test_refresh_that_began_with_a_pasted_token_is_withdrawn_too(provider: Rotating) -> None:
    connected(provider)
    moved_to(provider.server)()
    provider.good = {"seed"}
    refresh = apart(called)
    provider.asked.wait(10)
    disconnected()
    provider.go.set()
    refresh.join()
    assert not provider.good


@pytest.mark.parametrize("way", [called, swept])
def test_refresh_that_comes_too_late_is_withdrawn(
    provider: Rotating, way: Callable[[], None]
) -> None:
    connected(provider)
    refresh = apart(way)
    provider.asked.wait(10)
    disconnected()
    provider.go.set()
    refresh.join()
    assert not provider.good
    assert is_forgotten()
    kinds = [kind for kind, _ in events()]
    assert kinds == ["disconnected", "discarded", "discarded"]
    assert events()[-1][1] == (
        "Tokens came after the auth config was disconnected. The provider withdrew them."
    )


def test_refresh_token_that_comes_too_late_and_alone_is_withdrawn(provider: Rotating) -> None:
    connected(provider)
    provider.gives = ("refresh_token",)
    refresh = apart(called)
    provider.asked.wait(10)
    disconnected()
    provider.go.set()
    refresh.join()
    assert provider.revoked()[-1] == "refresh-1"
    assert not provider.good
    assert is_forgotten()


def test_consent_that_comes_too_late_is_withdrawn() -> None:
    with Provider() as provider:
        journey = back_from(provider, "link")
        provider.switches.token_delay = 0.5
        ends: list[Any] = []
        late = apart(lambda: ends.append(journey.deliver()))
        while not provider.ledger.consents():
            assert late.is_alive()
        disconnected()
        late.join()
        assert ends == [REFUSED]
        assert provider.ledger.consents() == []
    assert is_forgotten()


@pytest.mark.parametrize(
    ("options", "refuses", "told"),
    [
        ({"revocation_url": ""}, {}, "has no revocation URL. Withdraw the access at the provider"),
        ({}, dict.fromkeys(ALL, "invalid_request"), "didn't withdraw them: The revocation"),
    ],
)
def test_late_token_that_stays_good_is_told_in_the_history(
    provider: Rotating, options: dict[str, str], refuses: dict[str, str], told: str
) -> None:
    connected(provider, **options)
    provider.refuses = refuses
    refresh = apart(called)
    provider.asked.wait(10)
    disconnected()
    provider.go.set()
    refresh.join()
    assert is_forgotten()
    kind, summary = events()[-1]
    assert kind == "discarded"
    assert told in summary


def reconnected() -> None:
    disconnected()
    store_token(refresh_token="of another consent", connected_at=timezone.now())


def deleted() -> None:
    disconnected()
    config = the_config()
    with tenant_scope(config.tenant_id):
        config.connections.all().delete()
        config.delete()


@pytest.mark.parametrize("case", ["edited", "reconnected", "moved", "deleted"])
def test_late_token_is_withdrawn_by_a_disconnect_alone(provider: Rotating, case: str) -> None:
    tenant_id = connected(provider).tenant_id
    with rotating() as other:
        act = {
            "edited": moved_to(other.server, seed=""),
            "reconnected": reconnected,
            "moved": lambda: (disconnected(), moved_to(other.server, seed="")()),
            "deleted": deleted,
        }[case]
        refresh = apart(called)
        provider.asked.wait(10)
        act()
        provider.go.set()
        refresh.join()
        assert {"access-1", "refresh-1"} <= provider.good
        assert not {"access-1", "refresh-1"} & set(other.revoked())
    with tenant_scope(tenant_id):
        assert not TokenEvent.objects.filter(summary__startswith="Tokens came").exists()


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (
            "refresh_token",
            "The provider didn't withdraw the refresh token: The revocation endpoint refuses"
            " (400 unsupported_token_type). The provider withdrew the access token."
            " Withdraw the access at the provider by hand.",
        ),
        (
            "access_token",
            "The provider withdrew the refresh token. The provider didn't withdraw the access"
            " token: The revocation endpoint refuses (400 unsupported_token_type)."
            " The access token may work until it expires."
            " Withdraw the access at the provider by hand.",
        ),
    ],
)
def test_each_token_is_withdrawn_whatever_becomes_of_the_other(
    provider: Rotating, refused: str, told: str
) -> None:
    connected(provider)
    provider.refuses = {refused: "unsupported_token_type"}
    assert disconnected() == Withdrawn(False, told)
    assert provider.revoked() == ["refresh-0", "access-0"]
    assert len(provider.good) == 1


@contextmanager
def once_leased(act: Callable[[], Any]) -> Iterator[None]:
    """Let something happen elsewhere once this thread has a lease."""
    done: list[bool] = []

    def wrapper(execute: Any, sql: str, *more: Any) -> Any:
        result = execute(sql, *more)
        if not done and sql.startswith('UPDATE "authconfigs_oauthtoken" SET "lease_owner"'):
            done.append(True)
            apart(act).join(10)
        return result

    with connection.execute_wrapper(wrapper):
        yield
    assert done


def test_token_of_another_provider_isnt_sent_by_a_refresh_that_began_before_the_edit(
    provider: Rotating,
) -> None:
    connected(provider)
    provider.go.set()
    with rotating() as other:
        other.go.set()
        with once_leased(moved_to(other.server)):
            called()
        assert provider.forms == []
        # The call is repeated with the config as it is now.
        assert [form["refresh_token"] for _, form in other.forms] == ["seed"]


def audience_edited() -> None:
    with tenant_scope(the_config().tenant_id):
        config = the_config()
        draft = draft_of(config)
        audience = {"audience": "https://api.example.com"}
        draft = replace(draft, options={**draft.options, **audience})
        save_config(draft, environment=config.environment, config=config)


def test_lease_that_an_edit_made_useless_holds_nobody_up(provider: Rotating) -> None:
    connected(provider)
    provider.go.set()
    with once_leased(audience_edited):
        called()
    assert [form.get("audience") for _, form in provider.forms[:1]] == ["https://api.example.com"]
    assert stored_token().lease_owner is None


def test_refresh_token_that_was_sealed_anew_meanwhile_is_handed_on_too(provider: Rotating) -> None:
    connected(provider)
    sweep = apart(swept)
    assert provider.asked.wait(10)
    call_command("rotate_encryption_keys", "--data-keys", stdout=StringIO())
    audience_edited()
    provider.go.set()
    sweep.join()
    kept = stored_token().refresh_token
    assert kept is not None
    assert kept.reveal() in provider.good


def test_late_token_that_is_withdrawn_slowly_holds_nobody_up(
    provider: Rotating, settings: Settings
) -> None:
    settings.REFRESH_PER_HOST = 1
    settings.OUTBOUND_TIMEOUT = 6
    with serve(hang()) as silent, Provider() as other:
        config = connected(provider, revocation_url=silent.url("/revoke"))
        other.switches.token_delay = 0.5
        for number in range(6):
            due_config(config.environment, other, f"good-{number}")
        sweep = apart(refresh_all)
        assert provider.asked.wait(10)
        begun = timezone.now()
        leaving = apart(lambda: disconnected(config))
        time.sleep(0.5)
        provider.go.set()
        sweep.join()
        leaving.join()
    good = [row for name, row in rows().items() if name.startswith("good")]
    waited = [row.obtained_at - begun for row in good if row.obtained_at]
    assert len(waited) == 6
    assert max(waited) < timedelta(seconds=LATE_WAIT)


def test_client_of_a_refresh_is_told_when_the_config_was_moved(provider: Rotating) -> None:
    config = connected(provider)
    provider.go.set()
    client = browser(config.tenant)
    with rotating() as other:
        with once_leased(moved_to(other.server)):
            page = client.post(url("refresh", config.id), posted(config.tenant), follow=True)
        assert "was edited while it was being used" in html(page)
    assert provider.forms == []
