from urllib.parse import parse_qsl, urlsplit

from django import forms

from authconfigs.methods.fields import Change, Text, Url
from authconfigs.methods.oauth2 import OAuth2Form, OAuth2Method
from authconfigs.methods.pairs import Pairs

# Parameters of the authorization request that the flow sets itself (RFC 6749 §4.1.1, RFC 7636), or that have a field.
AUTHORIZE_PARAMS = frozenset(
    (
        "audience",
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    )
)


class AuthorizationCodeForm(OAuth2Form):
    authorization_url = Url(
        label="Authorization URL",
        change=Change.NOTHING,
        help_text="The provider's consent page: https://auth.example.com/oauth/authorize. A query is kept.",
    )
    scope = Text(
        label="Scope",
        required=False,
        strip=False,
        change=Change.NOTHING,
        help_text="Sent as typed: invoices.read invoices.write. A change takes effect when somebody connects again.",
    )
    authorize_params = Pairs(
        label="Extra authorization parameters",
        taken=AUTHORIZE_PARAMS,
        change=Change.NOTHING,
        help_text='Added to the authorization URL, as a JSON object: {"access_type": "offline"}.',
    )
    issuer = Url(
        label="Issuer",
        required=False,
        first=Change.NOTHING,
        change=Change.NEW_GRANT,
        help_text="The provider's issuer identifier, if it has one: https://auth.example.com.",
    )

    advanced = (*OAuth2Form.advanced, "authorize_params", "issuer")
    field_order = ("authorization_url", "token_url", "client_id", "client_secret", "scope")

    def clean_authorization_url(self) -> str:
        url: str = self.cleaned_data["authorization_url"]
        names = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        if taken := sorted(names & AUTHORIZE_PARAMS):
            raise forms.ValidationError(
                f"The query sets {', '.join(taken)}, which the console sets itself: leave that out."
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
