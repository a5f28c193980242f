"""The base of every admin page of tenant-owned rows; what the pages of one model need beyond it stands with that model.

Rows come from the scoped manager: those of another tenant don't exist, on any path. Rights are asked per object. Changes go
to the audit trail, not to Django's log.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import get_fields_from_path, unquote
from django.core import checks
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db import IntegrityError, models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst

from tenants import lacking, staff
from tenants.audit import record
from tenants.error_pages import bad_request
from tenants.forms import TenantForm
from tenants.history import history_page
from tenants.holders import rows_that_hold
from tenants.lists import CappedPaginator, lookups
from tenants.models import Environment, User
from tenants.palette import Findable
from tenants.permissions import environments_for
from tenants.refusals import InUse
from tenants.roles import UNPROTECTED, holders_of
from tenants.scope import TenantModel


class TenantAdmin(Findable):
    """Pages of a tenant-owned model.

    fixed_fields: never change once the row exists. records_itself: the domain functions that `save_model` and `delete_model`
    call write the audit trail. natural_key: what a row is called in any tenant. empty_words: what the list is for, read where
    nothing is in it. An action names its permissions, or nobody sees it.
    """

    form = TenantForm
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    view_on_site = False
    delete_confirmation_template = "tenants/delete_confirmation.html"
    fixed_fields: ClassVar[Sequence[str]] = ("environment", "slug")
    records_itself: ClassVar[bool] = False
    natural_key: ClassVar[Sequence[str]] = ()
    empty_words: ClassVar[str] = ""

    # Rights

    def allows(
        self, request: HttpRequest, verb: str, obj: models.Model | str | None = None
    ) -> bool:
        """Whether the user may do `verb` (`test`, say) to this kind of row, or to `obj`."""
        # The theme asks about its buttons with the id alone.
        row = self.get_object(request, unquote(obj)) if isinstance(obj, str) else obj
        if row is None and obj is not None:
            return False
        allowed: bool = request.user.has_perm(self._perm(verb), row)
        if not allowed:
            lacking.remember(request, self._perm(verb), row)
        return allowed

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.allows(request, "view", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.allows(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.allows(request, "delete", obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, "view")

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Django's, and E005: an action that names no permissions would run for viewers."""
        themed = [
            *self._get_base_actions_list(),
            *self._get_base_actions_detail(),
            *self._get_base_actions_row(),
            *self._get_base_actions_submit_line(),
        ]
        actions = [(action, name) for action, name, _ in self._get_base_actions()]
        actions += [(action.method, action.action_name) for action in themed]
        return [
            *super().check(**kwargs),
            *(
                self._action_error(name)
                for action, name in actions
                if not getattr(action, "allowed_permissions", None)
            ),
        ]

    # Forms

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing: a link must not fill in what somebody then saves."""
        return {}

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> Sequence[Any]:
        readonly: Sequence[Any] = super().get_readonly_fields(request, obj)
        if obj is None:
            return readonly
        names = {field.name for field in self.opts.get_fields()}
        fixed = [name for name in self.fixed_fields if name in names and name not in readonly]
        return [*readonly, *fixed]

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelChoiceField[Any] | None":
        """Choices of this tenant only; environments that the user may write to."""
        target = db_field.remote_field.model
        if target is User:
            kwargs.setdefault("queryset", staff.people())
        elif target is Environment:
            kwargs.setdefault("queryset", environments_for(request.user, self._perm("add")))
        elif not issubclass(target, TenantModel):
            raise ImproperlyConfigured(f"{db_field} offers rows that no tenant owns.")
        field: forms.ModelChoiceField[Any] | None = super().formfield_for_foreignkey(
            db_field, request, **kwargs
        )
        return field

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        asked = (request, object_id, form_url, extra_context)
        try:
            response: HttpResponse = super().changeform_view(*asked)
        except IntegrityError:
            # Somebody was faster with what the form found free: now it sees their row, and says so.
            response = super().changeform_view(*asked)
        return response

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Raises PermissionDenied when the row, as it would be, is more than the user may write."""
        row = super().save_form(request, form, change)
        if not self.allows(request, "change" if change else "add", row):
            raise PermissionDenied
        return row

    def kept_fields(self, request: HttpRequest) -> Mapping[str, forms.Field]:
        """The fields whose typed values a refusal page may show; see `tenants.drawn_for`."""
        fields: Mapping[str, forms.Field] = self.get_form(request).base_fields
        return fields

    # Lists

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, under the plain name of what is in it. A filter that it doesn't have is a mistyped address, and no attack."""
        title = capfirst(self.opts.verbose_name_plural)
        try:
            response: HttpResponse = super().changelist_view(
                request, {"title": title, **(extra_context or {})}
            )
        except DisallowedModelAdminLookup as mistyped:
            return bad_request(request, mistyped)
        return response

    def who_may_add(self) -> str:
        """The roles that make such rows, in words; empty where nobody does."""
        return holders_of(self._perm("add"))

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return [self._scoped(declared) for declared in super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        if request is None:
            return False
        return lookup in lookups(self.get_list_filter(request), self.date_hierarchy)

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Run the chosen action. Raises Http404 for a ticked row whose id can't be one."""
        for ticked in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.to_python(ticked)
            except ValidationError:
                raise Http404 from None
        response: HttpResponse | None = super().response_action(request, queryset)
        return response

    # Deleting

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        if holders := [holder for obj in objs for holder in rows_that_hold(obj)]:
            # What else would go along isn't collected: it stays.
            return [], {}, set(), holders
        to_delete, counts, lacking, protected = super().get_deleted_objects(objs, request)
        # What machines write goes along with its row, though nobody deletes it by itself.
        by_hand = {
            model._meta.verbose_name
            for model in self.admin_site._registry
            if _may_somebody_delete(model)
        }
        return to_delete, counts, set(lacking) & by_hand, protected

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            response: HttpResponse = super().delete_view(request, object_id, extra_context)
        except InUse as refusal:
            messages.error(request, str(refusal))
            return redirect("..")
        return response

    # History

    def construct_change_message(
        self, request: HttpRequest, form: forms.Form, formsets: Any, add: bool = False
    ) -> list[str]:
        """The names of the changed fields."""
        return sorted(form.changed_data)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: list[str]) -> None:
        self._record("create", obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: list[str]) -> None:
        if message:
            self._record("change", obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self._record("delete", obj, [])

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The row's lines of the audit trail, for whoever may see the row."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return history_page(request, self, obj)

    def _record(self, action: str, obj: models.Model, fields: Sequence[str]) -> None:
        if not self.records_itself:
            record(action, obj, fields=fields)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        # Django leads to the index with a message; a plain 404 is the same for every id, and is recorded.
        raise Http404

    def _scoped(self, declared: Any) -> Any:
        """A filter by people offers those in this list only: users know no tenant."""
        if isinstance(declared, str):
            target = get_fields_from_path(self.model, declared)[-1].related_model
            if target is not None and not issubclass(target, TenantModel):
                return declared, admin.RelatedOnlyFieldListFilter
        return declared

    def _perm(self, verb: str) -> str:
        return f"{self.opts.app_label}.{verb}_{self.opts.model_name}"

    def _action_error(self, name: str) -> checks.CheckMessage:
        return checks.Error(
            f"The action {name} names no permissions, so that viewers could run it.",
            hint="Declare it with @admin.action(permissions=[...]).",
            obj=type(self),
            id="tenants.E005",
        )


def _may_somebody_delete(model: type[models.Model]) -> bool:
    perm = f"{model._meta.app_label}.delete_{model._meta.model_name}"
    return any(perm in granted for granted in UNPROTECTED.values())
