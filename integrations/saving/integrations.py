"""The one save path of integrations."""

from django.db import IntegrityError, transaction

from authconfigs.saving import InvalidDraft, conflict
from integrations.models import Connection, Integration, IntegrationRevision
from integrations.saving.drafts import IntegrationDraft, SavedIntegration
from integrations.saving.revisions import content_errors, revision_of
from tenants import audit
from tenants.wording import column_errors


def save_integration(
    draft: IntegrationDraft,
    *,
    integration: Integration | None = None,
    moves_connections: bool = True,
) -> SavedIntegration:
    """Make or change an integration. Other headers or another query are a new head.

    moves_connections: the connections of unprotected environments run the new head at once; protected ones keep theirs.
    Raises InvalidDraft, and EditConflict when somebody else was faster.
    """
    row = integration or Integration(slug=draft.slug)
    fields = _changed(draft, integration)
    if not fields:
        return SavedIntegration(row, False, (), ())
    _judge(draft, is_new=integration is None)
    try:
        with transaction.atomic():
            if integration is None:
                row.name = draft.name
                row.save()
            head = revision_of(row, draft.headers, draft.query)
            seen = Integration.objects.filter(id=row.id, name=row.name, head=row.head_id)
            if not seen.update(name=draft.name, head=head):
                raise conflict(row)
            moves = moves_connections and row.head_id not in (None, head.id)
            row.name, row.head = draft.name, head
            moved = _move(row, head) if moves else ()
            audit.record("create" if integration is None else "change", row, fields=fields)
    except IntegrityError:
        raise conflict(row) from None
    return SavedIntegration(row, integration is None, fields, moved)


def _changed(draft: IntegrationDraft, integration: Integration | None) -> tuple[str, ...]:
    if integration is None or integration.head is None:
        return ("slug", "name", "headers", "query")
    head = integration.head
    pairs = {
        "name": (integration.name, draft.name),
        "headers": (head.headers, dict(draft.headers)),
        "query": (head.query, dict(draft.query)),
    }
    return tuple(field for field, (old, new) in pairs.items() if old != new)


def _judge(draft: IntegrationDraft, *, is_new: bool) -> None:
    errors = column_errors(Integration(slug=draft.slug, name=draft.name), ["slug", "name"])
    errors |= content_errors(draft.headers, draft.query)
    if is_new and Integration.objects.filter(slug=draft.slug).exists():
        errors["slug"] = [
            "There is an integration of this slug already: choose another slug, or edit that one."
        ]
    if errors:
        raise InvalidDraft(errors)


def _move(integration: Integration, head: IntegrationRevision) -> tuple[Connection, ...]:
    """Let the connections of unprotected environments run the head."""
    rows = Connection.objects.filter(integration=integration, environment__protected=False).exclude(
        revision=head
    )
    moved = tuple(rows.select_related("environment", "integration"))
    for connection in moved:
        connection.revision = head
        connection.revision_number += 1
        connection.save(update_fields=["revision", "revision_number"])
        audit.record("change", connection, fields=["revision"])
    return moved
