"""One connection for everything that a test of a connection shows, against the demo provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authconfigs.symptoms import Symptom
from integrations.demo.provider import accounts

ROTATING = "broken-rotated-key"


@dataclass(frozen=True)
class Sample:
    """A connection of the same name as its integration and auth config; `symptom` is what its test shows, None for a success.

    `path` is below the provider's address; `origin` replaces that address. A connection without own `method` uses the config
    that is called `config`. Every one is in staging, some in production, too.
    """

    slug: str
    name: str
    path: str
    method: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    symptom: Symptom | None = None
    config: str = ""
    origin: str = ""
    connection: Mapping[str, Any] = field(default_factory=dict)
    in_production: bool = False

    @property
    def auth_config(self) -> str:
        return self.config or self.slug


_BEARER = {"token": accounts.BEARER_TOKEN}
_OAUTH = {"client_id": accounts.CLIENT.client_id}
_CLIENT_SECRET = {"client_secret": accounts.CLIENT.secret}

WORKING = (
    Sample("bearer", "Bearer token", "/bearer", "bearer", {}, _BEARER, in_production=True),
    Sample(
        "api-key-header",
        "API key in a header",
        "/key-header",
        "api_key",
        {"key": accounts.API_KEY_HEADER},
        {"value": accounts.API_KEY},
        in_production=True,
    ),
    Sample(
        "api-key-query",
        "API key in the query",
        "/key-query",
        "api_key",
        {"key": accounts.API_KEY_PARAMETER, "placement": "query"},
        {"value": accounts.API_KEY},
    ),
    Sample(
        "basic",
        "User name and password",
        "/basic",
        "basic",
        {"username": accounts.BASIC_USERNAME},
        {"password": accounts.BASIC_PASSWORD},
    ),
    Sample(
        "oauth-client-credentials",
        "OAuth client credentials",
        "/bearer",
        "oauth2_client_credentials",
        _OAUTH,
        _CLIENT_SECRET,
    ),
    Sample(
        "oauth-password",
        "OAuth password grant",
        "/bearer",
        "oauth2_password",
        {**_OAUTH, "username": accounts.OAUTH_USERNAME},
        {**_CLIENT_SECRET, "password": accounts.OAUTH_PASSWORD},
    ),
)

BROKEN = (
    Sample(
        "oauth-authorization-code",
        "OAuth authorization code, never connected",
        "/bearer",
        "oauth2_authorization_code",
        {
            **_OAUTH,
            "authorization_url": "{provider}/authorize",
            "scope": "profile reports",
            "issuer": "{provider}",
            "revocation_url": "{provider}/revoke",
        },
        _CLIENT_SECRET,
        Symptom.REAUTHORIZATION_REQUIRED,
    ),
    Sample(
        "broken-wrong-token",
        "401: a wrong token",
        "/bearer",
        "bearer",
        {},
        {"token": "not-the-right-token"},
        Symptom.WRONG_OR_MISSING_CREDENTIAL,
    ),
    Sample(
        "broken-missing-scope",
        "403: a scope is missing",
        "/scoped",
        "oauth2_client_credentials",
        {**_OAUTH, "scope": accounts.DEFAULT_SCOPE},
        _CLIENT_SECRET,
        Symptom.INSUFFICIENT_PERMISSION,
    ),
    Sample(
        "broken-works-in-postman",
        "Works in Postman: Basic where a bearer token belongs",
        "/bearer",
        "basic",
        {"username": accounts.BASIC_USERNAME},
        {"password": accounts.BASIC_PASSWORD},
        Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
    ),
    Sample(
        "broken-client-secret",
        "OAuth token error: a wrong client secret",
        "/bearer",
        "oauth2_client_credentials",
        _OAUTH,
        {"client_secret": "not-the-right-secret"},
        Symptom.TOKEN_ENDPOINT_CONFIG,
    ),
    Sample(
        ROTATING,
        "Intermittent: the provider rotated the key",
        "/rotating",
        "api_key",
        {"key": accounts.API_KEY_HEADER},
        {"value": accounts.ROTATING_KEY},
        Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY,
    ),
    Sample(
        "broken-open-endpoint",
        "Unproven: the endpoint takes any credential",
        "/open",
        config="bearer",
        symptom=Symptom.UNPROVEN,
    ),
    Sample(
        "broken-rate-limit",
        "429: too many requests",
        "/fail/429/bearer",
        config="bearer",
        symptom=Symptom.PROVIDER_RATE_LIMITED,
    ),
    Sample(
        "broken-provider",
        "500: the provider fails",
        "/fail/500/bearer",
        config="bearer",
        symptom=Symptom.PROVIDER_ERROR,
    ),
    Sample(
        "broken-content-type",
        "415: the provider wants another format",
        "/fail/415/bearer",
        config="bearer",
        symptom=Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
    ),
    Sample(
        "broken-test-path",
        "404: the test asks for a wrong path",
        "/fail/404/bearer",
        config="bearer",
        symptom=Symptom.REQUEST_REFUSED,
    ),
    Sample(
        "broken-expectation",
        "The answer isn't the expected one",
        "/bearer",
        config="bearer",
        symptom=Symptom.UNEXPECTED_ANSWER,
        connection={"test": {"expect": [204]}},
    ),
    Sample(
        "broken-redirect",
        "Blocked: the provider redirects elsewhere",
        "/fail/redirect/bearer",
        config="bearer",
        symptom=Symptom.BLOCKED_BY_POLICY,
    ),
    Sample(
        "broken-slow",
        "Timeout: the provider is slow",
        "/fail/slow/bearer",
        config="bearer",
        symptom=Symptom.TIMEOUT,
        connection={"timeout": 1},
    ),
    Sample(
        "broken-network",
        "Network: nobody answers",
        "/bearer",
        config="bearer",
        symptom=Symptom.NETWORK,
        origin="http://127.0.0.1:1",
    ),
    Sample(
        "broken-tls",
        "TLS: https:// where the server speaks plain HTTP",
        "/bearer",
        config="bearer",
        symptom=Symptom.TLS,
        origin="https://{host}",
    ),
)
