"""Where a switch of the tenant lands: on the same page of the other tenant, as far as it has one.

What comes from the browser is only looked up: the address that is led to is made anew from the console's own routes.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve, reverse

from tenants.admin_base import TenantAdmin
from tenants.middleware import tenant_of
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tenants.site import site

# They are the same for every tenant.
_SHARED = frozenset({"help_symptoms", "help_symptom", "admin:password_change"})
# Of a list: what is searched for, and in which order it stands.
_OF_LISTS = ("q", "o")


def landing(request: HttpRequest, page: str, tenant: Tenant) -> str:
    """The address in `tenant` that comes closest to `page`, an address of the tenant that the request works in."""
    home = reverse("admin:index")
    path, _, query = page.partition("?")
    try:
        match = resolve(path)
    except Resolver404:
        return home
    if match.view_name in _SHARED:
        return reverse(match.view_name, kwargs=match.kwargs)
    pages = _pages_of(match)
    if pages is None:
        return home
    natural = _natural_values(request, pages, match)
    with tenant_scope(tenant.id):
        if not pages.has_view_permission(request):
            return home
        return _address(request, pages, match, dict(parse_qsl(query)), natural)


def _pages_of(match: ResolverMatch) -> TenantAdmin | None:
    """The pages of the model that an address is about."""
    for model, pages in site._registry.items():
        prefix = f"{site.name}:{model._meta.app_label}_{model._meta.model_name}_"
        if match.view_name.startswith(prefix) and isinstance(pages, TenantAdmin):
            return pages
    return None


def _natural_values(
    request: HttpRequest, pages: TenantAdmin, match: ResolverMatch
) -> dict[str, Any]:
    """What the row of the address is called, in this tenant; empty where it can't be found in another one by that."""
    here = tenant_of(request)
    wanted = match.kwargs.get("object_id")
    if here is None or wanted is None or not pages.natural_key:
        return {}
    row = pages.get_object(request, wanted)
    if row is None or not pages.has_view_permission(request, row):
        return {}
    named = pages.get_queryset(request).filter(pk=row.pk).values(*pages.natural_key)
    return named.first() or {}


def _address(
    request: HttpRequest,
    pages: TenantAdmin,
    match: ResolverMatch,
    query: dict[str, str],
    natural: dict[str, Any],
) -> str:
    opts = pages.opts
    base = f"{site.name}:{opts.app_label}_{opts.model_name}"
    wanted = match.kwargs.get("object_id")
    if wanted is not None:
        # Who switches back to the tenant of a form finds its page as it was.
        row = pages.get_object(request, wanted)
        if row is not None:
            return reverse(match.view_name, kwargs=match.kwargs)
        row = pages.get_queryset(request).filter(**natural).first() if natural else None
        if row is not None:
            return reverse(f"{base}_change", args=[row.pk])
        return reverse(f"{base}_changelist")
    if match.view_name == f"{base}_add" and pages.has_add_permission(request):
        kept = {name: value for name, value in query.items() if not _is_id(value)}
        return _with_query(reverse(match.view_name), kept)
    url = reverse(f"{base}_changelist")
    if match.view_name != f"{base}_changelist":
        return url
    kept = {name: query[name] for name in _OF_LISTS if query.get(name)}
    return _with_query(url, {**kept, **_filters(request, pages, query)})


def _with_query(url: str, kept: dict[str, str]) -> str:
    return f"{url}?{urlencode(kept)}" if kept else url


def _is_id(value: str) -> bool:
    """Whether it names a row, which is the other tenant's."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _filters(request: HttpRequest, pages: TenantAdmin, query: dict[str, str]) -> dict[str, str]:
    """The filters that the list offers with this value in the tenant, too."""
    kept: dict[str, str] = {}
    for declared in pages.get_list_filter(request):
        if isinstance(declared, type) and issubclass(declared, admin.SimpleListFilter):
            name = str(declared.parameter_name)
            offered = declared(request, {}, pages.model, pages).lookup_choices
            if query.get(name) in [str(value) for value, _ in offered]:
                kept[name] = query[name]
        elif isinstance(declared, str) and not pages.opts.get_field(declared).is_relation:
            name = f"{declared}__exact"
            if query.get(name):
                kept[name] = query[name]
    return kept
