"""The demo data: two tenants with their staff, and each sample as config, integration and connection.

It is a document of the file format, so it goes through the same door as anybody's file.
"""

from collections.abc import Mapping
from typing import Any

from integrations.demo.samples import BROKEN, WORKING, Sample
from integrations.targets import Name
from tenants.roles import Role

STAGING, PRODUCTION = "staging", "production"
TENANTS = {"acme": "Acme", "globex": "Globex"}


def staff_of(tenant: str) -> tuple[tuple[str, Role], ...]:
    """Logins and roles: one person of every role."""
    return tuple((f"{tenant}-{role.value}", role) for role in Role)


def document(provider: str, *, passwords: Mapping[str, str]) -> dict[str, Any]:
    """The demo data as a document of the file format; `provider` is the demo provider's address, without slash."""
    return {
        "version": 1,
        "tenants": [
            _tenant(slug, name, provider=provider, passwords=passwords)
            for slug, name in TENANTS.items()
        ],
    }


def names(tenant: str) -> tuple[Name, ...]:
    """Every connection of a demo tenant."""
    return tuple(
        Name(tenant, sample.slug, environment)
        for sample in (*WORKING, *BROKEN)
        for environment in _environments(sample)
    )


def _tenant(slug: str, name: str, *, provider: str, passwords: Mapping[str, str]) -> dict[str, Any]:
    samples = (*WORKING, *BROKEN)
    return {
        "slug": slug,
        "name": name,
        "environments": [
            {"slug": STAGING, "name": "Staging"},
            {"slug": PRODUCTION, "name": "Production", "protected": True},
        ],
        "staff": [
            {
                "username": login,
                "email": f"{login}@{slug}.example",
                "role": role.value,
                "password": passwords[login],
            }
            for login, role in staff_of(slug)
        ],
        "auth_configs": [
            _config(sample, environment, provider=provider)
            for sample in samples
            if sample.method
            for environment in _environments(sample)
        ],
        "integrations": [
            {
                "slug": sample.slug,
                "name": sample.name,
                "headers": {"Accept": "application/json"},
                "connections": [
                    _connection(sample, environment, provider=provider)
                    for environment in _environments(sample)
                ],
            }
            for sample in samples
        ],
    }


def _environments(sample: Sample) -> tuple[str, ...]:
    return (STAGING, PRODUCTION) if sample.in_production else (STAGING,)


def _config(sample: Sample, environment: str, *, provider: str) -> dict[str, Any]:
    options = {
        name: value.format(provider=provider) if isinstance(value, str) else value
        for name, value in sample.options.items()
    }
    if (sample.method or "").startswith("oauth2_"):
        options["token_url"] = f"{provider}/token"
    return {
        "name": sample.slug,
        "environment": environment,
        "description": sample.name,
        "method": sample.method,
        "options": options,
        "secrets": dict(sample.secrets),
    }


def _connection(sample: Sample, environment: str, *, provider: str) -> dict[str, Any]:
    origin = sample.origin.format(host=provider.partition("://")[2]) or provider
    return {
        "environment": environment,
        "base_url": origin + sample.path,
        "auth_config": sample.auth_config,
        **sample.connection,
    }
