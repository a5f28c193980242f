"""The six steps of setting up a tenant's first integration; each is ticked by what is there."""

from dataclasses import dataclass

from django.db.models import Exists, Q
from django.urls import reverse

from authconfigs.models import AuthConfig, Credential, OAuthToken
from integrations.models import Connection
from tenants.models import Tenant
from tenants.scope import active_tenant_id


@dataclass(frozen=True)
class Step:
    """`url` leads to where the step is done; empty for who may not do it."""

    title: str
    words: str
    done: bool
    url: str


def checklist(*, may_begin: bool) -> list[Step]:
    """The steps of the active tenant, in order; one query."""
    add = reverse("admin:authconfigs_authconfig_add") if may_begin else ""
    configs, credentials, attached, proven, in_production = _found()
    return [
        Step(
            "Find out the provider's method",
            "The API's documentation says it under “Authentication”. Three questions help to choose.",
            configs,
            add,
        ),
        Step(
            "Create the auth config",
            "One per environment: staging and production don't share a credential.",
            configs,
            add,
        ),
        Step(
            "Enter credentials and endpoints",
            "They are encrypted at once, and no page shows them again. An OAuth config by consent is connected here.",
            credentials,
            reverse("admin:authconfigs_authconfig_changelist"),
        ),
        Step(
            "Attach it to an integration",
            "A connection says at which address the API is, in one environment.",
            attached,
            reverse("admin:integrations_connection_add") if may_begin else "",
        ),
        Step(
            "Test success and failure",
            "“Test connection” sends the request, and once more with an invented credential, which must be refused.",
            proven,
            reverse("admin:integrations_connection_changelist"),
        ),
        Step(
            "Go to production",
            "Make the config and the connection of the next environment: secrets stay where they belong.",
            in_production,
            reverse("admin:integrations_integration_changelist"),
        ),
    ]


def _found() -> tuple[bool, ...]:
    """Whether there is a config, a credential in one, a connection with a config, one that is tested right and wrong, one in production."""
    connections = Connection.objects.all()
    tokens = OAuthToken.objects.filter(
        Q(access_token__isnull=False) | Q(refresh_token__isnull=False)
    )
    has_secret = ~Q(secret_state={}) | Q(config__in=tokens.values("config"))
    asked = (
        Exists(AuthConfig.objects.all()),
        Exists(Credential.objects.filter(has_secret)),
        Exists(connections.filter(auth_config__isnull=False)),
        Exists(connections.filter(last_success_at__isnull=False, control_result="refused")),
        Exists(connections.filter(environment__protected=True)),
    )
    found: tuple[bool, ...] = Tenant.objects.values_list(*asked).get(id=active_tenant_id())
    return found
