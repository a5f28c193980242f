from django.conf import settings

from authconfigs.methods.base import Fields
from authconfigs.methods.fields import Secret, Text
from authconfigs.methods.oauth2 import OAuth2Form, OAuth2Method


class PasswordGrantForm(OAuth2Form):
    username = Text(
        label="User name",
        help_text="The account at the provider whose data the API gives, e.g. svc-reports.",
    )
    password = Secret(
        label="Password",
        strip=False,
        help_text="The password of that account at the provider. Sent exactly as typed.",
    )

    field_order = ("token_url", "client_id", "client_secret", "username", "password", "scope")


class PasswordGrant(OAuth2Method):
    """Tokens for a user name and password (RFC 6749 §4.3). RFC 9700 §2.4 forbids it for new designs."""

    code = "oauth2_password"
    label = "OAuth 2.0 password (legacy)"
    best_for = "Providers that offer nothing else for an account's data"
    security_level = "Low to medium"
    complexity = "Medium"
    security_notes = (
        "Legacy: RFC 9700 forbids this grant. Prefer authorization code or client credentials.",
        "The console holds the account's password: use an account made for this alone.",
        "Ask for the fewest scopes that do. It doesn't work with a second factor.",
    )
    Form = PasswordGrantForm

    def available(self) -> bool:
        return bool(settings.OAUTH_PASSWORD_GRANT)

    def warnings(self, fields: Fields) -> tuple[str, ...]:
        legacy = "The password grant is legacy, and RFC 9700 forbids it: use another grant if the provider has one."
        return (legacy, *super().warnings(fields))
