from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from unfold import widgets

from tenants import staff
from tenants.admin_base import TenantAdmin
from tenants.badges import moment, pill
from tenants.consequences import Consequence, ask_page
from tenants.dressing import dress
from tenants.models import Membership, User
from tenants.refusals import StaffRefused
from tenants.roles import Role
from tenants.scope import active_tenant_id
from tenants.site import site

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Membership]
else:
    _ModelForm = forms.ModelForm


class _StaffForm(_ModelForm):
    """The domain's refusals are errors of the form, so that nothing typed is lost; only asking it tells.

    `by` is who acts; the admin sets it.
    """

    by: ClassVar[User]
    email = forms.EmailField(
        required=False,
        help_text="Where mail about this tenant goes, e.g. ann.lee@example.com. Empty: none is sent.",
    )

    class Meta:
        model = Membership
        fields = ("role",)
        widgets: ClassVar = {"role": widgets.UnfoldAdminSelectWidget}
        help_texts: ClassVar = {
            "role": "Viewers look. Operators also test, call and refresh. Editors also change what isn't protected. Admins do everything."
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                with transaction.atomic():
                    self.ask(cleaned)
            except StaffRefused as refusal:
                self.add_error(None, str(refusal))
        return cleaned

    def ask(self, typed: Mapping[str, Any]) -> None:
        raise NotImplementedError


class AddPersonForm(_StaffForm):
    login = forms.CharField(
        max_length=80,
        help_text="What they log in with, without the part after @, e.g. ann.lee. The tenant's name is added to it.",
    )

    def ask(self, typed: Mapping[str, Any]) -> None:
        self.instance = staff.add_person(
            typed["login"], email=typed["email"], role=Role(typed["role"]), by=self.by
        )


class ChangePersonForm(_StaffForm):
    is_active = forms.BooleanField(
        label="May log in",
        required=False,
        help_text="Off ends their sessions at once, in every tenant.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = self.instance.user
        self.fields["email"].initial = user.email
        self.fields["is_active"].initial = user.is_active
        if not is_at_home(self.instance):
            for name in ("email", "is_active"):
                self.fields[name].disabled = True
                self.fields[name].help_text = "Only admins of their home tenant change this."

    def ask(self, typed: Mapping[str, Any]) -> None:
        before = Membership.objects.select_related("user").get(pk=self.instance.pk)
        staff.change_role(before, Role(typed["role"]), by=self.by)
        if is_at_home(before):
            staff.change_email(before, typed["email"], by=self.by)
            staff.set_active(before, typed["is_active"], by=self.by)


def is_at_home(membership: Membership) -> bool:
    """Whether the person's e-mail, password and login belong to the active tenant."""
    return membership.user.home_tenant_id == active_tenant_id()


@admin.register(Membership, site=site)
class MembershipAdmin(TenantAdmin):
    list_display = ("login", "role_column", "email", "may_log_in", "last_login")
    list_filter = ("role",)
    list_select_related = ("user",)
    empty_words = "Who works in this tenant, and in which role."
    search_fields = ("user__username", "user__email")
    ordering = ("user__username",)
    records_itself: ClassVar[bool] = True
    change_form_outer_after_template = "tenants/person_buttons.html"

    def get_form(
        self,
        request: HttpRequest,
        obj: Membership | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        form = ChangePersonForm if obj is not None else AddPersonForm
        return type(form.__name__, (form,), {"by": cast(User, request.user)})

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Sequence[str]:
        return ("email", "role", "is_active") if obj is not None else ("login", "email", "role")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form has done it."""

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        staff.remove(obj, by=cast(User, request.user))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except StaffRefused as refusal:
            return self._refused(request, refusal)

    def get_urls(self) -> list[URLPattern]:
        view: Callable[..., HttpResponse] = self.admin_site.admin_view(self.new_link)
        link: URLPattern = path(
            "<path:object_id>/password-link/", view, name="tenants_membership_password_link"
        )
        ask: URLPattern = path(
            "<path:object_id>/password-link/ask/",
            self.admin_site.admin_view(require_safe(self.ask_for_link)),
            name="tenants_membership_password_link_ask",
        )
        return [ask, link, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if context.get("original") is not None:
            context["consequence"] = _new_link_ends_a_password(context["original"])
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def ask_for_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        membership = self.get_object(request, object_id)
        if membership is None:
            raise Http404
        if not self.has_change_permission(request, membership):
            raise PermissionDenied
        asked = _new_link_ends_a_password(membership)
        back = reverse("admin:tenants_membership_change", args=[membership.pk])
        return ask_page(request, self, asked, original=membership, back=back)

    def response_add(
        self, request: HttpRequest, obj: Membership, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The link with which the new person sets their password."""
        return self._shown_once(request, obj)

    def new_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return require_POST(never_cache(self._new_link))(request, object_id)

    def _new_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        membership = self.get_object(request, object_id)
        if membership is None:
            raise Http404
        if not self.has_change_permission(request, membership):
            raise PermissionDenied
        try:
            return self._shown_once(request, membership)
        except StaffRefused as refusal:
            return self._refused(request, refusal)

    def _shown_once(self, request: HttpRequest, membership: Membership) -> HttpResponse:
        link = staff.new_password_link(membership, by=cast(User, request.user))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Password link for {membership.user}",
            "opts": self.opts,
            "login": membership.user,
            "link": link,
            "days": settings.PASSWORD_RESET_TIMEOUT // 86400,
            "back": reverse("admin:tenants_membership_changelist"),
        }
        return TemplateResponse(
            request,
            "tenants/password_link.html",
            context,
            headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        )

    def _refused(self, request: HttpRequest, refusal: StaffRefused) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "This can't be done",
            "opts": self.opts,
            "reason": str(refusal),
        }
        return TemplateResponse(request, "tenants/staff_refused.html", context, status=409)

    @admin.display(description="Login", ordering="user__username")
    def login(self, membership: Membership) -> str:
        return membership.user.username

    @admin.display(description="Role", ordering="role")
    def role_column(self, membership: Membership) -> str:
        return membership.get_role_display()

    @admin.display(description="E-mail", ordering="user__email")
    def email(self, membership: Membership) -> str:
        return membership.user.email or "—"

    @admin.display(description="May log in")
    def may_log_in(self, membership: Membership) -> SafeString:
        return pill("yes", "good") if membership.user.is_active else pill("no", "quiet")

    @admin.display(description="Last login", ordering="user__last_login")
    def last_login(self, membership: Membership) -> SafeString:
        return moment(membership.user.last_login)


def _new_link_ends_a_password(membership: Membership) -> Consequence:
    return Consequence(
        url=reverse("admin:tenants_membership_password_link", args=[membership.pk]),
        label="Make a password link",
        icon="key",
        title=f"Make a password link for {membership.user}?",
        text="The present password stops working at once, and they are logged out everywhere. They get in again once they have set a new one with the link.",
        button="Make the link now",
    )
