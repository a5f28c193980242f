from django import forms

from authconfigs.methods.base import AuthMethod, Fields, MethodForm
from authconfigs.methods.decoys import invented
from authconfigs.methods.fields import Change, Choice, Secret, Text, refuse_header_name
from authconfigs.outgoing import OutgoingRequest


class ApiKeyForm(MethodForm):
    key = Text(
        label="Key name",
        change=Change.NOTHING,
        max_length=200,
        help_text="The name of the header or query parameter, as the provider spells it: X-API-Key, api_key.",
    )
    placement = Choice(
        label="Placement",
        initial="header",
        choices=[("header", "Header"), ("query", "Query parameter")],
        help_text="Where the provider looks for the key. A header is safer: query strings end up in logs.",
    )
    value = Secret(label="Value", help_text="The key that the provider gave you.")

    def clean(self) -> dict[str, object]:
        cleaned = super().clean()
        if cleaned.get("placement") == "header" and cleaned.get("key"):
            try:
                refuse_header_name(cleaned["key"])
            except forms.ValidationError as error:
                self.add_error("key", error)
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
    Form = ApiKeyForm

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        if fields.get("placement") == "query":
            return request.with_credential_param(fields["key"], fields["value"])
        return request.with_credential_header(fields["key"], fields["value"])

    def decoy(self, fields: Fields, token: str | None) -> tuple[Fields, str | None]:
        return {**fields, "value": invented(fields["value"])}, token

    def warnings(self, fields: Fields) -> tuple[str, ...]:
        if fields.get("placement") == "query":
            return ("The key is in the query, which ends up in logs: use a header if you can.",)
        return ()
