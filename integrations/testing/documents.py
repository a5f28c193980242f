"""What `test_connection --json` prints of a test's row."""

from typing import Any

from integrations.models import Connection, ConnectionTest
from tenants.scope import tenant_scope


def document_of_test(row: ConnectionTest) -> dict[str, Any]:
    """The document; the three names are null where the row is the test of a config alone."""
    integration = connection = environment = None
    with tenant_scope(row.tenant_id):
        if row.connection_id is not None:
            tested = Connection.objects.select_related("integration", "environment").get(
                id=row.connection_id
            )
            integration, connection = tested.integration.slug, tested.name
            environment = tested.environment.slug
        elif row.config is not None:
            environment = row.config.environment.slug
    return {
        "ok": row.ok,
        "id": str(row.id),
        "symptom": row.symptom or None,
        "summary": row.summary,
        "likely_cause": row.likely_cause,
        "checks": row.checks,
        "status": row.status,
        "stage": row.stage,
        "steps": row.steps,
        "negative_control": row.negative_control,
        "token_refreshed": row.token_refreshed,
        "environment": environment,
        "integration": integration,
        "connection": connection,
        "duration_ms": row.duration_ms,
        "host": row.host,
    }
