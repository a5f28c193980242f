"""What a config's page says once it is saved: what comes next, and what became of the token."""

from authconfigs import methods
from authconfigs.admin.token_panel import TokenPanel
from authconfigs.methods.base import Change
from authconfigs.saving import SavedConfig, current_credential
from authconfigs.saving.tokens import needs_consent


def next_step(saved: SavedConfig) -> str:
    """What to do with a new config."""
    method = methods.stored(saved.config.method)
    pasted = method.seed_names & current_credential(saved.config).secret_state.keys()
    if needs_consent(method.code) and not pasted:
        return "Register the redirect URI at the provider, then connect it."
    return "Attach it to an integration, then test it."


def effect(change: Change, token: TokenPanel | None) -> str:
    """What an edit did to the token that there was before it."""
    if token is None or change is Change.NOTHING:
        return ""
    if change is Change.NEW_GRANT:
        return "The stored token was dropped." if token.holds_any else ""
    if token.is_renewable:
        return "The next call gets a new access token."
    if token.has_access:
        return "The stored access token stays: there is no refresh token to get another one with."
    return ""
