"""A tenant as its staff see it: browsers that are logged in, and what they post."""

from typing import Any
from uuid import uuid4

from django.test import Client
from django.urls import reverse

from authconfigs.models import AuthConfig
from tenants.models import Tenant
from tenants.roles import Role
from tests.factories import log_in, make_member, posted

MISSING = uuid4()


def browser(tenant: Tenant, role: Role = Role.ADMIN) -> Client:
    """A browser in which somebody of the role is logged in."""
    client = Client()
    log_in(client, make_member(tenant, role, username=f"{role}-{uuid4().hex[:8]}"), tenant=tenant)
    return client


def url(page: str, *ids: Any, app: str = "authconfigs_authconfig") -> str:
    return reverse(f"admin:{app}_{page}", args=ids)


def html(response: Any) -> str:
    return str(response.content.decode())


def post_config(client: Client, config: AuthConfig, **typed: str) -> Any:
    """Post the config's form as it is drawn, with what was typed over it."""
    return client.post(url("change", config.id), drawn(config, **typed))


def drawn(config: AuthConfig, **typed: str) -> dict[str, Any]:
    """What the form of a config posts when nobody touches it, but for what was typed."""
    options = config.credentials.get(slot="current").options
    texts = {name: value for name, value in options.items() if isinstance(value, str)}
    return posted(
        config.tenant,
        **{
            "method": config.method,
            "name": config.name,
            "revision": str(config.revision),
            **texts,
            **typed,
        },
    )
