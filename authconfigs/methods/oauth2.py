"""What the OAuth 2.0 methods share: client, token endpoint, and where the token goes. Each grant is a class of its own."""

from django import forms

from authconfigs.methods.base import AuthMethod, Fields, MethodForm
from authconfigs.methods.bearer import prefixed
from authconfigs.methods.decoys import invented
from authconfigs.methods.fields import Change, Choice, HeaderName, Pairs, Secret, Text, Url
from authconfigs.outgoing import OutgoingRequest

# Parameters of token requests that the grants set themselves (RFC 6749, RFC 7636), or that have a field here.
GRANT_PARAMS = (
    "audience",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "grant_type",
    "password",
    "redirect_uri",
    "refresh_token",
    "scope",
    "username",
)


class OAuth2Form(MethodForm):
    token_url = Url(
        label="Token URL",
        change=Change.NEW_ACCESS_TOKEN,
        help_text="Where tokens are fetched: https://auth.example.com/oauth/token.",
    )
    client_id = Text(label="Client ID", help_text="Also called application or consumer ID.")
    client_secret = Secret(
        label="Client secret",
        optional=True,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="Shown once when the client was registered. Leave it empty for a client that has none.",
    )
    client_auth = Choice(
        label="Client authentication",
        initial="basic",
        change=Change.NEW_ACCESS_TOKEN,
        choices=[
            ("basic", "Basic header (client_secret_basic)"),
            ("post", "In the body (client_secret_post)"),
            ("none", "None (public client)"),
        ],
        help_text="How the provider wants ID and secret. The token error invalid_client often means: try the other.",
    )
    scope = Text(
        label="Scope",
        required=False,
        strip=False,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="Sent as typed, usually names with blanks between: invoices.read invoices.write.",
    )
    audience = Text(
        label="Audience",
        required=False,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="Which API the token is for, where the provider asks for it: https://api.example.com.",
    )
    header = HeaderName(
        label="Header", initial="Authorization", help_text="The header that carries the token."
    )
    header_prefix = Text(
        label="Header prefix",
        initial="Bearer",
        required=False,
        change=Change.NOTHING,
        max_length=100,
        help_text="The word before the token, usually Bearer. Empty sends the token alone.",
    )
    token_params = Pairs(
        label="Extra token parameters",
        taken=GRANT_PARAMS,
        lists=True,
        help_text='Sent with token requests, as a JSON object: {"resource": "https://api.example.com"}.',
    )
    token_headers = Pairs(
        label="Extra token headers",
        headers=True,
        help_text='Sent with token requests, as a JSON object: {"X-Tenant": "eu-1"}.',
    )
    token_body = Choice(
        label="Token request body",
        initial="form",
        change=Change.NEW_ACCESS_TOKEN,
        choices=[("form", "Form (the standard)"), ("json", "JSON")],
        help_text="JSON only where the provider's documentation shows it.",
    )

    def clean_token_headers(self) -> dict[str, str]:
        headers: dict[str, str] = self.cleaned_data["token_headers"]
        if any(name.lower() == "authorization" for name in headers):
            raise forms.ValidationError(
                "Authorization belongs to the client authentication: leave it out here."
            )
        return headers


class OAuth2Method(AuthMethod):
    group = "OAuth 2.0"
    security_level = "High"
    uses_token = True

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        value = prefixed(fields.get("header_prefix", "Bearer"), token or "")
        return request.with_credential_header(fields.get("header", "Authorization"), value)

    def decoy(self, fields: Fields, token: str | None) -> tuple[Fields, str | None]:
        return fields, invented(token or "")
