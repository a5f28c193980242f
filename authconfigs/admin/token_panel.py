"""What a config's page shows of its token, in the same few queries whatever happened to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.utils import timezone

from authconfigs.admin.events import shown_events
from authconfigs.admin.token_states import Kind, TokenStatus, token_status
from authconfigs.beat import Part, last_signs
from authconfigs.health import MISSED_BEATS
from authconfigs.models import AuthConfig, OAuthToken, TokenEvent
from authconfigs.saving.tokens import needs_consent
from authconfigs.scopes import Comparison, names
from authconfigs.tokens.granted import is_stored, scopes_of

# The last events; all of them have a page of their own.
EVENTS = 20


@dataclass(frozen=True)
class TokenPanel:
    """`next_consent`: the scopes that are asked for at the next consent, where they aren't those of the stored token.

    `beat`: when the background renewals last gave a sign of life, asked only where a renewal is late; `is_late` says so.
    """

    row: OAuthToken
    status: TokenStatus
    by_person: bool
    has_access: bool
    has_refresh: bool
    scopes: Comparison
    next_consent: tuple[str, ...]
    events: list[TokenEvent]
    is_late: bool
    beat: datetime | None

    @property
    def holds_any(self) -> bool:
        return self.has_access or self.has_refresh

    @property
    def connected_at(self) -> datetime | None:
        if not self.holds_any:
            return None
        return (self.row.connected_at if self.by_person else None) or self.row.obtained_at

    @property
    def is_tried(self) -> bool:
        """Whether the token endpoint has ever given something for the stored grant."""
        return self.row.obtained_at is not None

    @property
    def renews_ahead(self) -> bool:
        """Whether the time of the next refresh means anything: somebody can renew, and nothing stands in the way."""
        stopped = self.status.kind in (Kind.STOPPED, Kind.REAUTHORIZE, Kind.RETRYING)
        return not stopped and self.is_renewable

    @property
    def is_renewable(self) -> bool:
        return self.has_refresh or not self.by_person


def token_panel(config: AuthConfig, *, config_scope: str) -> TokenPanel | None:
    """The panel; None for methods without a token. `config_scope` is what the config asks for now."""
    row = _row_of(config)
    if row is None:
        return None
    has_access, has_refresh = cast("Any", row).has_access, cast("Any", row).has_refresh
    now = timezone.now()
    by_person = needs_consent(config.method)
    # Later than any beat could be: then it matters whether there is one.
    patience = timedelta(seconds=MISSED_BEATS * settings.BEAT_SECONDS)
    is_late = row.refresh_after is not None and row.refresh_after + patience < now
    asked = names(config_scope)
    differs = by_person and bool(row.requested_scope) and names(row.requested_scope) != asked
    return TokenPanel(
        row=row,
        status=token_status(config, row, has_refresh_token=has_refresh, now=now),
        by_person=by_person,
        has_access=has_access,
        has_refresh=has_refresh,
        scopes=scopes_of(row, config_scope=config_scope, has_refresh_token=has_refresh),
        next_consent=tuple(sorted(asked)) if differs else (),
        events=shown_events(config, EVENTS),
        is_late=is_late,
        beat=last_signs().get(Part.BEAT) if is_late else None,
    )


def status_of_token(config: AuthConfig) -> TokenStatus | None:
    """The state alone, for pages of what uses the config."""
    row = _row_of(config)
    if row is None:
        return None
    has_refresh = cast("Any", row).has_refresh
    return token_status(config, row, has_refresh_token=has_refresh, now=timezone.now())


def _row_of(config: AuthConfig) -> OAuthToken | None:
    rows = OAuthToken.objects.filter(config=config).defer("access_token", "refresh_token")
    return rows.annotate(
        has_access=is_stored("access_token"), has_refresh=is_stored("refresh_token")
    ).first()
