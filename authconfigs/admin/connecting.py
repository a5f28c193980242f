"""Connecting a config from its page: at the provider oneself, or by a link for whoever owns the account there."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from authconfigs import methods, origins
from authconfigs.admin.base import OwnPages
from authconfigs.authorization import bindings, links, trips
from authconfigs.authorization.disconnecting import disconnect
from authconfigs.authorization.recipients import Recipients
from authconfigs.authorization.views import leaving
from authconfigs.errors import ConfigInvalid, OutboundError
from authconfigs.models import AuthConfig
from authconfigs.saving import EditConflict, current_credential
from authconfigs.saving.tokens import needs_consent
from authconfigs.state import load_config
from tenants import audit
from tenants.csp import allow_form_action
from tenants.models import User


@dataclass(frozen=True)
class Connecting:
    """What a page of a config that needs consent shows beside its token; `recipients` where its addresses can be read."""

    redirect_uri: str
    recipients: Recipients | None = None
    may_connect: bool = False
    may_disconnect: bool = False
    held: bool = False


class ConnectingPages(OwnPages):
    def page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """As of the base; the form of a method that needs consent, and its config's page, show what that takes."""
        method, config = context.get("method"), context.get("config")
        if method is None or not needs_consent(method.code):
            return super().page(request, template, **context)
        connecting = Connecting(trips.redirect_uri())
        if config is not None and needs_consent(config.method):
            token = context.get("token")
            connecting = _connecting(request, config, held=token is not None and token.holds_any)
        response = super().page(request, template, connecting=connecting, **context)
        if connecting.may_connect and connecting.recipients:
            allow_form_action(response, connecting.recipients.provider)
        return response

    @method_decorator(require_POST)
    @method_decorator(never_cache)
    def connect_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leave for the provider's consent screen."""
        config = self.found(request, object_id, verb="connect")
        try:
            # Before the question, so that nobody leaves with an origin that is added behind it.
            state = trips.loaded(config.id)
            trips.check_connectable(state)
            recipients = Recipients.of(state.method, state.fields, apis=state.api_origins)
            question = self._question(request, config, button="Confirm and connect", leaves=True)
            if question is not None:
                allow_form_action(question, recipients.provider)
                return question
            url = trips.begin(state, binding=bindings.bind_session(request))
        except OutboundError as error:
            messages.error(request, error.summary)
            return HttpResponseRedirect(self.url_of(config))
        return leaving(request, url)

    @method_decorator(require_POST)
    @method_decorator(never_cache)
    def consent_link_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a consent link, and show it: now, and never again."""
        config = self.found(request, object_id, verb="connect")
        state = load_config(config.id)
        try:
            trips.check_connectable(state)
        except OutboundError as error:
            messages.error(request, error.summary)
            return HttpResponseRedirect(self.url_of(config))
        question = self._question(request, config, button="Confirm and make the link")
        if question is not None:
            return question
        trip, link = links.make_link(state)
        audit.record("consent_link", config)
        return self.page(
            request,
            "authorization/link",
            title=f"Consent link for {config.name}",
            original=config,
            trip=trip,
            link=link,
            back=self.url_of(config),
        )

    def _question(
        self, request: HttpRequest, config: AuthConfig, *, button: str, leaves: bool = False
    ) -> HttpResponse | None:
        """The page that asks whether tokens may go where somebody else decided, or None when nothing is left to ask.

        Its form names the rows that it shows: one that was added since is asked for in its turn.
        """
        shown = request.POST.getlist("confirm_origins")
        unknown = origins.unconfirmed(config)
        known = [row for row in unknown if str(row.id) in shown]
        origins.confirm(known)
        if len(known) == len(unknown):
            return None
        return self.page(
            request,
            "authorization/confirm",
            title=f"Connect {config.name}?",
            original=config,
            unknown=unknown,
            button=button,
            icon="open_in_new" if leaves else "link",
            leaves=leaves,
            back=self.url_of(config),
        )


def disconnect_config(request: HttpRequest, config: AuthConfig) -> None:
    """Forget the tokens of a config, and withdraw them at the provider."""
    if not needs_consent(config.method):
        messages.warning(
            request,
            f"{config.get_method_display()} was never connected: nobody consented to it. Switch the config off to stop its use.",
        )
        return
    try:
        ended = disconnect(config)
    except EditConflict as conflict:
        messages.error(request, str(conflict))
        return
    tell = messages.success if ended.revoked else messages.warning
    tell(request, f"{config.name} is disconnected: its tokens are forgotten. {ended.told}")


def _connecting(request: HttpRequest, config: AuthConfig, *, held: bool) -> Connecting:
    user = cast("User", request.user)
    options = current_credential(config).options
    apis = origins.listed(config, origins.Purpose.API)
    recipients = None
    with suppress(ConfigInvalid):
        recipients = Recipients.of(methods.stored(config.method), options, apis=apis)
    return Connecting(
        trips.redirect_uri(),
        recipients=recipients,
        may_connect=config.disabled_at is None
        and user.has_perm("authconfigs.connect_authconfig", config),
        may_disconnect=held and user.has_perm("authconfigs.disconnect_authconfig", config),
        held=held,
    )
