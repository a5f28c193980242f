"""Rows of a config and its token as the narrow query reads them, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from authconfigs import methods
from authconfigs.state import ConfigState, TokenState

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def seconds(number: float) -> datetime:
    """The moment that many seconds after NOW."""
    return NOW + timedelta(seconds=number)


def a_token(**changes: Any) -> TokenState:
    """The row of a good token: in its first generation, renewed in 4 minutes, expired in 5."""
    token = TokenState(
        state="valid",
        generation=1,
        attempt=1,
        token_revision=1,
        has_access_token=True,
        has_refresh_token=False,
        expires_at=seconds(300),
        refresh_after=seconds(240),
        lease_expires_at=None,
        next_attempt_at=None,
        retry_after_until=None,
        failures=0,
        failure_symptom="",
        failure_summary="",
        failure_error="",
        failure_status=None,
    )
    return replace(token, **changes)


def a_state(
    token: TokenState, *, method: str = "oauth2_client_credentials", **changes: Any
) -> ConfigState:
    """A config with this token."""
    state = ConfigState(
        tenant_id=UUID(int=1),
        tenant_slug="acme",
        tenant_off=False,
        environment_id=UUID(int=2),
        environment="staging",
        protected=False,
        config_id=UUID(int=3),
        name="crm",
        method=methods.by_code(method),
        revision=1,
        token_revision=1,
        config_off=False,
        api_origins=frozenset(),
        token_origins=frozenset(),
        token=token,
        read_at=NOW,
    )
    return replace(state, **changes)
