"""Tells a tenant's admins by mail what became of a token, once per transition.

The event is claimed before the mail is sent: two processes never send one mail twice, and a crash in between loses one
rather than repeats it. What the mail server didn't take is given back and tried again, for a day at most.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse

from authconfigs.database import database_now
from authconfigs.models import OAuthToken, TokenEvent
from tenants.models import Membership, Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope, unscoped

logger = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(days=1)
# More events of one tenant in one run are told in one mail.
MOST_MAILS = 5
# What one run takes at most, and how many of them a digest names.
MOST_EVENTS = 1000
MOST_NAMED = 50

State = OAuthToken.State
# Per state that somebody is told of: what the subject says of the config, and what its admins can do.
_WORDS: dict[str, tuple[str, str]] = {
    State.REAUTHORIZATION_REQUIRED: (
        "needs reauthorization",
        "Open the auth config, press Connect, and consent at the provider.",
    ),
    State.STOPPED: (
        "is stopped until edited",
        "Open the auth config and correct what the token endpoint refuses. Saving it or pressing “Refresh token” asks again.",
    ),
}


def send_due_mails() -> int:
    """Send the mails that are due, of all tenants; how many were sent. Never raises for the mail server's sake."""
    now = database_now()
    due = _due(now)
    if not due:
        return 0
    mailer = get_connection()
    try:
        mailer.open()
    except Exception as error:
        # Whatever a mail backend raises; its text may hold what it was told.
        logger.warning("The mail server can't be reached: %s", type(error).__name__)
        return 0
    try:
        return sum(
            _tell(tenant, list(events), mailer=mailer, now=now)
            for tenant, events in groupby(due, key=lambda event: event.tenant)
        )
    finally:
        _close(mailer)


def _due(now: datetime) -> list[TokenEvent]:
    with unscoped("the mails of all tenants go out in one run"):
        events = TokenEvent.objects.filter(
            mail_due=True, mailed_at=None, at__gt=now - LONGEST_WAIT, tenant__disabled_at=None
        ).select_related("config__environment", "tenant")
        oldest = list(events.order_by("at", "id")[:MOST_EVENTS])
    return sorted(oldest, key=lambda event: event.tenant_id)


def _tell(tenant: Tenant, events: Sequence[TokenEvent], *, mailer: Any, now: datetime) -> int:
    with tenant_scope(tenant.id):
        claimed = [event for event in events if _claim(event.id, now)]
        if not claimed:
            return 0
        to = _addresses()
        if not to:
            logger.warning(
                "Nobody of %s is told of %d token events: no active admin has an e-mail address.",
                tenant.slug,
                len(claimed),
            )
            return 0
        mails = [[event] for event in claimed] if len(claimed) <= MOST_MAILS else [claimed]
        return sum(_send(tenant, each, to=to, mailer=mailer) for each in mails)


def _send(tenant: Tenant, events: Sequence[TokenEvent], *, to: list[str], mailer: Any) -> bool:
    subject, body = _one(tenant, events[0]) if len(events) == 1 else _digest(tenant, events)
    subject = " ".join(f"[Outbound Auth Console] {subject}".split())
    try:
        EmailMessage(subject, body, to=to, connection=mailer).send()
    except Exception as error:
        logger.warning("A mail to the admins of %s failed: %s", tenant.slug, type(error).__name__)
        TokenEvent.objects.filter(id__in=[event.id for event in events]).update(mailed_at=None)
        return False
    return True


def _claim(event_id: UUID, now: datetime) -> bool:
    return bool(TokenEvent.objects.filter(id=event_id, mailed_at=None).update(mailed_at=now))


def _addresses() -> list[str]:
    """The e-mail addresses of the active tenant's admins."""
    admins = Membership.objects.filter(role=Role.ADMIN, user__is_active=True)
    found = admins.exclude(user__email="").values_list("user__email", flat=True)
    return sorted(set(found))


def _one(tenant: Tenant, event: TokenEvent) -> tuple[str, str]:
    became, to_do = _WORDS[event.state]
    config = event.config
    subject = f"{config.name} in {config.environment.name} {became} ({tenant.name})"
    lines = [
        f"The auth config {config.name} {became}, since {_time(event)}.",
        "",
        f"Tenant: {tenant.name}",
        f"Environment: {config.environment.name}",
        f"Method: {config.get_method_display()}",
        *_why(event),
        "",
        f"What to do: {to_do}",
        _link(event),
        *_SIGNATURE,
    ]
    return subject, "\n".join(lines)


def _digest(tenant: Tenant, events: Sequence[TokenEvent]) -> tuple[str, str]:
    subject = f"{len(events)} token events need a look ({tenant.name})"
    lines = [f"In {tenant.name}, {len(events)} things happened to tokens:", ""]
    for event in events[:MOST_NAMED]:
        config = event.config
        lines += [
            f"{config.name} in {config.environment.name} {_WORDS[event.state][0]}, since {_time(event)}.",
            *_why(event),
            _link(event),
            "",
        ]
    if len(events) > MOST_NAMED:
        lines += [f"And {len(events) - MOST_NAMED} more.", ""]
    pages = f"{reverse('admin:authconfigs_authconfig_changelist')}?state=attention"
    lines += [f"All that need somebody: {settings.PUBLIC_BASE_URL}{pages}", *_SIGNATURE]
    return subject, "\n".join(lines)


_SIGNATURE = (
    "",
    "You get this because you are an admin of this tenant. It is told once per change, not per attempt.",
)


def _why(event: TokenEvent) -> list[str]:
    return [f"What happened: {event.summary}"] if event.summary else []


def _time(event: TokenEvent) -> str:
    return f"{event.at:%Y-%m-%d %H:%M} UTC"


def _link(event: TokenEvent) -> str:
    page = reverse("admin:authconfigs_authconfig_change", args=[event.config_id])
    return f"{settings.PUBLIC_BASE_URL}{page}"


def _close(mailer: Any) -> None:
    try:
        mailer.close()
    except Exception as error:
        logger.info("The mail server ended oddly: %s", type(error).__name__)
