"""Opens the tenant's scope for a request, names who acts, and keeps everybody else out.

Nothing is remembered between requests but the id in the session: whoever lost the membership, or whose tenant was switched
off, gets nothing from the next request on.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from tenants import drawn_for, sessions
from tenants.actor import acting_as
from tenants.audit import record
from tenants.logins import web_actor
from tenants.models import Tenant, User
from tenants.scope import tenant_scope

_ATTRIBUTE = "tenant"
_PLATFORM_PAGES = "admin:tenants_tenant_"
# These belong to a person or a link, not to a tenant.
_WITHOUT_TENANT = frozenset(
    {
        "admin:login",
        "admin:logout",
        "admin:password_change",
        "admin:password_change_done",
        "admin:jsi18n",
        "favicon",
        "health_box",
        "help_symptom",
        "help_symptoms",
        "switch_tenant",
        "open_password_link",
        "set_password",
        "password_set",
        "consent_link",
        "oauth_callback",
        "oauth_callback_without_slash",
        "oauth_result",
    }
)
# Whatever comes there is told with a symptom; they look nothing up by it as it stands.
_OF_PROVIDERS = frozenset(
    {"consent_link", "oauth_callback", "oauth_callback_without_slash", "oauth_result"}
)


def tenant_of(request: HttpRequest) -> Tenant | None:
    """The tenant that the request works in."""
    return getattr(request, _ATTRIBUTE, None)


class TenantMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in (request.session.session_key or ""):
            # A quoted cookie can say so; it names no session, and PostgreSQL takes it in no comparison.
            request.session = type(request.session)()
        user = request.user
        with ExitStack() as opened:
            opened.enter_context(acting_as(web_actor(user, request)))
            if isinstance(user, User):
                tenant = sessions.current_tenant(user, request.session)
                setattr(request, _ATTRIBUTE, tenant)
                if tenant is not None:
                    opened.enter_context(tenant_scope(tenant.id))
            response = self.get_response(request)
            # Only here: in the view's own transaction, its rollback would take the row along.
            if isinstance(user, User) and _is_refusal(request, response):
                _record_refusal(request, f"{response.status_code}")
            return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Lead whoever works in no tenant to where one is chosen; refuse forms of another tenant."""
        user = request.user
        name = _page(request)
        sent = request.path_info + unquote(request.META.get("QUERY_STRING", ""))
        if "\0" in sent and name not in _OF_PROVIDERS:
            # Nothing that is stored has one, and PostgreSQL takes it in no comparison.
            raise Http404
        if not isinstance(user, User) or name in _WITHOUT_TENANT:
            return None
        if name.startswith(_PLATFORM_PAGES):
            if not user.is_superuser:
                # Before any look-up: whether a tenant exists is nobody else's business.
                raise PermissionDenied
            return None
        tenant = tenant_of(request)
        if tenant is None:
            if user.is_superuser:
                return redirect("admin:tenants_tenant_changelist")
            context = {"tenants": sessions.tenants_of(user)}
            return render(request, "tenants/no_tenant.html", context, status=403)
        if request.method == "POST" and not drawn_for.is_drawn_for(request, tenant):
            _record_refusal(request, "form of another tenant")
            return drawn_for.refusal(request, tenant, page=getattr(view, "model_admin", None))
        return None


def _is_refusal(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether somebody was kept from a thing; what doesn't exist for them counts, a mistyped address doesn't."""
    if response.status_code == 404 and request.resolver_match is not None:
        return bool(request.resolver_match.kwargs.keys() - {"url"})
    return response.status_code == 403


def _record_refusal(request: HttpRequest, outcome: str) -> None:
    match = request.resolver_match
    asked_for = match.kwargs.get("object_id", "") if match is not None else ""
    tenant = tenant_of(request)
    record(
        "refused",
        name=f"{_page(request)} {asked_for}".strip(),
        outcome=outcome,
        tenant_id=tenant.id if tenant else sessions.wanted_tenant_id(request.session),
    )


def _page(request: HttpRequest) -> str:
    """The name of the page's URL pattern."""
    return request.resolver_match.view_name if request.resolver_match is not None else ""
