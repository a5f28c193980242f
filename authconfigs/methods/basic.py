from base64 import b64encode

from django import forms

from authconfigs.methods.base import AuthMethod, Fields, MethodForm
from authconfigs.methods.decoys import invented
from authconfigs.methods.fields import Secret, Text
from authconfigs.outgoing import OutgoingRequest


class BasicForm(MethodForm):
    username = Text(
        label="User name",
        help_text="The account at the provider. Use one that may do no more than it must: svc-invoices.",
    )
    password = Secret(
        label="Password",
        optional=True,
        strip=False,
        help_text="Sent exactly as typed. Some APIs want a key as the user name and no password.",
    )

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if ":" in username:
            raise forms.ValidationError(
                "A Basic user name can't have a colon (:), which separates it from the password."
            )
        return username


class Basic(AuthMethod):
    """User name and password with every request (RFC 7617), as UTF-8."""

    code = "basic"
    label = "Basic"
    group = "User name and password"
    best_for = "Legacy APIs, and migrations under way"
    security_level = "Low to medium"
    complexity = "Low"
    security_notes = (
        "Only over HTTPS: the password goes with every request.",
        "Move to something stronger when the provider offers it.",
        "Use an account with the least rights that do.",
    )
    Form = BasicForm

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        pair = f"{fields['username']}:{fields.get('password', '')}"
        return request.with_credential_header(
            "Authorization", f"Basic {b64encode(pair.encode()).decode('ascii')}"
        )

    def decoy(self, fields: Fields, token: str | None) -> tuple[Fields, str | None]:
        made_up = {"username": invented(fields["username"]), "password": invented("")}
        return {**fields, **made_up}, token
