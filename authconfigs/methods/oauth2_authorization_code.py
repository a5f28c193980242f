from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from django import forms

from authconfigs.methods.fields import Change, Secret, Text, Url
from authconfigs.methods.numbers import Whole
from authconfigs.methods.oauth2 import TOKEN_PARAMS, OAuth2Form, OAuth2Method
from authconfigs.methods.pairs import Pairs

# Parameters of the authorization request that the flow sets itself (RFC 6749 §4.1.1, RFC 7636), that have a field, or that
# would undo it: a request object stands in for state and PKCE (RFC 9101 §6.3), and the callback reads a query alone.
AUTHORIZE_PARAMS = frozenset(
    (
        "audience",
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    )
)


class AuthorizationCodeForm(OAuth2Form):
    authorization_url = Url(
        label="Authorization URL",
        change=Change.NOTHING,
        help_text="The provider's consent page, e.g. https://auth.example.com/oauth/authorize. A query is kept.",
    )
    scope = Text(
        label="Scope",
        required=False,
        strip=False,
        change=Change.NOTHING,
        help_text="What the consent is asked for. Sent as typed, e.g. invoices.read invoices.write. A change takes effect when somebody connects again.",
    )
    authorize_params = Pairs(
        label="Extra authorization parameters",
        taken=AUTHORIZE_PARAMS,
        change=Change.NOTHING,
        help_text="Added to the authorization URL, e.g. access_type: offline.",
    )
    issuer = Url(
        label="Issuer",
        required=False,
        example="https://auth.example.com",
        first=Change.NOTHING,
        change=Change.NEW_GRANT,
        help_text="The provider's issuer identifier, if it has one, e.g. https://auth.example.com.",
    )

    refresh_url = Url(
        label="Refresh URL",
        required=False,
        takes_secrets=True,
        stands_in_for="token_url",
        change=Change.NOTHING,
        help_text="Where tokens are renewed, if not at the token URL, e.g. https://auth.example.com/oauth/refresh.",
    )
    refresh_params = Pairs(
        label="Extra refresh parameters",
        taken=TOKEN_PARAMS,
        change=Change.NOTHING,
        help_text="Sent with refresh requests alone, e.g. expires: 3600. Of the same name as a token parameter, it wins.",
    )
    revocation_url = Url(
        label="Revocation URL",
        required=False,
        takes_secrets=True,
        stands_in_for="token_url",
        change=Change.NOTHING,
        help_text="Where a disconnect withdraws the tokens (RFC 7009), e.g. https://auth.example.com/oauth/revoke.",
    )
    keepalive_days = Whole(
        label="Keep alive in days",
        least=1,
        most=3650,
        unit="days",
        change=Change.NOTHING,
        help_text="Renewed at least this often, where refresh tokens die of being unused, e.g. 30.",
    )
    refresh_token = Secret(
        label="Refresh token",
        optional=True,
        seed=True,
        help_text="Instead of connecting: one that the provider has given already, beside the access token in its token answer. Another one replaces the stored token, the same one changes nothing.",
    )

    peculiarities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **OAuth2Form.peculiarities,
        "Token request": (
            *OAuth2Form.peculiarities["Token request"],
            "refresh_url",
            "refresh_params",
        ),
        "Consent": ("authorize_params", "keepalive_days"),
    }
    field_order = (
        "authorization_url",
        "token_url",
        "client_id",
        "client_secret",
        "client_auth",
        "scope",
        "audience",
        "issuer",
        "revocation_url",
        "refresh_token",
    )

    def clean_authorization_url(self) -> str:
        url: str = self.cleaned_data["authorization_url"]
        names = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        if taken := sorted(names & AUTHORIZE_PARAMS):
            raise forms.ValidationError(
                f"The query sets {', '.join(taken)}, which is the console's to decide: leave that out."
            )
        return url


class AuthorizationCode(OAuth2Method):
    """A person consents at the provider, once (RFC 6749 §4.1 with RFC 7636)."""

    code = "oauth2_authorization_code"
    label = "OAuth 2.0 authorization code"
    best_for = "Modern SaaS where a person's account gives the access"
    complexity = "Medium to high"
    security_notes = (
        "The strongest of the grants: nobody's password is stored.",
        "Guard the client secret, and ask for the fewest scopes that do.",
        "Review at the provider what was granted, and withdraw what isn't used.",
    )
    Form = AuthorizationCodeForm
