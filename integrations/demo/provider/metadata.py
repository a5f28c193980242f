"""What a client can discover: RFC 8414 with RFC 9207, and the same where OpenID Connect looks for it."""

from typing import Any

from integrations.demo.provider import accounts
from integrations.demo.provider.switches import Switches

METADATA_PATHS = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


def metadata(base_url: str, switches: Switches) -> dict[str, Any]:
    """The metadata; their issuer is a foreign one if the switch says so."""
    return {
        "issuer": switches.metadata_issuer or base_url,
        "authorization_endpoint": f"{base_url}/authorize",
        "token_endpoint": f"{base_url}/token",
        "revocation_endpoint": f"{base_url}/revoke",
        "scopes_supported": list(accounts.SCOPES),
        "response_types_supported": ["code"],
        "grant_types_supported": [
            "client_credentials",
            "password",
            "authorization_code",
            "refresh_token",
        ],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
