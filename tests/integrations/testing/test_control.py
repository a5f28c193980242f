"""The negative control: its five values, and its limits."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from integrations import testing
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection, ConnectionTest, ControlTurn
from tenants.scope import tenant_scope
from tests.integrations.testing.cases import (
    basic,
    bearer,
    change,
    connection,
    run,
    step,
    tenant_id,
)
from tests.integrations.wired import NAME, change_config, wired, wired_oauth
from tests.servers.raw import Conversation, ReceivedRequest, Script, serve
from tests.servers.scripts import answer_by, message

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def api_that_answers_wrong_ones(status: str, right: str = "200 OK") -> Script:
    """Answers the right token with `right`, and a wrong one with `status`."""
    return answer_by(
        lambda request: message(
            right if request.header("Authorization") == b"Bearer right-token" else status
        )
    )


def row_against(status: str, **values: Any) -> tuple[ConnectionTest, int]:
    """The test of an API that answers wrong credentials like this, and how many requests it got."""
    with serve(api_that_answers_wrong_ones(status)) as server:
        bearer(server.url(), token="right-token")
        change(**values) if values else None
        return run(), len(server.requests)


@pytest.mark.parametrize("status", ["401 X", "403 X", "400 X", "404 X"])
def test_wrong_credential_that_is_refused_makes_a_test_green(status: str) -> None:
    row, _ = row_against(status)

    assert (row.ok, row.negative_control, row.symptom) == (True, "refused", "")
    assert step(row, "negative_control")["ok"]
    assert row.summary == "It works: the API answered 200, and refuses a wrong credential."


@pytest.mark.parametrize("status", ["200 OK", "206 X"])
def test_wrong_credential_that_is_accepted_makes_it_unproven(status: str) -> None:
    row, _ = row_against(status)

    assert (row.ok, row.negative_control, row.symptom) == (False, "accepted", "unproven")


@pytest.mark.parametrize("status", ["429 X", "500 X", "503 X", "302 X"])
def test_other_answers_say_nothing_and_dont_touch_ok(status: str) -> None:
    row, _ = row_against(status)

    assert (row.ok, row.negative_control) == (True, "inconclusive")
    assert f"stayed open: the API answered {status[:3]} to a wrong credential" in row.summary


def test_success_of_another_status_is_inconclusive() -> None:
    assert row_against("202 X", test_expect=[200])[0].negative_control == "inconclusive"


def test_no_answer_to_it_is_inconclusive() -> None:
    def script(talk: Conversation) -> None:
        while request := talk.read_request():
            if request.header("Authorization") != b"Bearer right-token":
                talk.reset()
                return
            talk.send(message("200 OK"))

    with serve(script) as server:
        bearer(server.url(), token="right-token")
        row = run()

    assert (row.ok, row.negative_control) == (True, "inconclusive")
    assert "no answer" in row.summary


def test_expected_refusal_that_the_wrong_one_gets_too_is_accepted() -> None:
    with serve(api_that_answers_wrong_ones("404 X", right="404 X")) as server:
        bearer(server.url(), token="right-token")
        change(test_expect=[404])
        row = run()

    assert (row.ok, row.negative_control) == (False, "accepted")


def test_it_can_be_switched_off() -> None:
    row, seen_there = row_against("200 OK", negative_control=False)

    assert (row.ok, row.negative_control, seen_there) == (True, "off", 1)


def test_it_is_never_sent_with_a_method_that_changes_something() -> None:
    row, seen_there = row_against("200 OK", test_method="POST", test_body="{}")

    assert (row.ok, row.negative_control, seen_there) == (True, "not_run", 1)
    assert "never sent with POST" in row.summary


def test_it_is_sent_with_head() -> None:
    row, seen_there = row_against("401 X", test_method="HEAD")

    assert (row.negative_control, seen_there) == ("refused", 2)


def test_it_is_never_sent_after_a_failed_test(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer", token="wrong-token")
    row = run()

    assert (row.ok, row.negative_control) == (False, "not_run")
    assert provider.count("GET /bearer") == 1


def test_it_is_never_sent_without_authentication(provider: Provider) -> None:
    wired(provider.base_url + "/open", method=None)
    row = run()

    assert (row.ok, row.negative_control) == (True, "not_run")
    assert provider.count("GET /open") == 1


def test_it_never_goes_to_a_token_endpoint(provider: Provider) -> None:
    wired_oauth(provider)
    row = run()

    assert (row.ok, row.negative_control) == (True, "refused")
    assert provider.count("POST /token") == 1
    assert provider.count("GET /bearer") == 2


def test_it_never_uses_the_real_user_name(provider: Provider) -> None:
    basic(provider)
    row = run()

    assert row.negative_control == "refused"
    first, second = provider.requests
    assert first.header("Authorization") != second.header("Authorization")
    assert "ZGVtbzp" in (first.header("Authorization") or "")
    assert "ZGVtbzp" not in (second.header("Authorization") or "")


# Its result is used again.


def seen(requests: list[ReceivedRequest]) -> int:
    return sum(1 for one in requests if one.header("Authorization") != b"Bearer right-token")


def shift(**by: timedelta) -> None:
    """Move times of the connection's row, as the clock would."""
    with tenant_scope(tenant_id()):
        row = Connection.objects.get()
        values = {name: getattr(row, name) - delta for name, delta in by.items()}
        Connection.objects.update(**values)


