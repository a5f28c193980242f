"""What the OAuth 2.0 methods share: client, token endpoint, and where the token goes. Each grant is a class of its own."""

from collections.abc import Mapping
from typing import Any, ClassVar

from authconfigs.errors import ConfigInvalid
from authconfigs.methods.base import AuthMethod, Fields, MethodForm
from authconfigs.methods.decoys import invented
from authconfigs.methods.fields import Change, Choice, HeaderName, Secret, Text, Url
from authconfigs.methods.numbers import Statuses, Whole
from authconfigs.methods.pairs import AnswerPaths, HeaderPairs, Pairs, SecretPairs
from authconfigs.outgoing import OutgoingRequest

# Parameters of token requests that the grants set themselves (RFC 6749, RFC 7636), or that have a field here. Those of
# one grant are refused for all: two of them are secrets, which don't belong into an option.
TOKEN_PARAMS = (
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


# What is read of a token answer (RFC 6749 §5.1).
ANSWER_NAMES = ("access_token", "refresh_token", "expires_in", "token_type", "scope")
TEN_YEARS = 315_360_000


class OAuth2Form(MethodForm):
    peculiarities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "Token request": (
            "token_params",
            "secret_token_params",
            "token_headers",
            "token_body",
        ),
        "Token answer": ("token_response", "expiry_format", "default_lifetime"),
        "Where the token goes": ("header", "header_prefix", "expired_statuses", "expired_text"),
    }

    token_url = Url(
        label="Token URL",
        takes_secrets=True,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="Where tokens are fetched, also called token endpoint, e.g. https://auth.example.com/oauth/token.",
    )
    client_id = Text(
        label="Client ID",
        max_length=500,
        help_text="What the registered client is called at the provider, also application ID or consumer key, e.g. billing-console.",
    )
    client_secret = Secret(
        label="Client secret",
        optional=True,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="The provider shows it beside the client ID when the client is registered, often only once. Empty for a public client, which sends its ID alone.",
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
        help_text="How the provider wants ID and secret. When it answers invalid_client, the other one is often right.",
    )
    scope = Text(
        label="Scope",
        required=False,
        strip=False,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="What the token may do. Sent as typed, usually names with blanks between, e.g. invoices.read invoices.write.",
    )
    audience = Text(
        label="Audience",
        required=False,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="Which API the token is for, where the provider asks for it, e.g. https://api.example.com.",
    )
    header = HeaderName(
        label="Header",
        initial="Authorization",
        help_text="The header that carries the token: nearly always Authorization, seldom another, e.g. X-Access-Token.",
    )
    header_prefix = Text(
        label="Header prefix",
        initial="Bearer",
        required=False,
        change=Change.NOTHING,
        max_length=100,
        help_text="The word before the token in the header, e.g. Bearer. Empty sends the token alone.",
    )
    token_params = Pairs(
        label="Extra token parameters",
        taken=TOKEN_PARAMS,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="Sent with token and refresh requests, e.g. resource: https://api.example.com. Repeat a name to send several values.",
    )
    secret_token_params = SecretPairs(
        label="Extra token parameters (secret)",
        beside="token_params",
        taken=TOKEN_PARAMS,
        change=Change.NEW_ACCESS_TOKEN,
        help_text="The same, but sealed and never shown again: for what the provider's documentation of the token request calls a secret.",
    )
    token_headers = HeaderPairs(
        label="Extra token headers",
        taken=("authorization",),
        change=Change.NEW_ACCESS_TOKEN,
        help_text="Sent with token and refresh requests, e.g. X-Region: eu-1. Not for secrets.",
    )
    token_body = Choice(
        label="Token request body",
        initial="form",
        change=Change.NEW_ACCESS_TOKEN,
        choices=[("form", "Form (the standard)"), ("json", "JSON")],
        help_text="JSON only where the provider's documentation shows it, as “Content-Type: application/json”.",
    )
    token_response = AnswerPaths(
        label="Fields of the answer",
        known=ANSWER_NAMES,
        change=Change.NOTHING,
        help_text="Where the answer names or nests them in its own way, e.g. access_token: data.token.",
    )
    expiry_format = Choice(
        label="Expiry format",
        initial="seconds",
        change=Change.NOTHING,
        choices=[
            ("seconds", "Seconds from now (the standard): 3600"),
            ("milliseconds", "Milliseconds from now: 3600000"),
            ("iso8601", "A date and time: 2027-01-31T12:00:00Z"),
            ("epoch", "Seconds since 1970: 1801396800"),
        ],
        help_text="How the answer says when the token expires. An answer that can't be read like this counts as none.",
    )
    default_lifetime = Whole(
        label="Default lifetime in seconds",
        least=1,
        most=TEN_YEARS,
        unit="seconds",
        change=Change.NOTHING,
        help_text="How long a token lives when the answer doesn't say, e.g. 3600. Empty: until the API refuses it.",
    )
    expired_statuses = Statuses(
        label="Statuses that mean expired",
        change=Change.NOTHING,
        help_text="Beside 401, the API's statuses on which the token is renewed and the request sent once more, e.g. 403, 419.",
    )
    expired_text = Text(
        label="Text that means expired",
        required=False,
        max_length=500,
        change=Change.NOTHING,
        help_text='The same for an answer, of any status, that holds this text as it stands, e.g. "error":"token_expired".',
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        twice = set(cleaned.get("token_params") or ()) & set(
            cleaned.get("secret_token_params") or ()
        )
        if twice:
            self.add_error(
                "token_params",
                f"{', '.join(sorted(twice))} is there as a secret, too: leave one of the two out.",
            )
        return cleaned


class OAuth2Method(AuthMethod):
    group = "OAuth 2.0"
    security_level = "High"
    uses_token = True
    Form: ClassVar[type[MethodForm]] = OAuth2Form

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        if not token:
            raise ConfigInvalid("There is no token yet, so the request can't be authenticated.")
        header, prefix = self.option(fields, "header"), self.option(fields, "header_prefix")
        return request.with_credential_header(header, token, prefix=prefix)

    def decoy(self, fields: Fields, token: str | None) -> tuple[dict[str, Any], str | None]:
        return dict(fields), invented(token or "")
