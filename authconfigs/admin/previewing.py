"""The preview beside the form of an auth config, as it is typed or stored: requests, warnings, and what saving would do.

Nothing is saved, opened or sent. A typed secret counts as typed and no more: the browser sends dots in its place, and what
comes from another client is forgotten at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from django.apps import apps
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from authconfigs import methods
from authconfigs.admin.base import OwnPages
from authconfigs.admin.cautions import cautions, twins
from authconfigs.admin.forms import CLEAR
from authconfigs.admin.saved import coming
from authconfigs.admin.token_panel import TokenPanel, token_panel
from authconfigs.authorization.trips import redirect_uri
from authconfigs.methods.base import AuthMethod, Change, MethodForm
from authconfigs.methods.pairs import Pairs
from authconfigs.methods.unknown import UnknownMethod
from authconfigs.models import AuthConfig
from authconfigs.outgoing import OutgoingRequest, build_request
from authconfigs.preview import Shown, held_stand_ins, requests_of, typed_stand_ins, without_values
from authconfigs.saving import InvalidDraft, current_credential, draft_of, preview_change
from tenants.models import User

# Where no connection says what is called.
EXAMPLE = "https://api.example.com"


@dataclass(frozen=True)
class Preview:
    """What the page shows: `coming` is what saving would do, `to_fill` names what is missing, `wrong` what can't stay so."""

    coming: str = ""
    cautions: list[str] = field(default_factory=list)
    to_fill: list[str] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    requests: list[Shown] = field(default_factory=list)
    place: str = ""


class PreviewPages(OwnPages):
    @method_decorator(require_POST)
    @method_decorator(never_cache)
    def preview_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """The preview of what is typed, for a new config or for one that there is."""
        config: AuthConfig | None = None
        if object_id is not None:
            config = self.found(request, object_id, verb="change")
        elif not self.has_add_permission(request):
            raise PermissionDenied
        try:
            method = methods.by_code(request.POST.get("method", ""))
        except KeyError:
            raise BadRequest from None
        token = token_of(config) if config is not None else None
        user = cast("User", request.user)
        preview = preview_of(method, user=user, config=config, token=token, typed=request.POST)
        return TemplateResponse(request, "authconfigs/preview.html", {"preview": preview})


def token_of(config: AuthConfig) -> TokenPanel | None:
    """The panel of a config's token, with the scope that it asks for now."""
    asked = current_credential(config).options.get("scope", "")
    return token_panel(config, config_scope=asked)


def preview_of(
    method: AuthMethod,
    *,
    user: User,
    config: AuthConfig | None = None,
    token: TokenPanel | None = None,
    typed: QueryDict | None = None,
    shows_values: bool = True,
) -> Preview:
    """The preview of what is typed; of what is stored, or of an empty form, where `typed` is None.

    shows_values: the user may read the values of extra parameters and headers, because there is a form for that.
    """
    reading = _Reading.of(method, config, typed)
    connections = _connections_of(config)
    form = method.Form({**reading.options, **reading.held})
    form.full_clean()
    told = list(cautions(method, _valid(form), connections=connections, rotates=reading.rotates))
    if config is not None:
        told += twins(config, reading.kept, user=user)
    if isinstance(method, UnknownMethod):
        return Preview(cautions=told)
    fields = {**_valid(form), **reading.held}
    if not shows_values:
        fields = without_values(method, fields)
    api, place = _api_request(connections)
    errors = form.errors.as_data()
    missing = [name for name, found in errors.items() if found[0].code == "required"]
    labels = {name: str(each.label) for name, each in form.fields.items()}
    return Preview(
        coming=_coming(reading, config, token),
        cautions=told,
        to_fill=[labels[name] for name in missing],
        wrong=[
            (labels.get(name, ""), str(form.errors[name][0]))
            for name in errors
            if name not in missing
        ],
        requests=requests_of(method, fields, api=api, redirect_uri=redirect_uri()),
        place=place,
    )


@dataclass(frozen=True)
class _Reading:
    """What a form holds, or what is stored: options as they came, a stand-in for each secret.

    `kept` are the states of the stored secrets that stay, `held` all secrets that there would be, `typed` the new ones.
    """

    method: AuthMethod
    options: Mapping[str, Any]
    typed: Mapping[str, Any]
    held: Mapping[str, Any]
    kept: Mapping[str, Any]
    cleared: frozenset[str]
    rotates: bool

    @classmethod
    def of(cls, method: AuthMethod, config: AuthConfig | None, data: QueryDict | None) -> Self:
        credential = current_credential(config) if config is not None else None
        stored = credential.options if credential is not None else {}
        same_method = config is not None and config.method == method.code
        states = credential.secret_state if credential is not None and same_method else {}
        if data is None:
            options = {name: stored[name] for name in method.option_names if name in stored}
            rotates = config is not None and config.rotate_by is not None
        else:
            options = {name: data.get(name) for name in method.option_names}
            rotates = bool(data.get("rotate_by"))
        typed = typed_stand_ins(method, data or {}, states)
        cleared = frozenset(name for name in states if data and f"{CLEAR}{name}" in data)
        gone = cleared | typed.keys()
        kept = {name: state for name, state in states.items() if name not in gone}
        held = {**held_stand_ins(method, kept), **typed}
        return cls(method, options, typed, held, kept, cleared, rotates)


def _valid(form: MethodForm) -> dict[str, Any]:
    """The options that can be used as they are; nothing in place of the others, which no request can be made with."""
    fields = form.declared()
    return {
        name: form.cleaned_data.get(name, {} if isinstance(fields[name], Pairs) else "")
        for name in fields
        if not fields[name].secret
    }


def _coming(reading: _Reading, config: AuthConfig | None, token: TokenPanel | None) -> str:
    """What saving does to the token, judged as the save itself judges; nothing of a form that isn't complete."""
    if config is None or config.method != reading.method.code or token is None:
        return ""
    draft = replace(
        draft_of(config),
        options=reading.options,
        secrets=reading.typed,
        cleared=reading.cleared,
    )
    try:
        change = preview_change(config, draft)
    except InvalidDraft:
        return ""
    told = coming(change, token)
    by_secret = max(map(reading.method.change_of_secret, reading.typed), default=Change.NOTHING)
    if told and by_secret is change:
        return f"{told} If the typed secret is the stored one, nothing of that happens."
    return told


def _connections_of(config: AuthConfig | None) -> list[Any]:
    if config is None:
        return []
    rows = apps.get_model("integrations", "Connection").objects.filter(auth_config=config)
    return list(
        rows.select_related("integration", "revision").order_by("integration__name", "name")
    )


def _api_request(connections: Sequence[Any]) -> tuple[OutgoingRequest, str]:
    """The test request of the first connection, without its credential, and whose it is; an example where there is none."""
    if not connections:
        return build_request("GET", EXAMPLE, ""), (
            "No connection uses it yet: api.example.com stands for the host of the API."
        )
    first, more = connections[0], len(connections) - 1
    others = f" {more} more use{'' if more > 1 else 's'} this auth config." if more else ""
    try:
        request = build_request(
            first.test_method,
            first.base_url,
            first.test_path,
            headers=first.revision.headers,
            query=first.revision.query,
            extra_headers=tuple(first.test_headers.items()),
            body=None if first.test_body is None else first.test_body.encode(),
        )
    except ValueError as problem:
        return build_request("GET", EXAMPLE, ""), (
            f"The test request of {first} can't be sent, so api.example.com stands for the API. {problem}"
        )
    return request, f"The test request of the connection {first}.{others}"
