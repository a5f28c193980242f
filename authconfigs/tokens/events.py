"""The history of a config's token: a row per thing that happened, written in the transaction of what happened."""

from uuid import UUID

from authconfigs.models import OAuthToken, TokenEvent
from authconfigs.symptoms import Symptom
from tenants.actor import current_actor
from tenants.scope import active_tenant_id


def write_event(
    config_id: UUID,
    kind: TokenEvent.Kind,
    *,
    state: OAuthToken.State,
    symptom: Symptom | None = None,
    summary: str = "",
    granted_scope: str = "",
    mail_due: bool = False,
) -> None:
    """Write down what happened, and who asked, in the active tenant. `state` is the token's state afterwards.

    mail_due: the tenant's admins are to be told of it.
    """
    event = new_event(
        config_id,
        kind,
        state=state,
        symptom=symptom,
        summary=summary,
        granted_scope=granted_scope,
        mail_due=mail_due,
    )
    event.save()


def new_event(
    config_id: UUID,
    kind: TokenEvent.Kind,
    *,
    state: str,
    tenant_id: UUID | None = None,
    symptom: Symptom | None = None,
    summary: str = "",
    granted_scope: str = "",
    mail_due: bool = False,
) -> TokenEvent:
    """The same, not yet written: for `TokenEvent.objects.bulk_create`. Without `tenant_id` the active tenant's."""
    return TokenEvent(
        tenant_id=tenant_id or active_tenant_id(),
        config_id=config_id,
        kind=kind,
        state=state,
        actor=current_actor().name[:200],
        symptom=symptom or "",
        summary=summary[:1000],
        granted_scope=granted_scope,
        mail_due=mail_due,
    )
