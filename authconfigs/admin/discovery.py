"""“Fill in from the provider”: what an issuer publishes, offered to the form of an auth config. Nothing is saved here."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from authconfigs import methods
from authconfigs.admin.base import OwnPages
from authconfigs.errors import OutboundError
from authconfigs.methods.base import AuthMethod
from authconfigs.models import Starts
from authconfigs.oauth.discovery import Metadata, discover
from authconfigs.rate import count_start
from authconfigs.symptoms import Symptom
from authconfigs.transport import Deadline, default_door
from tenants.scope import active_tenant_id

SECONDS = 10.0
PER_MINUTE = 20

# Our choices of client authentication, in the order of preference, with their registered names.
_CLIENT_AUTH = {
    "basic": "client_secret_basic",
    "post": "client_secret_post",
    "none": "none",
}


class DiscoveryPages(OwnPages):
    @method_decorator(require_POST)
    def discover_view(self, request: HttpRequest) -> JsonResponse:
        """Ask the typed issuer, outside of any transaction: `{"ok": true, ...}` as `found` has it, or symptom and summary."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        method = _method(request)
        wait = count_start(active_tenant_id(), Starts.Kind.DISCOVERY, limit=PER_MINUTE)
        if wait is not None:
            return _failed(
                Symptom.TOO_MANY_TESTS,
                f"Providers were asked {PER_MINUTE} times within a minute. Wait {wait:.0f} seconds, then try again.",
                status=429,
            )
        typed = request.POST.get("issuer", "").strip()
        try:
            metadata = discover(
                typed,
                door=default_door(),
                deadline=Deadline.after(min(SECONDS, settings.OUTBOUND_TIMEOUT)),
            )
        except OutboundError as error:
            return _failed(error.symptom, error.summary)
        chosen = request.POST.get("client_auth", "")
        return JsonResponse(
            {"ok": True, **found(metadata, method, client_auth=chosen, typed=typed)}
        )


def found(
    metadata: Metadata, method: AuthMethod, *, client_auth: str, typed: str
) -> dict[str, Any]:
    """What the form can take over: values by field, scopes to choose from, facts and warnings to read."""
    issuer = metadata.issuer
    respelled = typed != issuer and typed.removesuffix("/") == issuer.removesuffix("/")
    values = {
        "token_url": metadata.token_url,
        "authorization_url": metadata.authorization_url,
        "revocation_url": metadata.revocation_url,
        "issuer": metadata.issuer,
        "client_auth": _client_auth(metadata, client_auth),
    }
    fields = method.Form.base_fields
    return {
        "issuer": metadata.issuer,
        "fields": {name: value for name, value in values.items() if value and name in fields},
        "scopes": list(metadata.scopes),
        "facts": [
            *([["The provider spells itself", issuer]] if respelled else []),
            ["Listed grants", _listed(metadata.grant_types)],
            ["Listed client authentication", _listed(metadata.client_auth_methods)],
            ["Listed PKCE methods", _listed(metadata.code_challenge_methods)],
        ],
        "warnings": list(_warnings(metadata, method)),
    }


def _method(request: HttpRequest) -> AuthMethod:
    try:
        method = methods.by_code(request.POST.get("method", ""))
    except KeyError:
        raise BadRequest from None
    if not method.uses_token:
        raise BadRequest
    return method


def _failed(symptom: Symptom, summary: str, *, status: int = 200) -> JsonResponse:
    return JsonResponse({"ok": False, "symptom": symptom, "summary": summary}, status=status)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def _client_auth(metadata: Metadata, chosen: str) -> str:
    """What is chosen, if it is supported or nobody says what is; else what is, if it is one of ours."""
    known = [ours for ours, name in _CLIENT_AUTH.items() if name in metadata.client_auth_methods]
    return chosen if chosen in known or not known else known[0]


def _warnings(metadata: Metadata, method: AuthMethod) -> Iterator[str]:
    fields = method.Form.base_fields
    # The code of an OAuth method is oauth2_ and the name of its grant (RFC 6749).
    grant = method.code.removeprefix("oauth2_")
    for name in ("token_url", "authorization_url"):
        if name in fields and not getattr(metadata, name):
            label = str(fields[name].label)
            yield f"No {label[0].lower()}{label[1:]} was found: type it from the provider's documentation."
    if metadata.grant_types and grant not in metadata.grant_types:
        yield f"The grant of this method, {grant}, isn't among those that the provider lists: {_listed(metadata.grant_types)}."
    challenges = metadata.code_challenge_methods
    if "authorization_url" in fields and challenges and "S256" not in challenges:
        yield f"The console always uses PKCE with S256, and the provider lists {_listed(challenges)} alone."
    auth = metadata.client_auth_methods
    if auth and not set(auth) & set(_CLIENT_AUTH.values()):
        yield f"This version has none of the ways of client authentication that the provider lists: {_listed(auth)}."
    if metadata.unusable:
        yield f"Left out, because it can't be used as it is: {', '.join(metadata.unusable)}."