def test_result_is_used_again_for_ten_minutes() -> None:
    with serve(api_that_answers_wrong_ones("200 OK")) as server:
        bearer(server.url(), token="right-token")
        first, second = run(), run()
        assert seen(server.requests) == 1
        shift(control_at=timedelta(minutes=11))
        run()
        assert seen(server.requests) == 2

    assert first.negative_control == second.negative_control == "accepted"
    assert second.symptom == "unproven"
    assert "as found at" in step(second, "negative_control")["detail"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda: change(test_path="/other"),
        lambda: change(revision_number=2),
        lambda: change(test_method="HEAD"),
        lambda: change_config(revision=2),
    ],
)
def test_result_is_not_used_again_after_a_change(edit: Callable[[], None]) -> None:
    with serve(api_that_answers_wrong_ones("401 X")) as server:
        bearer(server.url(), token="right-token")
        run()
        edit()
        run()

        assert seen(server.requests) == 2


def test_result_is_good_for_a_day_in_bulk() -> None:
    with serve(api_that_answers_wrong_ones("401 X")) as server:
        bearer(server.url(), token="right-token")
        run()
        shift(control_at=timedelta(hours=23))
        (row,) = testing.test_connections([NAME])
        assert seen(server.requests) == 1
        shift(control_at=timedelta(hours=2))
        testing.test_connections([NAME])
        assert seen(server.requests) == 2

    assert row.negative_control == "refused"


def test_429_to_it_stops_it_for_an_hour() -> None:
    with serve(api_that_answers_wrong_ones("429 X")) as server:
        bearer(server.url(), token="right-token")
        assert run().negative_control == "inconclusive"
        shift(control_at=timedelta(minutes=30))
        stopped = run()
        assert seen(server.requests) == 1
        shift(control_stopped_until=timedelta(minutes=61))
        run()
        assert seen(server.requests) == 2

    assert (stopped.ok, stopped.negative_control) == (True, "not_run")
    assert "429" in stopped.summary


# One at a time per origin.


def test_it_waits_for_its_turn_at_the_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.testing.single.LONGEST", 1.5)
    with serve(api_that_answers_wrong_ones("401 X")) as server:
        bearer(server.url(), token="right-token")
        ControlTurn.objects.create(
            origin=server.url("").rstrip("/"),
            owner=uuid4(),
            until=timezone.now() + timedelta(seconds=10),
        )
        row = run()
        assert seen(server.requests) == 0

    assert (row.ok, row.negative_control) == (True, "not_run")
    assert "another test" in row.summary


def test_turn_of_somebody_who_died_is_taken_over() -> None:
    with serve(api_that_answers_wrong_ones("401 X")) as server:
        bearer(server.url(), token="right-token")
        ControlTurn.objects.create(
            origin=server.url("").rstrip("/"), owner=uuid4(), until=timezone.now()
        )
        assert run().negative_control == "refused"

    assert not ControlTurn.objects.exists()


def test_its_result_is_kept_with_the_connection(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer", token=accounts.BEARER_TOKEN)
    run()

    assert connection().control_result == "refused"
    assert connection().control_at is not None
