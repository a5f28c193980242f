"""The pages of one auth config: the form, and all that is known of it."""

from typing import Any, cast

from django.apps import apps
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from authconfigs import methods
from authconfigs.admin.choosing import ChoosingPages
from authconfigs.admin.consequences import ASKED, consequence
from authconfigs.admin.forms import ConfigForms, told
from authconfigs.admin.previewing import preview_of, token_of
from authconfigs.admin.rights import rights
from authconfigs.admin.saved import effect, next_step
from authconfigs.admin.states import config_status, is_readable
from authconfigs.admin.tested import (
    last_tests,
    summarized,
    test_status,
    tested,
    troubles,
    with_tests,
)
from authconfigs.admin.token_panel import TokenPanel
from authconfigs.datakeys import Keychain
from authconfigs.methods.base import AuthMethod, Change
from authconfigs.models import AuthConfig
from authconfigs.saving import (
    EditConflict,
    InvalidDraft,
    SavedConfig,
    current_credential,
    preview_change,
    save_config,
)
from tenants.models import User
from tenants.permissions import role_of
from tenants.roles import Role

HISTORY = 10


class ConfigPages(ChoosingPages):
    """The add and change pages are our own: the save path isn't that of a model form, and has its own transaction."""

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        method = _asked_method(request)
        if method is None:
            return self.choose_page(request, form_url=request.path, config=None)
        forms = ConfigForms(
            method,
            user=cast("User", request.user),
            data=request.POST if request.method == "POST" else None,
            initial={"environment": request.GET.get("environment")},
        )
        saved = self._saved(request, forms, config=None) if request.method == "POST" else None
        if saved is not None:
            messages.success(request, f"{saved.config.name} is saved. {next_step(saved)}")
            return self._done(request, saved)
        title = f"New auth config: {method.label}"
        return self.page(
            request,
            "add_config",
            title=title,
            forms=forms,
            method=method,
            choose_url=request.path,
            preview=preview_of(method, user=cast("User", request.user), typed=forms.data),
            preview_url=reverse("admin:authconfigs_authconfig_preview_new"),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        config = self.found(request, object_id, verb="view")
        if request.method != "POST":
            # What a save may change is read again by it.
            prefetch_related_objects([config], "credentials", "allowed_origins")
        method = _asked_method(request) or methods.stored(config.method)
        token = token_of(config)
        forms = None
        if self.has_change_permission(request, config):
            forms = ConfigForms(
                method,
                user=cast("User", request.user),
                config=config,
                data=request.POST if request.method == "POST" else None,
                has_token=token is not None and token.holds_any,
                renewable=token is not None and token.is_renewable,
                holds_consent=token is not None and token.by_person and token.holds_any,
            )
        if request.method == "POST":
            if forms is None:
                raise PermissionDenied
            saved = self._saved(request, forms, config=config)
            if saved is not None:
                self._say_changed(request, saved, token)
                return self._done(request, saved)
            config = self.get_object(request, object_id) or config
        return self.page(
            request,
            "config_page",
            title=config.name,
            original=config,
            forms=forms,
            method=method,
            token=token,
            preview=preview_of(
                method,
                user=cast("User", request.user),
                config=config,
                token=token,
                typed=forms.data if forms is not None else None,
                shows_values=forms is not None,
            ),
            preview_url=reverse("admin:authconfigs_authconfig_preview", args=[config.id]),
            **self._known(request, config, method, token=token),
        )

    def _saved(
        self, request: HttpRequest, forms: ConfigForms, *, config: AuthConfig | None
    ) -> SavedConfig | None:
        """Save what was typed; None where it is refused, and the forms say why."""
        if not forms.details.is_valid():
            return None
        draft = forms.draft()
        environment = forms.environment if config is None else config.environment
        if environment is None:
            return None
        try:
            if config is not None and "drop_grant" in forms.details.fields:
                drops = preview_change(config, draft) is Change.NEW_GRANT
                if drops and not forms.details.cleaned_data["drop_grant"]:
                    forms.refuse(
                        {
                            "drop_grant": [
                                "This change drops the connection: tick the box, and save."
                            ]
                        }
                    )
                    return None
            return save_config(
                draft,
                environment=environment,
                config=config,
                as_admin=role_of(request.user) is Role.ADMIN,
                seen_revision=forms.details.cleaned_data["revision"],
                confirms_origins=forms.details.cleaned_data.get("confirm_origins", False),
            )
        except InvalidDraft as invalid:
            forms.refuse(invalid.errors)
        except EditConflict as conflict:
            forms.conflict = str(conflict)
        return None

    def _say_changed(
        self, request: HttpRequest, saved: SavedConfig, token: TokenPanel | None
    ) -> None:
        if not saved.fields:
            messages.info(request, "Nothing was changed: all is stored as you sent it.")
            return
        told = (f"{saved.config.name} is saved.", effect(saved.change, token))
        messages.success(request, " ".join(filter(None, told)))
        for origin in saved.added_origins:
            messages.info(request, f"Its secrets may be sent to {origin} from now on.")

    def _done(self, request: HttpRequest, saved: SavedConfig) -> HttpResponse:
        for note in saved.notes:
            messages.info(request, note)
        return HttpResponseRedirect(self.url_of(saved.config))

    def _known(
        self,
        request: HttpRequest,
        config: AuthConfig,
        method: AuthMethod,
        *,
        token: TokenPanel | None,
    ) -> dict[str, Any]:
        """All that the page shows besides the form."""
        credential = current_credential(config)
        stored = methods.stored(config.method)
        labels = {name: str(field.label) for name, field in stored.Form().declared().items()}
        prefetch_related_objects([config], *with_tests())
        connections = list(cast("Any", config).connections.all())
        for connection in connections:
            connection.test_pill = tested(connection).status.pill
        tests = list(
            apps.get_model("integrations", "ConnectionTest")
            .objects.filter(config=config)
            .only("started_at", "ok", "symptom")[:HISTORY]
        )
        for test in tests:
            cast("Any", test).pill = test_status(ok=test.ok, symptom=test.symptom).pill
        readable = is_readable(credential, Keychain())
        last = last_tests(config)
        status = config_status(
            config,
            token.status if token else None,
            readable=readable,
            tests=last,
            scopes=token.scopes if token else None,
        )
        return {
            "config": config,
            "status": status.pill,
            "readable": readable,
            "summary": list(stored.summary(credential.options).items()),
            "secrets": [
                (labels[name], told(credential.secret_state.get(name)))
                for name in stored.secret_names
            ],
            "connections": connections,
            "troubles": troubles(last) if connections else [],
            "trouble": summarized(last),
            "origins": sorted(
                config.allowed_origins.all(), key=lambda row: (row.purpose, row.origin)
            ),
            "tests": tests,
            "elsewhere": AuthConfig.objects.filter(name=config.name)
            .exclude(id=config.id)
            .select_related("environment")
            .order_by("environment__protected", "environment__slug"),
            "may": rights(
                cast("User", request.user),
                config,
                uses_token=stored.uses_token,
                attached=bool(connections),
                has_access=token is not None and token.has_access,
                has_refresh=token is not None and token.has_refresh,
            ),
            "asks": {name: consequence(name, config) for name in ASKED},
            "why_readonly": _why_readonly(request, config),
            "method_changes": method.code != config.method,
            "old_method": stored,
            "choose_url": reverse("admin:authconfigs_authconfig_method", args=[config.id]),
        }


def _asked_method(request: HttpRequest) -> AuthMethod | None:
    code = request.POST.get("method") or request.GET.get("method") or ""
    try:
        method = methods.by_code(code)
    except KeyError:
        return None
    return method if method.available() else None


def _why_readonly(request: HttpRequest, config: AuthConfig) -> str:
    user = cast("User", request.user)
    if config.environment.protected and user.has_perm("authconfigs.change_authconfig"):
        return f"{config.environment.name} is protected: only admins change things here."
    return ""
