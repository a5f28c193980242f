"""What the buttons of a config's page do: each a POST, outside of any transaction."""

from django.contrib import messages
from django.http import HttpRequest

from authconfigs.models import AuthConfig
from authconfigs.saving import EditConflict, switch_config
from authconfigs.state import load_config
from authconfigs.tokens.granted import scope_warnings
from authconfigs.tokens.sweep import (
    RENEWS,
    after_expiry,
    expire_now,
    nothing_to_expire,
    renew_now,
)
from tenants import audit

NO_TOKEN = "This method has no token: its secret is sent as it is stored."  # noqa: S105 - a sentence


def refresh(request: HttpRequest, config: AuthConfig) -> None:
    """Ask the token endpoint for a new token, also where a failure stopped it."""
    state = load_config(config.id)
    if not state.method.uses_token:
        messages.warning(request, NO_TOKEN)
        return
    renewal = renew_now(state, force=True)
    if renewal.asked:
        audit.record("refresh", config, outcome=renewal.symptom or "ok")
    if not renewal.ok:
        messages.error(request, renewal.summary)
        return
    if not renewal.asked:
        messages.info(request, renewal.summary)
        return
    messages.success(request, f"Refresh works: {renewal.summary[:1].lower()}{renewal.summary[1:]}")
    for warning in scope_warnings(state.tenant_id, state.config_id):
        messages.warning(request, warning)


def expire(request: HttpRequest, config: AuthConfig) -> None:
    """Make the stored token look expired."""
    state = load_config(config.id)
    if not state.method.uses_token:
        messages.warning(request, NO_TOKEN)
        return
    expired = expire_now(state)
    audit.record("simulate_expiry", config, outcome="ok" if expired else "no token")
    if expired:
        then = after_expiry(state)
        proof = " “Refresh token” proves that now." if then == RENEWS else ""
        messages.success(request, f"The token now looks expired: {then}.{proof}")
    else:
        how = nothing_to_expire(state.method.code)
        messages.warning(request, f"No token is stored, so none can expire. {how}")


def switch(request: HttpRequest, config: AuthConfig) -> None:
    """Switch the config off, or on again."""
    off = config.disabled_at is None
    try:
        switch_config(config, disabled=off)
    except EditConflict as conflict:
        messages.error(request, str(conflict))
        return
    told = "is switched off: the next call is refused." if off else "is switched on."
    messages.success(request, f"{config.name} {told}")
