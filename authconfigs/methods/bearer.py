from typing import Any

from authconfigs.methods.base import AuthMethod, Fields, MethodForm
from authconfigs.methods.decoys import invented
from authconfigs.methods.fields import HeaderName, Secret, Text
from authconfigs.outgoing import OutgoingRequest


class BearerForm(MethodForm):
    header = HeaderName(
        label="Header",
        initial="Authorization",
        help_text="The header that carries the token: nearly always Authorization, seldom another, e.g. X-Auth-Token.",
    )
    prefix = Text(  # type: ignore[assignment]  # a field: it never becomes the form's own attribute
        label="Prefix",
        initial="Bearer",
        required=False,
        max_length=100,
        help_text="The word before the token in the header, e.g. Bearer. Empty sends the token alone.",
    )
    token = Secret(
        label="Token",
        help_text="The access token or personal access token alone, without the prefix. The provider shows it where it is made, often only once.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        header, prefix, token = (cleaned.get(n) or "" for n in ("header", "prefix", "token"))
        if header and token.lower().startswith(f"{header.lower()}:"):
            self.add_error(
                "token", "The whole header was pasted: leave out its name and the prefix."
            )
        elif prefix and token.lower().startswith(f"{prefix.lower()} "):
            self.add_error(
                "token",
                f"The prefix {prefix} was pasted, too. It is added by itself: leave it out.",
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
        "Whoever has the token can use it: treat it as a secret.",
        "Prefer tokens that live for a short time.",
        "Send it over HTTPS only.",
    )
    long_lived = "token"
    Form = BearerForm

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        return request.with_credential_header(
            self.option(fields, "header"),
            self.needed(fields, "token"),
            prefix=self.option(fields, "prefix"),
        )

    def decoy(self, fields: Fields, token: str | None) -> tuple[dict[str, Any], str | None]:
        return {**fields, "token": invented(fields["token"])}, token
