from base64 import b64encode
from typing import Any

from django import forms

from authconfigs.errors import ConfigInvalid
from authconfigs.methods.base import AuthMethod, Fields, MethodForm
from authconfigs.methods.decoys import invented, invented_user
from authconfigs.methods.fields import Secret, Text
from authconfigs.outgoing import OutgoingRequest
from authconfigs.paths import UNSENDABLE


class BasicForm(MethodForm):
    username = Text(
        label="User name",
        help_text="The account at the provider; one that may do no more than it must, e.g. svc-invoices.",
    )
    password = Secret(
        label="Password",
        optional=True,
        strip=False,
        help_text="The password of that account at the provider, or the key that its documentation puts in its place. Sent exactly as typed; empty where the API takes a user name alone.",
    )

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if ":" in username:
            raise forms.ValidationError(
                "A Basic user name can't have a colon (:), which ends it: use another account name."
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
        username, password = self.needed(fields, "username"), fields.get("password") or ""
        if ":" in username or UNSENDABLE.search(username + password):
            raise ConfigInvalid(
                "The user name has a colon, or it or the password a control character: type them again."
            )
        pair = b64encode(f"{username}:{password}".encode()).decode("ascii")
        return request.with_credential_header("Authorization", pair, prefix="Basic")

    def decoy(self, fields: Fields, token: str | None) -> tuple[dict[str, Any], str | None]:
        password = invented(fields.get("password") or "")
        return {**fields, "username": invented_user(), "password": password}, token
