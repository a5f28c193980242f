from typing import Any

from django import forms

from authconfigs.errors import ConfigInvalid
from authconfigs.methods.base import AuthMethod, Fields, MethodForm
from authconfigs.methods.decoys import invented
from authconfigs.methods.fields import Choice, Secret, Text, refuse_header_name
from authconfigs.outgoing import OutgoingRequest


class ApiKeyForm(MethodForm):
    key = Text(
        label="Key name",
        max_length=200,
        help_text="The name of the header or query parameter, as the provider spells it, e.g. X-API-Key or api_key.",
    )
    placement = Choice(
        label="Placement",
        initial="header",
        choices=[("header", "Header"), ("query", "Query parameter")],
        help_text="Where the provider looks for the key: in a header, e.g. X-API-Key, or in the URL, e.g. after ?api_key=. A header is safer.",
    )
    value = Secret(
        label="Value",
        help_text="The key itself. The provider shows it among the API keys or developer settings of the account, often only once.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        key, value = cleaned.get("key") or "", cleaned.get("value") or ""
        if key and cleaned.get("placement") == "header":
            try:
                refuse_header_name(key)
            except forms.ValidationError as error:
                self.add_error("key", error)
        if key and value.lower().startswith((f"{key.lower()}:", f"{key.lower()}=")):
            self.add_error("value", "The name of the key was pasted, too: leave it out.")
        return cleaned


class ApiKey(AuthMethod):
    """A key in a header or in the query (OpenAPI's apiKey security scheme)."""

    code = "api_key"
    label = "API key"
    group = "Token or key"
    best_for = "Vendor and internal APIs with keys"
    security_level = "Medium"
    complexity = "Low"
    security_notes = (
        "Prefer the header over the query.",
        "Keep keys in the query out of logs and analytics.",
        "Rotate keys, and revoke those that nobody uses.",
    )
    long_lived = "key"
    Form = ApiKeyForm

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        key, value = self.needed(fields, "key"), self.needed(fields, "value")
        match self.option(fields, "placement"):
            case "header":
                return request.with_credential_header(key, value)
            case "query":
                return request.with_credential_param(key, value)
        raise ConfigInvalid("The placement of the key is neither header nor query: choose one.")

    def decoy(self, fields: Fields, token: str | None) -> tuple[dict[str, Any], str | None]:
        return {**fields, "value": invented(fields["value"])}, token

    def warnings(self, fields: Fields) -> tuple[str, ...]:
        if self.option(fields, "placement") != "query":
            return ()
        return ("The key goes into the query, which ends up in logs: use a header if you can.",)
