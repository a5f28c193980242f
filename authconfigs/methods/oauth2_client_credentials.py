from authconfigs.methods.oauth2 import OAuth2Form, OAuth2Method


class ClientCredentialsForm(OAuth2Form):
    field_order = ("token_url", "client_id", "client_secret", "scope", "audience")


class ClientCredentials(OAuth2Method):
    """The software itself is the client, no person involved (RFC 6749 §4.4)."""

    code = "oauth2_client_credentials"
    label = "OAuth 2.0 client credentials"
    best_for = "Software that calls a modern API in its own name"
    complexity = "Medium"
    security_notes = (
        "Guard the client secret: it gives tokens to whoever has it.",
        "Ask for the fewest scopes that do, and review them.",
        "Tokens are short-lived, and renewed by the console.",
    )
    Form = ClientCredentialsForm
