"""What the command palette finds of auth configs: each, and the buttons of its page."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from authconfigs import methods
from authconfigs.admin.base import OwnPages
from authconfigs.admin.listing import describe, for_list
from authconfigs.admin.rights import rights
from authconfigs.datakeys import Keychain
from authconfigs.models import AuthConfig
from authconfigs.tokens.granted import is_stored
from tenants.models import User
from tenants.palette import Entry, matching

_COLUMNS = ("name", "environment__name", "environment__slug", "hosts", "client_id", "method")
# By the right to it: what is said of a button, its icon, and its anchor on the page.
_BUTTONS = {
    "test": ("Test {}", "play_arrow", "#test"),
    "refresh": ("Refresh token of {}", "refresh", "#refresh"),
    "expire": ("Simulate expiry of {}", "hourglass_disabled", "#expire"),
    "connect": ("Connect {}", "link", "#connect"),
    "disconnect": ("Disconnect {}", "link_off", "#disconnect"),
}
_SWITCH = {False: ("Switch off {}", "toggle_off"), True: ("Switch on {}", "toggle_on")}
_ATTACH = "Attach {} to an integration"
_KIND = "Auth config"
_SAID = " ".join(
    (_KIND, _ATTACH, *(text for text, *_ in (*_BUTTONS.values(), *_SWITCH.values())))
).casefold()


class ConfigEntries(OwnPages):
    def palette_entries(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        yield from super().palette_entries(request, words)
        if self.has_add_permission(request):
            add = reverse("admin:authconfigs_authconfig_add")
            for method in methods.METHODS:
                if method.available():
                    title = f"New auth config: {method.label}"
                    yield Entry(title, f"{add}?method={method.code}", "add", "Action", also="add a")

    def palette_rows(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        keys = Keychain()
        for config in _found(words):
            status = describe(config, keys).text
            for title, link, icon in (
                (config.name, self.url_of(config), "key"),
                *self._actions(cast("User", request.user), config),
            ):
                yield Entry(
                    title,
                    link,
                    icon,
                    _KIND,
                    environment=config.environment,
                    status=status,
                    also=f"{config.hosts} {config.client_id} {config.method}",
                )

    def _actions(self, user: User, config: AuthConfig) -> Iterator[tuple[str, str, str]]:
        """Title, address and icon of what the user may do to the config."""
        read = cast("Any", config)
        may = rights(
            user,
            config,
            uses_token=methods.stored(config.method).uses_token,
            attached=bool(read.connections.all()),
            has_access=read.has_access,
            has_refresh=read.has_refresh,
        )
        page = self.url_of(config)
        for right, (title, icon, anchor) in _BUTTONS.items():
            if may[right]:
                yield title.format(config.name), page + anchor, icon
        if may["change"]:
            title, icon = _SWITCH[config.disabled_at is not None]
            yield title.format(config.name), f"{page}#switch", icon
        if may["attach"]:
            add = reverse("admin:integrations_connection_add")
            yield _ATTACH.format(config.name), f"{add}?config={config.id}", "add_link"


def _found(words: Sequence[str]) -> "QuerySet[AuthConfig]":
    rows = AuthConfig.objects.order_by("name", "environment__protected")
    found = matching(rows, words, columns=_COLUMNS, said=_SAID)
    return for_list(found).annotate(has_access=is_stored("oauth_token__access_token"))
