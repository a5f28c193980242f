"""The scopes of stored tokens next to those they were asked for with. Read from plain columns: nothing is unsealed."""

from typing import Any, cast
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, F, Q

from authconfigs.database import released_connection
from authconfigs.models import Credential, OAuthToken
from authconfigs.scopes import Comparison, compare
from tenants.scope import tenant_scope


def is_stored(column: str) -> "ExpressionWrapper[Q]":
    """Whether a sealed column holds something, without reading it."""
    return ExpressionWrapper(Q(**{f"{column}__isnull": False}), output_field=BooleanField())


def scopes_of(token: OAuthToken, *, config_scope: str, has_refresh_token: bool) -> Comparison:
    """The scopes of a token next to those it was asked for with; where that isn't known, to those that the config asks for."""
    requested = token.requested_scope or config_scope
    return compare(
        token.granted_scope,
        requested,
        has_refresh_token=has_refresh_token,
        left_out=token.scope_left_out,
    )


def scope_warnings(tenant_id: UUID, config_id: UUID) -> tuple[str, ...]:
    """What is to be said of the scopes of a config's stored token, a sentence each."""
    with tenant_scope(tenant_id), released_connection():
        found = [scopes.warnings for _, scopes in _compared(Q(config_id=config_id))]
    return found[0] if found else ()


def configs_with_other_scopes() -> list[UUID]:
    """The configs whose token was granted fewer or more than asked for: sets of names, which no database compares."""
    compared = _compared(~Q(granted_scope="") | Q(scope_left_out__gt=0))
    return [config_id for config_id, scopes in compared if scopes.warnings]


def _compared(condition: Q) -> list[tuple[UUID, Comparison]]:
    current = Q(config__credentials__slot=Credential.Slot.CURRENT)
    rows = (
        OAuthToken.objects.filter(condition, current)
        .only("config_id", "granted_scope", "scope_left_out", "requested_scope")
        .annotate(
            has_refresh=is_stored("refresh_token"), asked=F("config__credentials__options__scope")
        )
    )
    return [
        (
            row.config_id,
            scopes_of(row, config_scope=row.asked or "", has_refresh_token=row.has_refresh),
        )
        for row in cast("Any", rows)
    ]
