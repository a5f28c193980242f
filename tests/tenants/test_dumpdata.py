import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tenants.audit import record
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


def dumped(*labels: str) -> list[dict[str, Any]]:
    record("change", make_tenant())
    out = StringIO()
    call_command("dumpdata", *labels, use_base_manager=True, stdout=out)
    rows: list[dict[str, Any]] = json.loads(out.getvalue())
    return rows


@pytest.mark.parametrize("labels", [(), ("tenants",)])
def test_the_audit_trail_is_left_out(labels: tuple[str, ...]) -> None:
    models = {row["model"] for row in dumped(*labels)}
    assert "tenants.tenant" in models
    assert "tenants.auditevent" not in models


def test_the_audit_trail_is_dumped_when_it_is_named() -> None:
    assert [row["fields"]["action"] for row in dumped("tenants.AuditEvent")] == ["change"]
