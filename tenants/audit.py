"""The audit trail: `record()` writes a line. Triggers keep what is written as it is (`tenants.audit_triggers`)."""

from collections.abc import Iterable
from types import EllipsisType
from uuid import UUID

from django.db import models

from tenants import audit_triggers
from tenants.actor import current_actor
from tenants.models import AuditEvent
from tenants.scope import active_tenant_id_or_none

# For whoever asks whether all is well.
triggers_missing = audit_triggers.missing


def record(
    action: str,
    obj: models.Model | None = None,
    *,
    fields: Iterable[str] = (),
    outcome: str = "ok",
    name: str = "",
    tenant_id: UUID | EllipsisType | None = ...,
) -> AuditEvent:
    """Write that the current actor did `action` to `obj`, or to what `name` names: names of fields only, never a value.

    It belongs to `tenant_id`; left out, to the object's tenant, or else to the active one. None: to the platform. It is part
    of the caller's transaction: what is rolled back hasn't happened. Out: the stored row.
    """
    actor = current_actor()
    environment = getattr(obj, "environment", None)
    event = AuditEvent(
        tenant_id=_tenant_of(obj) if tenant_id is ... else tenant_id,
        actor_id=actor.user_id,
        actor=_stored("actor", actor.name),
        via=actor.via,
        source_address=actor.address,
        action=action,
        object_type=(obj._meta.model_name or "") if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        object_name=_stored("object_name", name or (str(obj) if obj is not None else "")),
        environment=getattr(environment, "slug", ""),
        fields=sorted(set(fields)),
        outcome=_stored("outcome", outcome),
    )
    event.save(force_insert=True)
    return event


def _tenant_of(obj: models.Model | None) -> UUID | None:
    owner: UUID | None = getattr(obj, "tenant_id", None)
    return owner or active_tenant_id_or_none()


def _stored(field: str, text: str) -> str:
    # What no database holds: NUL, and halves of surrogate pairs.
    text = text.encode(errors="ignore").decode().replace("\0", "")
    column = AuditEvent._meta.get_field(field)
    return text[: column.max_length] if isinstance(column, models.CharField) else text
