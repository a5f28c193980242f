"""The sidebar: what stands in it, and for whom."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy


def _entry(title: str, icon: str, *, model: str) -> dict[str, Any]:
    """A link to the list of a model, for whoever may see its rows."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may(f"{app}.view_{name}"),
    }


def _may(perm: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(perm)


def navigation() -> list[dict[str, Any]]:
    """The groups of the sidebar, in order."""
    return [
        {
            "title": "Security",
            "items": [_entry("Authorization", "key", model="authconfigs.authconfig")],
        },
        {
            "title": "Integrations",
            "items": [
                _entry("Integrations", "hub", model="integrations.integration"),
                _entry("Connections", "cable", model="integrations.connection"),
            ],
        },
        {
            "title": "Activity",
            "items": [_entry("Activity", "history", model="tenants.auditevent")],
        },
        {
            "title": "Help",
            "items": [
                {
                    "title": "Troubleshooting",
                    "icon": "help",
                    "link": reverse_lazy("help_symptoms"),
                    "permission": _may("integrations.view_connection"),
                }
            ],
        },
        {
            "title": "Administration",
            "items": [
                _entry("Staff", "group", model="tenants.membership"),
                _entry("Environments", "layers", model="tenants.environment"),
                _entry("Tenants", "apartment", model="tenants.tenant"),
            ],
        },
    ]


def tenant_name(request: HttpRequest) -> str:
    """The active tenant, below the console's name."""
    tenant = getattr(request, "tenant", None)
    return tenant.name if tenant is not None else ""
