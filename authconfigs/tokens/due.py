"""Which tokens the sweep renews now: plain, indexed columns of all tenants, nothing is unsealed."""

from datetime import datetime

from django.db.models import Q, QuerySet

from authconfigs.methods import METHODS
from authconfigs.models import OAuthToken
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.lease import is_free
from authconfigs.tokens.verdict import STOPPED


def due_tokens(now: datetime) -> QuerySet[OAuthToken]:
    """The rows that are due and may be asked for at `now`. Needs a scope that sees all tenants."""
    usable = [one.code for one in METHODS if one.code in GRANTS and one.available()]
    consented = [code for code in usable if GRANTS[code].start is None]
    # Only a person can renew these, and isn't needed before they expire.
    still_good = Q(config__method__in=consented, refresh_token=None) & (
        Q(expires_at=None) | Q(expires_at__gt=now)
    )
    rows = OAuthToken.objects.filter(
        may_be_asked(now),
        tenant__disabled_at=None,
        config__disabled_at=None,
        config__method__in=usable,
    )
    return rows.exclude(still_good)


def may_be_asked(now: datetime) -> Q:
    """What a row says by itself: it is due, nothing has stopped it, it doesn't rest, and nobody is at it."""
    return (
        Q(refresh_after__lte=now)
        & ~Q(state__in=STOPPED)
        & (Q(next_attempt_at=None) | Q(next_attempt_at__lte=now))
        & is_free(now)
    )
