"""The box about the background work: what it says to whom, and that no page waits for it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authconfigs.beat import Part, give_sign
from authconfigs.health import Health
from authconfigs.models import Heartbeat
from integrations.admin.background import figures_of, parts_of
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html
from tests.factories import log_in, make_tenant, make_user

WELL: dict[str, Any] = {
    "database": True,
    "broker": True,
    "beat_age_s": 12.0,
    "worker_age_s": 3.0,
    "due": 4,
    "overdue": 0,
    "unreadable_data_keys": 0,
}


def box(client: Client) -> str:
    return html(client.get(reverse("health_box")))


@pytest.mark.parametrize(
    ("found", "part", "text", "tone"),
    [
        ({}, "Queue", "Available", "good"),
        ({"broker": False}, "Queue", "Queue unavailable", "bad"),
        ({}, "Celery beat", "Running", "good"),
        ({"beat_age_s": None}, "Celery beat", "Never seen", "bad"),
        ({"beat_age_s": 181.0}, "Celery beat", "Silent", "bad"),
        ({"worker_age_s": 181.0}, "Celery worker", "Silent", "bad"),
        ({"beat_age_s": 181.0, "worker_age_s": 200.0}, "Celery worker", "Unknown", "quiet"),
        ({"beat_age_s": None, "worker_age_s": None}, "Celery worker", "Unknown", "quiet"),
        ({"beat_age_s": 181.0}, "Celery worker", "Running", "good"),
        ({"database": False, "due": None}, "Database", "Unavailable", "bad"),
        ({}, "Tokens due", "4", "good"),
        ({"overdue": 2}, "Tokens due", "4", "warn"),
        ({"unreadable_data_keys": 1}, "Data keys", "1 unreadable", "bad"),
        ({"missing_triggers": ("one",)}, "Audit trail", "Not protected", "bad"),
    ],
)
def test_each_part_is_told(found: dict[str, Any], part: str, text: str, tone: str) -> None:
    health = Health(**{**WELL, **found})
    lines = {line.name: line for line in (*parts_of(health), *figures_of(health))}
    assert (lines[part].status.text, lines[part].status.tone) == (text, tone)


def test_staff_read_no_figures_of_other_tenants(tenant: Tenant) -> None:
    give_sign(Part.BEAT)
    page = box(browser(tenant, Role.VIEWER))
    assert "Available" in page
    assert "Running" in page
    assert "Tokens due" not in page


def test_operator_reads_it_without_a_tenant_on_the_list_of_tenants(db: None) -> None:
    make_tenant()
    at = timezone.now() - timedelta(hours=3)
    Heartbeat.objects.create(part=Part.WORKER, at=at)
    client = Client()
    log_in(client, make_user("root", superuser=True))
    page = box(client)
    assert "Tokens due" in page
    assert "last sign of life 3 h ago" in page
    listed = html(client.get(reverse("admin:tenants_tenant_changelist")))
    assert f'data-fragment="{reverse("health_box")}"' in listed


def test_who_isnt_logged_in_reads_nothing(db: None) -> None:
    answer = Client().get(reverse("health_box"))
    assert answer.status_code == 302
    assert "login" in answer["Location"]


def test_broken_queue_is_said_in_the_box_and_the_page_doesnt_ask(
    tenant: Tenant, settings: Any, tmp_path: Path
) -> None:
    settings.BROKER_DIR = tmp_path / "file"
    settings.BROKER_DIR.touch()
    client = browser(tenant)
    assert "Queue unavailable" in box(client)
    home = html(client.get(reverse("admin:index")))
    assert f'data-fragment="{reverse("health_box")}"' in home
    assert ">Queue unavailable<" not in home
