"""A tenant with a planted secret for every method and way to fail, against a demo provider that knows those secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from authconfigs import methods
from integrations.demo.provider import Provider, accounts
from tests.flows.canaries import canary

BEARER = canary("bearer", "-é~+/=")
HEADER_KEY = canary("header key", "\"'&<%41>;ü")
QUERY_KEY = canary("query key", '&=+/% ?#ü"')
BASIC = canary("basic", " :ß\"<&>'%\\")
CLIENT = canary("client secret", "%+&=/ é'\"")
PERSON = canary("password", '"\\<ü& %+')
PARAM = canary("token parameter", "&é=% <")
REPEATED = canary("repeated parameter", '+é=/"')
SEED = canary("pasted refresh token", "&%=+/é")
WRONG = canary("wrong", "&é=%")
STAFF = canary("staff", "&é=% ")
SENT = canary("sent along", "&é=%")

ACCOUNTS = {
    "BEARER_TOKEN": BEARER,
    "API_KEY": HEADER_KEY,
    "BASIC_PASSWORD": BASIC,
    "OAUTH_PASSWORD": PERSON,
    "CLIENTS": {"demo-client": accounts.Client("demo-client", CLIENT)},
}
SECRETS = (
    BEARER,
    HEADER_KEY,
    QUERY_KEY,
    BASIC,
    CLIENT,
    PERSON,
    WRONG,
    STAFF,
    SENT,
    PARAM,
    REPEATED,
    SEED,
)
ENVIRONMENT = {
    "PLANTED_BEARER": BEARER,
    "PLANTED_BASIC": BASIC,
    "PLANTED_CLIENT": CLIENT,
    "PLANTED_STAFF": STAFF,
}


@dataclass(frozen=True)
class Case:
    """A config and the connections that use it; `exits` says how the test of each ends."""

    slug: str
    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)
    exits: dict[str, int] = field(default_factory=lambda: {"default": 0, "echo": 0, "refused": 1})


# What is appended to the provider's address.
WAYS = {
    "default": "",
    "echo": "/fail/echo",
    "refused": "/fail/echo,401",
    "broken": "/fail/echo,500",
}
FAILS = {"default": 1, "echo": 1}


@contextmanager
def planted_provider(patch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The demo provider, whose accounts have the planted secrets."""
    for name, value in ACCOUNTS.items():
        patch.setattr(accounts, name, value)
    with Provider() as running:
        yield running


def secrets_of(provider: Provider) -> list[str]:
    """The planted secrets, and every token that was issued."""
    return [*SECRETS, *provider.ledger._access, *provider.ledger._refresh]


def cases(provider: Provider) -> tuple[Case, ...]:
    def oauth(token: str = "", **more: Any) -> dict[str, Any]:
        return {
            "token_url": f"{provider.base_url}{token}/token",
            "client_id": "demo-client",
            **more,
        }

    client = {"client_secret": "${env:PLANTED_CLIENT}"}
    consent = {"authorization_url": f"{provider.base_url}/authorize"}
    person = {"username": accounts.OAUTH_USERNAME}
    return (
        Case("bearer", "bearer", "/bearer", secrets={"token": "${env:PLANTED_BEARER}"}),
        Case("header-key", "api_key", "/key-header", {"key": "X-API-Key"}, {"value": HEADER_KEY}),
        Case(
            "query-key",
            "api_key",
            "/open",
            {"key": "api_key", "placement": "query"},
            {"value": QUERY_KEY},
            exits={"default": 1, "echo": 1, "refused": 1, "broken": 1},
        ),
        Case(
            "basic", "basic", "/basic", {"username": "demo"}, {"password": "${env:PLANTED_BASIC}"}
        ),
        Case("client", "oauth2_client_credentials", "/bearer", oauth(), client),
        Case(
            "client-post",
            "oauth2_client_credentials",
            "/bearer",
            oauth("/fail/echo", client_auth="post"),
            {**client, "secret_token_params": {"api_key": PARAM, "resource": ["a", REPEATED]}},
        ),
        Case(
            "person",
            "oauth2_password",
            "/bearer",
            oauth("/fail/echo", **person),
            {**client, "password": PERSON},
        ),
        Case(
            "consent", "oauth2_authorization_code", "/bearer", oauth(**consent), client, exits=FAILS
        ),
        Case(
            "pasted",
            "oauth2_authorization_code",
            "/bearer",
            oauth("/fail/echo", **consent, refresh_params={"expires": "60"}),
            {**client, "refresh_token": SEED, "secret_token_params": {"api_key": PARAM}},
            exits=FAILS,
        ),
        Case("wrong-bearer", "bearer", "/bearer", secrets={"token": WRONG}, exits=FAILS),
        Case(
            "wrong-basic", "basic", "/basic", {"username": "demo"}, {"password": WRONG}, exits=FAILS
        ),
        Case(
            "wrong-key",
            "api_key",
            "/key-query",
            {"key": "api_key", "placement": "query"},
            {"value": WRONG},
            exits=FAILS,
        ),
        Case(
            "wrong-client",
            "oauth2_client_credentials",
            "/bearer",
            oauth("/fail/echo"),
            {"client_secret": WRONG},
            exits=FAILS,
        ),
        Case(
            "wrong-person",
            "oauth2_password",
            "/bearer",
            oauth("/fail/echo", client_auth="post", **person),
            {**client, "password": WRONG},
            exits=FAILS,
        ),
    )


def document(provider: Provider) -> dict[str, Any]:
    """The tenant, as a file describes it."""
    every = cases(provider)
    assert {case.method for case in every} == {method.code for method in methods.METHODS}
    return {
        "tenants": [
            {
                "slug": "acme",
                "name": "Acme",
                "environments": [{"slug": "staging", "name": "Staging"}],
                "staff": [
                    {
                        "username": f"acme-{role}",
                        "email": f"{role}@acme.example",
                        "role": role,
                        "password": "${env:PLANTED_STAFF}",
                    }
                    for role in ("admin", "editor", "viewer")
                ],
                "auth_configs": [
                    {
                        "name": case.slug,
                        "environment": "staging",
                        "method": case.method,
                        "options": case.options,
                        "secrets": case.secrets,
                    }
                    for case in every
                ],
                "integrations": [
                    {
                        "slug": case.slug,
                        "name": case.slug,
                        "connections": [
                            {
                                "environment": "staging",
                                "name": name,
                                "base_url": f"{provider.base_url}{WAYS[name]}{case.path}",
                                "auth_config": case.slug,
                            }
                            for name in case.exits
                        ],
                    }
                    for case in every
                ],
            }
        ]
    }
