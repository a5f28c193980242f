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
        "Guard the client secret: whoever has it gets tokens.",
        "Ask for the fewest scopes that do, and review them.",
        "Its tokens live for a short time, and the console renews them.",
    )
    Form = ClientCredentialsForm
