"""The state of configs, tokens and tests in words and colour."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString
from django.utils.text import capfirst

from authconfigs import methods
from authconfigs.datakeys import Keychain
from authconfigs.errors import SecretUnreadable
from authconfigs.fields import Stored
from authconfigs.methods.unknown import UnknownMethod
from authconfigs.models import AuthConfig, Credential, OAuthToken
from authconfigs.saving.tokens import needs_consent
from authconfigs.symptoms import Symptom
from tenants.badges import Tone, ago, pill

if TYPE_CHECKING:
    from authconfigs.admin.listing import Tested

State = OAuthToken.State


@dataclass(frozen=True)
class Status:
    text: str
    tone: Tone
    title: str = ""

    @property
    def pill(self) -> SafeString:
        return pill(self.text, self.tone, title=self.title)


def in_words(symptom: str) -> str:
    """A symptom as people read it: wrong or missing credential."""
    return {Symptom.TLS: "TLS"}.get(symptom, symptom.replace("_", " "))  # type: ignore[call-overload, no-any-return]


def test_status(*, ok: bool | None, symptom: str) -> Status:
    """What the last test found."""
    if ok is None:
        return Status("Not tested", "quiet")
    if ok:
        return Status("Passed", "good")
    if symptom == Symptom.UNPROVEN:
        return Status("Unproven", "warn", "A wrong credential is accepted, too.")
    return Status(capfirst(in_words(symptom)) or "Failed", "bad")


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


def token_status(config: AuthConfig, token: OAuthToken) -> Status:
    """The state of a config's token."""
    if token.state == State.VALID:
        return Status("Valid", "good")
    if token.state == State.RETRYING:
        return Status("Retrying", "warn", token.failure_summary)
    if token.state == State.STOPPED:
        return Status("Stopped until edited", "bad", token.failure_summary)
    if token.state == State.REAUTHORIZATION_REQUIRED:
        return Status("Needs reauthorization", "bad", token.failure_summary)
    if needs_consent(config.method):
        return Status("Never connected", "bad", "Somebody has to connect it at the provider.")
    return Status("No token yet", "quiet", "The first call gets one.")


def config_status(
    config: AuthConfig,
    token: OAuthToken | None,
    *,
    readable: bool,
    tests: "Collection[Tested]",
) -> Status:
    """The one state that matters most; `tests` are the last ones of each connection, or of the config alone."""
    if config.disabled_at is not None:
        return Status("Switched off", "quiet", f"Since {config.disabled_at:%Y-%m-%d %H:%M} UTC")
    if isinstance(methods.stored(config.method), UnknownMethod):
        return Status("Unknown method", "bad", f"This version doesn't know {config.method}")
    if not readable:
        return Status("Can't be decrypted", "bad", "Can't be decrypted with the current keys")
    if token is not None:
        of_token = token_status(config, token)
        if of_token.tone in ("bad", "warn"):
            return of_token
    found = [test_status(ok=test.ok, symptom=test.symptom) for test in tests]
    for tone in ("bad", "warn", "good"):
        for status in found:
            if status.tone == tone:
                return Status("Working", "good") if tone == "good" else status
    return Status("Not tested", "quiet")


def secret_age(credential: Credential) -> str:
    """How long ago the oldest secret was set."""
    moments = [
        datetime.fromisoformat(state["set_at"]) for state in credential.secret_state.values()
    ]
    return ago(min(moments)) if moments else "Not set"


def token_words(config: AuthConfig, token: OAuthToken) -> str:
    """What a person should know of the token besides its figures."""
    if token.state == State.STOPPED:
        return "It isn't asked for again until the auth config is edited or tested."
    if token.state == State.EMPTY and not needs_consent(config.method):
        return "The first call or test gets one."
    if token.state in (State.EMPTY, State.REAUTHORIZATION_REQUIRED) and needs_consent(
        config.method
    ):
        return "A person has to consent at the provider before calls work."
    return ""


def token_panel(config: AuthConfig) -> dict[str, Any] | None:
    """What the page shows of the token; None for methods without."""
    row = OAuthToken.objects.filter(config=config).defer("access_token", "refresh_token").first()
    if row is None:
        return None
    rows = OAuthToken.objects.filter(config=config)
    return {
        "row": row,
        "pill": token_status(config, row).pill,
        "words": token_words(config, row),
        "has_access": rows.filter(access_token__isnull=False).exists(),
        "has_refresh": rows.filter(refresh_token__isnull=False).exists(),
    }
