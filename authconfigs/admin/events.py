"""What happened to a config's token: the last events on its page, all of them on a page of their own."""

from typing import Any, cast

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from authconfigs.admin.base import OwnPages
from authconfigs.admin.status import Status
from authconfigs.models import AuthConfig, OAuthToken, TokenEvent
from tenants.badges import Tone

PER_PAGE = 100

_TONES: dict[str, Tone] = {
    TokenEvent.Kind.CONNECTED: "good",
    TokenEvent.Kind.ISSUED: "good",
    TokenEvent.Kind.REFRESHED: "good",
}
_STUCK = (OAuthToken.State.STOPPED, OAuthToken.State.REAUTHORIZATION_REQUIRED)


def event_pill(event: TokenEvent) -> SafeString:
    """The kind of an event in words and colour; a failure is red where it stopped the config."""
    tone = _TONES.get(event.kind, "quiet")
    text = event.get_kind_display()
    if event.kind == TokenEvent.Kind.FAILED:
        tone = "bad" if event.state in _STUCK else "warn"
    return Status(text, tone).pill


def shown_events(config: AuthConfig, count: int) -> list[TokenEvent]:
    """The last events of a config, as pages show them."""
    return _dressed(TokenEvent.objects.filter(config=config)[:count])


def _dressed(events: Any) -> list[TokenEvent]:
    found = list(events)
    for event in found:
        cast("Any", event).pill = event_pill(event)
        stuck = event.kind == TokenEvent.Kind.FAILED and event.state in _STUCK
        cast("Any", event).then = event.get_state_display() if stuck else ""
    return found


class EventPages(OwnPages):
    def events_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The history of a config's token, by kind and page by page."""
        config = self.found(request, object_id, verb="view")
        kind = request.GET.get("kind", "")
        events = TokenEvent.objects.filter(config=config)
        if kind in TokenEvent.Kind.values:
            events = events.filter(kind=kind)
        else:
            kind = ""
        lines = Paginator(events, PER_PAGE).get_page(request.GET.get("p"))
        return self.page(
            request,
            "token_events",
            title=f"Token events of {config.name}",
            original=config,
            config=config,
            kinds=TokenEvent.Kind.choices,
            kind=kind,
            lines=lines,
            events=_dressed(lines.object_list),
        )
