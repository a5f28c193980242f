"""Lists as CSV: what their filters show, of this tenant, without secrets, and nothing that a spreadsheet runs."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from tenants.csv_lists import cell
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
)

CONFIGS, CONNECTIONS = "authconfigs_authconfig", "integrations_connection"


def read(client: Client, model: str, query: str = "") -> list[dict[str, str]]:
    answer = client.get(reverse(f"admin:{model}_csv") + query)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("＝1+1", "'＝1+1"),
        ("x;=1+1;y", "x;'=1+1;y"),
        ("x\n =1", "x\n '=1"),
        ("a=b", "a=b"),
        (None, ""),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
    ],
)
def test_cells(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_configs_of_the_filtered_list(tenant: Tenant) -> None:
    staging = make_environment(tenant)
    production = make_environment(tenant, "production", protected=True)
    config = make_config(
        staging, "billing", secrets={"token": "planted-secret"}, description="=HYPERLINK(1)"
    )
    make_config(production, "billing")
    make_connection(make_integration(tenant, name="=cmd"), staging, config)
    make_config(make_environment(make_tenant("globex")), "foreign")
    client = browser(tenant, Role.VIEWER)

    assert {row["environment"] for row in read(client, CONFIGS)} == {"production", "staging"}
    [row] = read(client, CONFIGS, "?environment=staging")
    assert row["name"] == "billing"
    assert row["method"] == "bearer"
    assert row["status"] == "Not tested"
    assert row["used_by"] == "'=cmd"
    assert datetime.fromisoformat(row["secret_set"]).tzinfo is not None
    assert "planted-secret" not in str(row)


def test_connections_of_the_filtered_list(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    for slug, ok in (("fine", True), ("broken", False)):
        make_connection(
            make_integration(tenant, slug),
            environment,
            last_test_ok=ok,
            last_test_symptom="" if ok else "tls",
        )
    client = browser(tenant, Role.VIEWER)

    assert len(read(client, CONNECTIONS)) == 2
    [row] = read(client, CONNECTIONS, "?result=failed")
    assert (row["integration"], row["status"]) == ("broken", "TLS")
    assert row["base_url"] == "https://api.example.com/v1"
    assert row["last_test_at"].endswith("+00:00")


def test_a_filter_that_isnt_there_is_a_mistyped_address(tenant: Tenant) -> None:
    url = reverse(f"admin:{CONNECTIONS}_csv")
    assert browser(tenant).get(f"{url}?integration__slug__startswith=a").status_code == 400


def test_list_leads_to_its_file_with_the_same_filters(tenant: Tenant) -> None:
    make_config(make_environment(tenant), "billing")
    listed = browser(tenant, Role.VIEWER).get(
        reverse(f"admin:{CONFIGS}_changelist") + "?environment=staging"
    )
    assert 'href="csv/?environment=staging"' in listed.content.decode()
