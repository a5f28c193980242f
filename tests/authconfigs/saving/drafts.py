"""What tests of the save path share: who acts, drafts, and a token as if one had been fetched."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.saving import ConfigDraft
from tenants.actor import Actor, acting_as
from tenants.models import Environment, User
from tenants.scope import tenant_scope

TOKEN_URL = "https://auth.example.com/token"
CLIENT = {"token_url": TOKEN_URL, "client_id": "console"}


@contextmanager
def acting(user: User | None, environment: Environment) -> Iterator[None]:
    """The user works in the environment's tenant; None is the shell."""
    actor = Actor(
        user_id=user.id if user else None,
        name=user.username if user else "root",
        address=None,
        via="web" if user else "shell",
    )
    with tenant_scope(environment.tenant_id), acting_as(actor):
        yield


def bearer(
    token: str | None = "planted-token", *, name: str = "billing", **draft: Any
) -> ConfigDraft:
    secrets = {} if token is None else {"token": token}
    return ConfigDraft(
        name=name, method="bearer", options=draft.pop("options", {}), secrets=secrets, **draft
    )


def oauth(
    kind: str = "client_credentials", *, secrets: dict[str, Any] | None = None, **options: Any
) -> ConfigDraft:
    wanted = {**CLIENT, **options}
    if kind == "authorization_code":
        wanted.setdefault("authorization_url", "https://auth.example.com/authorize")
    if kind == "password":
        wanted.setdefault("username", "svc")
    return ConfigDraft(name="crm", method=f"oauth2_{kind}", options=wanted, secrets=secrets or {})


def plant_token(config: AuthConfig, *, refresh_token: str | None = "planted-refresh") -> None:
    """A stored token with a refresh token, good for an hour, after two failures."""
    row = OAuthToken.objects.get(config=config)
    row.access_token = "planted-access"
    row.refresh_token = refresh_token
    row.state = OAuthToken.State.STOPPED
    row.generation = 3
    row.expires_at = timezone.now() + timedelta(hours=1)
    row.refresh_after = timezone.now() + timedelta(minutes=50)
    row.failures = 2
    row.failure_symptom = "token_endpoint_config"
    row.retry_after_until = row.next_attempt_at = timezone.now() + timedelta(minutes=1)
    row.lease_owner = UUID(int=7)
    row.lease_expires_at = timezone.now() + timedelta(seconds=30)
    row.token_revision = config.token_revision
    row.save()
