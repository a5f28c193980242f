"""What an edit does: said of a change before it is saved, and of a config once it is."""

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


def coming(change: Change, token: TokenPanel | None) -> str:
    """What an edit that isn't saved yet would do to the token."""
    if token is None or not token.holds_any or change is Change.NOTHING:
        return ""
    if change is Change.NEW_GRANT:
        if token.by_person:
            return "This change asks people to connect again: saving it drops the stored token."
        return "This change drops the stored token: the next call gets another one."
    if token.is_renewable:
        return "With this change, the next call gets a new access token."
    return "The stored access token stays with this change: there is no refresh token to get another one with."
