"""Every form says which tenant it was drawn for; what is posted for another is refused, and nothing is saved.

Somebody who has two tabs open, switches the tenant in one and saves in the other, must not change the wrong tenant. The
field comes with the CSRF token (`tenants.templatetags.csrf`), so that no form can lack it.
"""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants.models import Tenant, User
from tenants.sessions import tenants_of

FIELD = "_tenant"


class KeepsTyped(Protocol):
    def kept_fields(self, request: HttpRequest) -> Mapping[str, forms.Field]:
        """The fields whose typed values may be shown again; those of secrets are left out."""


def is_drawn_for(request: HttpRequest, tenant: Tenant) -> bool:
    """Whether the posted form was drawn for the tenant."""
    return request.POST.get(FIELD) == str(tenant.id)


def refusal(request: HttpRequest, tenant: Tenant, *, page: KeepsTyped | None) -> HttpResponse:
    """The page that says so, with what was typed, to be copied. `page` knows which of its fields are secret."""
    user = request.user
    drawn_for = _tenant_of(user, request.POST.get(FIELD, "")) if isinstance(user, User) else None
    typed = typed_values(request, page.kept_fields(request)) if page is not None else []
    context: dict[str, Any] = {"active": tenant, "drawn_for": drawn_for, "typed": typed}
    return render(request, "tenants/other_tenant.html", context, status=409)


def typed_values(request: HttpRequest, fields: Mapping[str, forms.Field]) -> list[tuple[str, str]]:
    """Label and typed text of the posted fields. Ids are left out: they are another tenant's, and nobody typed them."""
    return [
        (str(field.label or name.replace("_", " ").capitalize()), value)
        for name, field in fields.items()
        if not is_secret(field) and not isinstance(field, forms.ModelChoiceField)
        for value in request.POST.getlist(name)
        if value
    ]


def is_secret(field: forms.Field) -> bool:
    """Whether what is typed here is never shown again."""
    return isinstance(field.widget, forms.PasswordInput) or bool(getattr(field, "secret", False))


def _tenant_of(user: User, typed_id: str) -> Tenant | None:
    """The tenant that the form names, if the user may know it."""
    try:
        return tenants_of(user).filter(id=UUID(typed_id)).first()
    except ValueError:
        return None
