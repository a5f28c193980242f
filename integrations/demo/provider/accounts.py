"""The example credentials that the demo provider accepts. They are public: its landing page prints them."""

from dataclasses import dataclass

BEARER_TOKEN = "demo-bearer-token"  # noqa: S105
API_KEY = "demo-api-key"
API_KEY_HEADER = "X-API-Key"
API_KEY_PARAMETER = "api_key"
BASIC_USERNAME = "demo"
BASIC_PASSWORD = "demo-pässword"  # noqa: S105

ROTATING_KEY = "demo-rotating-key-old"
ROTATED_KEY = "demo-rotating-key-new"

OAUTH_USERNAME = "demo-user"
OAUTH_PASSWORD = "demo-user-pässword"  # noqa: S105

SCOPES = ("profile", "reports", "orders")
DEFAULT_SCOPE = "profile"
REPORTS_SCOPE = "reports"


@dataclass(frozen=True)
class Client:
    """An OAuth client that is registered here; without a secret it is a public one (client authentication `none`)."""

    client_id: str
    secret: str


CLIENT = Client("demo-client", "demo-client-secret")
ODD_CLIENT = Client("demo client:ü", "100% sécret+with/odd&characters=")
PUBLIC_CLIENT = Client("demo-public", "")
CLIENTS = {client.client_id: client for client in (CLIENT, ODD_CLIENT, PUBLIC_CLIENT)}
