from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from authconfigs import methods
from authconfigs.admin import buttons
from authconfigs.admin.base import missing_once_gone
from authconfigs.admin.bulk import BulkActions
from authconfigs.admin.connecting import ConnectingPages, disconnect_config
from authconfigs.admin.consequences import ASKED, consequence
from authconfigs.admin.discovery import DiscoveryPages
from authconfigs.admin.events import EventPages
from authconfigs.admin.filters import (
    EnvironmentFilter,
    MethodFilter,
    OwnerFilter,
    StateFilter,
    saved_for_configs,
)
from authconfigs.admin.forms import DetailsForm
from authconfigs.admin.listing import CSV_COLUMNS, ConfigColumns, csv_rows, describe, for_list
from authconfigs.admin.pages import ConfigPages
from authconfigs.admin.palette import ConfigEntries
from authconfigs.admin.previewing import PreviewPages
from authconfigs.datakeys import Keychain
from authconfigs.models import AuthConfig
from authconfigs.saving import delete
from tenants.consequences import ask_page
from tenants.csv_lists import CsvPages
from tenants.saved_filters import SavedFilter
from tenants.site import site

# Buttons of the page: the verb that the user must be allowed to do to the config, and what it does.
_BUTTONS: dict[str, tuple[str, Callable[[HttpRequest, AuthConfig], None]]] = {
    "refresh": ("refresh", buttons.refresh),
    "expire": ("simulate_expiry", buttons.expire),
    "switch": ("change", buttons.switch),
    "disconnect": ("disconnect", disconnect_config),
}


@admin.register(AuthConfig, site=site)
class AuthConfigAdmin(
    ConfigColumns,
    BulkActions,
    ConfigEntries,
    ConnectingPages,
    EventPages,
    DiscoveryPages,
    PreviewPages,
    ConfigPages,
    CsvPages,
):
    list_display = (
        "name",
        "environment_column",
        "method_column",
        "status_column",
        "used_by_column",
        "secret_column",
    )
    list_filter = (EnvironmentFilter, MethodFilter, StateFilter, OwnerFilter)
    search_fields = ("name", "hosts", "client_id")
    search_help_text = "Name, host or client ID"
    records_itself: ClassVar[bool] = True
    natural_key = ("name", "environment__slug")
    csv_columns = CSV_COLUMNS
    empty_words = "An auth config is one credential of one environment: a method, its options and its secrets, with which your software calls an API."

    def csv_rows(self, rows: QuerySet[AuthConfig]) -> Iterator[Sequence[object]]:
        return csv_rows(rows)

    def saved_filters(self) -> Sequence[SavedFilter]:
        return saved_for_configs()

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuthConfig]:
        queryset: QuerySet[AuthConfig] = super().get_queryset(request)
        return queryset.select_related("environment", "owner")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows of one page, with what they show."""
        changelist = super().get_changelist_instance(request)
        rows = for_list(
            AuthConfig.objects.filter(id__in=[row.id for row in changelist.result_list])
        )
        read = {row.id: row for row in rows}
        keys = Keychain()
        changelist.result_list = [read[row.id] for row in changelist.result_list if row.id in read]
        for row in changelist.result_list:
            cast("Any", row).status = describe(row, keys)
        return changelist

    def get_urls(self) -> list[URLPattern]:
        def at(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            wrapped: Any = self.admin_site.admin_view(missing_once_gone(view))
            wrapped.model_admin = self
            pattern: URLPattern = path(route, wrapped, name=f"authconfigs_authconfig_{name}")
            return pattern

        def named(url: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return at(f"<path:object_id>/{url}/", view, name)

        pressed = [named(name, self._button(name), name) for name in _BUTTONS]
        asked = [named(f"{name}/ask", self._ask(name), f"{name}_ask") for name in ASKED]
        more = [
            named("method", self.choose_view, "method"),
            named("events", self.events_view, "events"),
            named("connect", self.connect_view, "connect"),
            named("consent-link", self.consent_link_view, "consent_link"),
            named("preview", self.preview_view, "preview"),
            at("discover/", self.discover_view, "discover"),
            at("preview/", self.preview_view, "preview_new"),
        ]
        return [*asked, *pressed, *more, *super().get_urls()]

    def _button(self, name: str) -> Callable[..., HttpResponse]:
        verb, act = _BUTTONS[name]

        @require_POST
        def pressed(request: HttpRequest, object_id: str) -> HttpResponse:
            config = self.found(request, object_id, verb=verb)
            act(request, config)
            return HttpResponseRedirect(self.url_of(config))

        return pressed

    def _ask(self, name: str) -> Callable[..., HttpResponse]:
        verb, _ = _BUTTONS[name]

        @require_safe
        def ask(request: HttpRequest, object_id: str) -> HttpResponse:
            config = self.found(request, object_id, verb=verb)
            asked, back = consequence(name, config), self.url_of(config)
            if asked is None:
                return HttpResponseRedirect(back)
            return ask_page(request, self, asked, original=config, back=back)

        return ask

    def kept_fields(self, request: HttpRequest) -> Mapping[str, forms.Field]:
        """What was typed into the details and the method's options."""
        try:
            method = methods.by_code(request.POST.get("method", ""))
        except KeyError:
            return DetailsForm.base_fields
        return {**DetailsForm.base_fields, **method.Form.base_fields}

    def delete_model(self, request: HttpRequest, obj: AuthConfig) -> None:
        delete(obj)
