"""`check_health`: what is measured, and when it is a failure."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from authconfigs.beat import HeartbeatScheduler, Part, give_sign
from authconfigs.health import broker_answers, health, pulse
from authconfigs.models import DataKey, Heartbeat
from integrations.demo.provider import Provider
from tenants import audit_triggers
from tests.integrations.wired import change_config, change_token, store_token, wired_oauth

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]


def ran(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, document, and what is said of it."""
    out = io.StringIO()
    try:
        call_command("check_health", "--json", *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as failure:
        return failure.returncode, json.loads(out.getvalue()), str(failure)
    return 0, json.loads(out.getvalue()), ""


def last_sign(part: Part, seconds_ago: float) -> None:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(part=part, defaults={"at": at})


def alive() -> None:
    give_sign(Part.BEAT)
    give_sign(Part.WORKER)


def test_all_is_well() -> None:
    alive()
    code, document, _ = ran()

    assert code == 0
    assert {name: value for name, value in document.items() if not name.endswith("_age_s")} == {
        "ok": True,
        "database": True,
        "broker": True,
        "due": 0,
        "overdue": 0,
        "unreadable_data_keys": 0,
    }
    assert 0 <= document["beat_age_s"] < 30
    assert 0 <= document["worker_age_s"] < 30


@pytest.mark.parametrize("part", Part)
def test_three_missed_beats_are_a_failure(part: Part, settings: Settings) -> None:
    settings.BEAT_SECONDS = 10.0
    alive()
    last_sign(part, 25)
    assert ran()[0] == 0
    last_sign(part, 35)

    code, document, told = ran()

    assert (code, document["ok"]) == (1, False)
    assert 34 < document[f"{part.value}_age_s"] < 60
    assert "is 35 s old" in told


def test_worker_isnt_blamed_for_the_clocks_silence(settings: Settings) -> None:
    settings.BEAT_SECONDS = 10.0
    last_sign(Part.BEAT, 300)
    last_sign(Part.WORKER, 300)
    code, document, told = ran()
    assert (code, document["ok"], round(document["worker_age_s"])) == (1, False, 300)
    assert told.startswith("The last sign of Celery beat is 300 s old. ")
    assert told.endswith(" Whether a Celery worker runs is unknown while Celery beat is silent.")
    assert "Start a Celery worker" not in told
    last_sign(Part.WORKER, 5)
    assert "worker" not in ran()[2]
    give_sign(Part.BEAT)
    last_sign(Part.WORKER, 300)
    assert "The last sign of a Celery worker is 300 s old. " in ran()[2]


def test_command_names_the_two_as_the_page_does() -> None:
    alive()
    out = io.StringIO()
    call_command("check_health", stdout=out)
    assert "Celery beat: last sign of life" in out.getvalue()
    assert "Celery worker: last sign of life" in out.getvalue()
    Heartbeat.objects.all().delete()
    with pytest.raises(CommandError):
        call_command("check_health", stdout=out)
    assert out.getvalue().count("Celery worker: unknown while Celery beat is silent") == 1


def test_silence_from_the_start_is_a_failure() -> None:
    code, document, _ = ran()

    assert (code, document["beat_age_s"], document["worker_age_s"]) == (1, None, None)
    assert pulse().beat_age_s is None


def test_due_tokens_are_counted_and_those_that_wait_too_long() -> None:
    alive()
    with Provider() as provider:
        wired_oauth(provider)
    now = timezone.now()

    def counted(**row: Any) -> tuple[int | None, int | None]:
        change_token(**{"state": "valid", "next_attempt_at": None, **row})
        found = health()
        return found.due, found.overdue

    assert counted(refresh_after=now + timedelta(minutes=1)) == (0, 0)
    assert counted(refresh_after=now - timedelta(seconds=60)) == (1, 0)
    assert counted(refresh_after=now - timedelta(minutes=10)) == (1, 1)
    assert counted(next_attempt_at=now - timedelta(seconds=60)) == (1, 0)
    assert counted(next_attempt_at=now + timedelta(seconds=60)) == (0, 0)
    assert counted(state="stopped") == (0, 0)
    store_token(access_token="t")
    change_config(disabled_at=now)
    assert counted() == (0, 0)


def test_keys_that_dont_open_are_a_failure(settings: Settings) -> None:
    alive()
    with Provider() as provider:
        wired_oauth(provider)
    assert DataKey.objects.exists()
    settings.FIELD_ENCRYPTION_KEYS = "k1:" + "A" * 43

    code, document, told = ran()

    assert (code, document["unreadable_data_keys"]) == (1, 1)
    assert "FIELD_ENCRYPTION_KEYS" in told


def test_missing_audit_triggers_are_a_failure() -> None:
    alive()
    audit_triggers.remove()
    try:
        code, _, told = ran()
    finally:
        audit_triggers.install()

    assert code == 1
    assert "tenants_audit_update" in told


@pytest.mark.parametrize("fault", ["missing", "a file", "read-only"])
def test_folder_of_the_queue_that_takes_no_message_is_said(
    fault: str, settings: Settings, tmp_path: Path
) -> None:
    alive()
    folder = tmp_path / "broker"
    settings.BROKER_DIR = folder
    if fault == "a file":
        folder.touch()
    elif fault == "read-only":
        if os.geteuid() == 0:
            settings.BROKER_DIR = "/proc/self"
        else:
            folder.mkdir(mode=0o500)

    code, document, told = ran()

    assert (code, document["broker"], document["database"]) == (1, False, True)
    assert "Queue unavailable" in told


def test_broker_that_doesnt_answer_is_said_in_time(settings: Settings) -> None:
    settings.BROKER_DIR = None
    app = current_app._get_current_object()
    before = {name: app.conf[name] for name in ("broker_url", "broker_transport")}
    app.conf.update(broker_url="redis://:s3cr3t@127.0.0.1:1/0", broker_transport=None)
    try:
        started = timezone.now()
        assert not broker_answers()
        assert timezone.now() - started < timedelta(seconds=5)
    finally:
        app.conf.update(before)


def test_process_without_a_queue_or_database_tells_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "broker").touch()
    told = subprocess.run(
        [sys.executable, "manage.py", "check_health", "--json"],
        cwd=ROOT,
        env={
            **os.environ,
            "BROKER_URL": f"filesystem://{tmp_path}/broker",
            "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )

    document = json.loads(told.stdout)
    assert told.returncode == 1
    assert (document["ok"], document["database"], document["broker"]) == (False, False, False)
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("arguments", [("acme",), ("--jsn",), ("--due-within", "5")])
def test_what_isnt_understood_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("check_health", *arguments)
    assert caught.value.returncode == 2


@pytest.fixture
def clock() -> Iterator[HeartbeatScheduler]:
    scheduler = HeartbeatScheduler(app=current_app._get_current_object())
    try:
        yield scheduler
    finally:
        scheduler.close()


def test_clock_gives_a_sign_only_after_it_has_sent(clock: HeartbeatScheduler) -> None:
    with pytest.raises(Exception, match="apply scheduled task"):
        clock.apply_async(
            clock.Entry(name="x", task="x", args=[object()], schedule=1, app=clock.app)
        )
    assert pulse().beat_age_s is None
    clock.apply_async(clock.Entry(name="x", task="x", schedule=1, app=clock.app))
    assert pulse().beat_age_s is not None


def test_everything_is_sent_when_the_clock_starts(clock: HeartbeatScheduler) -> None:
    for _ in settings.CELERY_BEAT_SCHEDULE:
        assert clock.tick() == 0
    assert clock.tick() > 1

    assert {entry.total_run_count for entry in clock.schedule.values()} == {1}
    assert set(clock.schedule) == set(settings.CELERY_BEAT_SCHEDULE)
