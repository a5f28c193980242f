"""The console's admin site. It shows what is registered here by name, and nothing that a library registers by itself."""

from typing import Any, ClassVar

from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.sites import UnfoldAdminSite

from tenants import palette, permissions, sessions
from tenants.audit import record
from tenants.middleware import tenant_of
from tenants.models import User
from tenants.wording import Worded, WordedPasswords


class LoginForm(Worded, AuthenticationForm):  # type: ignore[misc]
    error_messages: ClassVar = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The user name or the password is wrong: type both again. Capital and small letters count.",
    }


class OwnPasswordForm(WordedPasswords, AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """The present password, and twice the new one."""


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]
    enable_nav_sidebar = True
    login_form = LoginForm
    login_template = "tenants/login.html"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Objects go one by one, each with the list of what still uses it.
        self.disable_action("delete_selected")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without the shortcut that leads to any object's page by its content type: it knows no tenant."""
        urls = super().get_urls()
        return [url for url in urls if getattr(url, "name", None) != "view_on_site"]

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the user works in a tenant right now, or is a platform operator on the way to one."""
        user = request.user
        if not isinstance(user, User) or not user.is_active:
            return False
        return tenant_of(request) is not None or user.is_superuser

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds the active tenant, the user's role in it, and the tenants to switch to."""
        context: dict[str, Any] = super().each_context(request)
        user = request.user
        tenant = tenant_of(request)
        context["active_tenant"] = tenant
        context["active_role"] = permissions.role_of(user)
        context["other_tenants"] = (
            [each for each in sessions.tenants_of(user)[:50] if each != tenant]
            if isinstance(user, User)
            else []
        )
        return context

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The command palette's answer. The theme's own remembers what a user found, whatever the tenant is now."""
        words = palette.words_of(request.GET.get("s", ""))
        if not words:
            return HttpResponse()
        pages = [page for page in self._registry.values() if isinstance(page, palette.Findable)]
        found = (entry for page in pages for entry in page.palette_entries(request, words))
        home = palette.Entry("Home", reverse(f"{self.name}:index"), "home", "Page")
        context = {"entries": palette.best([home, *found], words), "term": request.GET["s"].strip()}
        return TemplateResponse(request, "console/palette.html", context)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Set one's own password."""
        request.current_app = self.name
        view: Any = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse(f"{self.name}:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        response: HttpResponse = view(request)
        user = request.user
        if response.status_code == 302 and isinstance(user, User):
            record("set_password", user, tenant_id=user.home_tenant_id)
        return response


site = ConsoleSite()


def look(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the theme's colours and styles, also for pages outside of its frame, such as a 404."""
    return {
        "border_radius": site._get_config("BORDER_RADIUS", request),
        "colors": site._get_colors("COLORS", request),
        "styles": site._get_list("STYLES", request),
        "site_favicons": site._get_favicons("SITE_FAVICONS", request),
    }
