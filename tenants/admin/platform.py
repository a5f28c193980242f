from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from tenants.admin_base import TenantAdmin
from tenants.audit import record
from tenants.badges import moment, pill
from tenants.consequences import Consequence, ask_page
from tenants.models import Tenant
from tenants.site import site
from tenants.wording import Worded

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Tenant]
else:
    _ModelForm = forms.ModelForm


class TenantRowForm(Worded, _ModelForm):
    """Slug and name, with words of ours."""

    class Meta:
        model = Tenant
        fields = ("slug", "name")
        error_messages: ClassVar = {
            "slug": {"unique": "There is a tenant with this slug already. Choose another slug."}
        }


@admin.register(Tenant, site=site)
class TenantListAdmin(TenantAdmin):
    """Where platform operators arrive: they make tenants, switch them off and on, and enter one."""

    form = TenantRowForm  # type: ignore[assignment]  # no tenant owns a tenant
    list_display = ("name", "slug", "state", "created", "enter")
    search_fields = ("name", "slug")
    empty_words = (
        "A tenant is a company or team that works in this console and sees only what is its own."
    )
    fields = ("slug", "name")
    records_itself: ClassVar[bool] = True
    list_after_template = "console/health_box.html"
    change_form_outer_after_template = "tenants/tenant_buttons.html"

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = "change" if change else "create"
        record(action, obj, fields=form.changed_data, tenant_id=obj.pk)

    def get_urls(self) -> list[URLPattern]:
        view: Callable[..., HttpResponse] = self.admin_site.admin_view(require_POST(self.switch))
        switch: URLPattern = path(
            "<path:object_id>/switch/", view, name="tenants_tenant_switch_off"
        )
        ask: URLPattern = path(
            "<path:object_id>/switch/ask/",
            self.admin_site.admin_view(require_safe(self.ask_to_switch_off)),
            name="tenants_tenant_switch_off_ask",
        )
        return [ask, switch, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if context.get("original") is not None:
            context["consequence"] = _switching_off(context["original"])
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def ask_to_switch_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = self._to_switch(request, object_id)
        back = reverse("admin:tenants_tenant_change", args=[tenant.pk])
        if tenant.disabled_at is not None:
            return redirect(back)
        return ask_page(request, self, _switching_off(tenant), original=tenant, back=back)

    def _to_switch(self, request: HttpRequest, object_id: str) -> Tenant:
        tenant: Tenant | None = self.get_object(request, object_id)
        if tenant is None:
            raise Http404
        if not self.allows(request, "switch_off", tenant):
            raise PermissionDenied
        return tenant

    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Switch the tenant off, or on again: what is off does nothing, at once, everywhere."""
        tenant = self._to_switch(request, object_id)
        tenant.disabled_at = None if tenant.disabled_at else timezone.now()
        tenant.save(update_fields=["disabled_at"])
        action = "switch_off" if tenant.disabled_at else "switch_on"
        record(action, tenant, tenant_id=tenant.pk)
        return redirect("admin:tenants_tenant_changelist")

    @admin.display(description="State")
    def state(self, tenant: Tenant) -> SafeString:
        return pill("switched off", "bad") if tenant.disabled_at else pill("on", "good")

    @admin.display(description="Since", ordering="created_at")
    def created(self, tenant: Tenant) -> SafeString:
        return moment(tenant.created_at)

    @admin.display(description="")
    def enter(self, tenant: Tenant) -> SafeString | str:
        if tenant.disabled_at:
            return ""
        # The list stands in a form already, and forms can't be nested.
        return format_html(
            '<button class="c-button" name="tenant" value="{}" formmethod="post" formaction="{}">Enter</button>',
            tenant.pk,
            reverse("switch_tenant"),
        )


def _switching_off(tenant: Tenant) -> Consequence:
    return Consequence(
        url=reverse("admin:tenants_tenant_switch_off", args=[tenant.pk]),
        label="Switch off",
        icon="power_settings_new",
        title=f"Switch off {tenant.name}?",
        text="Nobody of the tenant gets in and nothing is sent for it, at once, until it is switched on again. Its data stays.",
        button="Switch off now",
        ends=True,
    )
