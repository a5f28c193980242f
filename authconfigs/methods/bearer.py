from django import forms

from authconfigs.methods.base import AuthMethod, Fields, MethodForm
from authconfigs.methods.decoys import invented
from authconfigs.methods.fields import Change, HeaderName, Secret, Text
from authconfigs.outgoing import OutgoingRequest


def prefixed(prefix: str, value: str) -> str:
    """A header's value (RFC 9110 §11.4): scheme and credential, or the credential alone."""
    return f"{prefix} {value}" if prefix else value


class BearerForm(MethodForm):
    header = HeaderName(
        label="Header",
        initial="Authorization",
        help_text="The header that carries the token. Nearly always Authorization.",
    )
    prefix = Text(
        label="Prefix",
        initial="Bearer",
        required=False,
        change=Change.NOTHING,
        max_length=100,
        help_text="The word before the token, as in “Authorization: Bearer eyJ...”. Empty sends the token alone.",
    )
    token = Secret(
        label="Token",
        help_text="The token itself, without the prefix: eyJhbGciOi..., ghp_..., xoxb-...",
    )

    def clean(self) -> dict[str, object]:
        cleaned = super().clean()
        prefix, token = cleaned.get("prefix"), cleaned.get("token")
        if prefix and token and token.lower().startswith(f"{prefix.lower()} "):
            self.add_error(
                "token",
                forms.ValidationError(
                    f"The prefix {prefix} was pasted with the token. It is added by itself: leave it out."
                ),
            )
        return cleaned


class Bearer(AuthMethod):
    """A static token in a header (RFC 6750 §2.1)."""

    code = "bearer"
    label = "Bearer token"
    group = "Token or key"
    best_for = "APIs that issue static or semi-static tokens"
    security_level = "Medium"
    complexity = "Low"
    security_notes = (
        "Whoever has the token can use it: treat it as a password.",
        "Prefer tokens that live for a short time.",
        "Send it over HTTPS only.",
    )
    Form = BearerForm

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        value = prefixed(fields.get("prefix", "Bearer"), fields["token"])
        return request.with_credential_header(fields.get("header", "Authorization"), value)

    def decoy(self, fields: Fields, token: str | None) -> tuple[Fields, str | None]:
        return {**fields, "token": invented(fields["token"])}, token
