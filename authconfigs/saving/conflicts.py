"""Words for whoever saves over what somebody else has just saved."""

from django.db import models

from authconfigs.saving.drafts import EditConflict
from tenants.models import AuditEvent


def conflict(row: models.Model) -> EditConflict:
    """The refusal, which says who was faster and what to do."""
    last = AuditEvent.objects.filter(object_id=str(row.pk)).first()
    who = f"{last.actor} at {last.at:%H:%M:%S} UTC" if last is not None else "somebody else"
    return EditConflict(
        f"This {row._meta.verbose_name} was changed by {who}, after you had opened it. Nothing of yours is saved: open it"
        " again and make your change there."
    )
