"""The state of a config in words and colour."""

from collections.abc import Callable, Collection
from datetime import datetime

from authconfigs import methods
from authconfigs.admin.status import Status
from authconfigs.admin.tested import Tested, summarized
from authconfigs.admin.token_states import Kind, TokenStatus
from authconfigs.datakeys import Keychain
from authconfigs.errors import SecretUnreadable
from authconfigs.fields import Stored
from authconfigs.methods.unknown import UnknownMethod
from authconfigs.models import AuthConfig, Credential
from authconfigs.scopes import Comparison
from tenants.badges import ago


def is_readable(credential: Credential, keys: Keychain) -> bool:
    """Whether the stored secrets open; the plain text is thrown away."""
    sealed = credential.secrets
    if not isinstance(sealed, Stored) or sealed.place is None:
        return True
    try:
        keys.reveal(sealed.ciphertext, sealed.place)
    except SecretUnreadable:
        return False
    return True


def config_status(
    config: AuthConfig,
    token: TokenStatus | None,
    *,
    readable: bool,
    tests: Collection[Tested],
    scopes: Comparison | None = None,
) -> Status:
    """The one state that matters most; `tests` are the last ones of each connection, or of the config alone."""
    if config.disabled_at is not None:
        return Status("Switched off", "quiet", f"Since {config.disabled_at:%Y-%m-%d %H:%M} UTC")
    if isinstance(methods.stored(config.method), UnknownMethod):
        return Status("Unknown method", "bad", f"This version doesn't know {config.method}")
    if not readable:
        return Status("Can't be decrypted", "bad", "Can't be decrypted with the current keys")
    if token is not None and (token.tone in ("bad", "warn") or token.kind is Kind.REFRESHING):
        return token
    found = summarized(tests)
    if found.tone in ("bad", "warn"):
        return found
    if scopes is not None and scopes.warnings:
        text = "Fewer scopes" if scopes.missing else "More scopes"
        return Status(text, "warn", " ".join(scopes.warnings))
    return found


def secret_age(credential: Credential, *, told: Callable[[datetime], str] = ago) -> str:
    """How long ago the oldest secret was set, `told` in text or markup; unknown where somebody wrote the state by hand, and not well."""
    try:
        states = credential.secret_state.values()
        moments = [datetime.fromisoformat(state["set_at"]) for state in states]
        return told(min(moments)) if moments else "Not set"
    except (AttributeError, KeyError, TypeError, ValueError):
        return "Unknown age"
