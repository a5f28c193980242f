"""The page of one connection test: what one pastes into a support ticket."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from authconfigs.admin.tested import test_status
from authconfigs.symptoms import Symptom
from integrations.admin.checks import checks_of
from integrations.admin.help import help_url, title_of_symptom
from integrations.admin.listing import title_of
from integrations.admin.palette import HelpEntries
from integrations.changes import changes_within
from integrations.evidence import request_text, response_text
from integrations.models import ConnectionTest
from tenants.badges import Tone, moment
from tenants.models import User
from tenants.site import site

STEPS = {
    "config": "Auth config",
    "policy": "Network policy",
    "dns": "Name look-up",
    "connect": "Connect",
    "tls": "TLS",
    "token": "Token",
    "api": "API request",
    "negative_control": "Wrong credential",
}
CONTROLS = {
    "refused": (
        "refused",
        "The same request with an invented credential was refused, as it should be.",
    ),
    "accepted": (
        "accepted",
        "The same request with an invented credential was accepted, too. So this test proves nothing: choose a test request"
        " that the API answers only to who is known.",
    ),
    "inconclusive": (
        "inconclusive",
        "The answer to the same request with an invented credential doesn't say whether the API looked at it.",
    ),
    "off": (
        "off",
        "Not sent: it is switched off for this connection, or the test request isn't GET or HEAD.",
    ),
    # Where a test succeeded without one, its summary says why.
    "not_run": ("not sent", "It only follows a test that succeeded with a credential."),
}
# Why the request didn't leave, by the stage that a test ended at before it.
NOT_SENT = {
    "config": "what is stored can't be used.",
    "policy": "this console refuses to send it.",
    "dns": "the name of the API's host isn't known.",
    "connect": "there is no connection to the API's host.",
    "tls": "there is no trustworthy TLS connection.",
    "token": "no token.",
}


@admin.register(ConnectionTest, site=site)
class ConnectionTestAdmin(HelpEntries):
    """Read only. It isn't in the sidebar: tests are reached from what they tested."""

    list_display = (
        "started_column",
        "what_column",
        "result_column",
        "status",
        "duration_ms",
        "actor",
    )
    list_display_links = ("started_column",)
    # In any other order all of the tests would have to be read.
    sortable_by = ("started_column",)
    list_select_related = ("connection__integration", "connection__environment", "config")
    empty_words = "Every test is kept here for a while, with what was sent and answered. Begin one on the page of a connection or an auth config."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConnectionTest]:
        queryset: QuerySet[ConnectionTest] = super().get_queryset(request)
        return queryset.select_related(
            "connection__integration",
            "connection__environment",
            "connection__auth_config",
            "config__environment",
        )

    @admin.display(description="When", ordering="started_at")
    def started_column(self, test: ConnectionTest) -> SafeString:
        return moment(test.started_at)

    @admin.display(description="What")
    def what_column(self, test: ConnectionTest) -> str:
        return name_of(test)

    @admin.display(description="Result")
    def result_column(self, test: ConnectionTest) -> SafeString:
        return test_status(ok=test.ok, symptom=test.symptom).pill

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        test = self.found(request, object_id, verb="view")
        more = page_of(test, cast("User", request.user))
        title = f"Test of {name_of(test)}"
        return self.page(request, "test_page", title=title, original=test, **more)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        raise PermissionDenied


def name_of(test: ConnectionTest) -> str:
    """What was tested."""
    if test.connection is not None:
        return title_of(test.connection)
    return test.config.name if test.config is not None else "a connection"


def page_of(test: ConnectionTest, user: User) -> dict[str, Any]:
    """What the page shows."""
    connection, config = test.connection, test.config
    environment = (connection or config).environment if connection or config else None  # type: ignore[union-attr]
    again = ""
    if connection is not None and user.has_perm("integrations.test_connection", connection):
        again = reverse("admin:integrations_connection_test", args=[connection.id])
    elif connection is None and config and user.has_perm("authconfigs.test_authconfig", config):
        again = reverse("admin:integrations_config_test", args=[config.id])
    title, words = CONTROLS.get(test.negative_control, (test.negative_control, ""))
    if test.ok and test.negative_control == "not_run":
        words = ""
    tone: Tone = "good" if test.ok else "warn" if test.symptom == Symptom.UNPROVEN else "bad"
    page = {
        "test": test,
        "environment": environment,
        "connection": connection,
        "connection_name": name_of(test),
        "config": config,
        "tone": tone,
        "icon": {"good": "check_circle", "warn": "help", "bad": "cancel"}[tone],
        "symptom": title_of_symptom(test.symptom),
        "help_url": help_url(test.symptom),
        "steps": [_step(step) for step in test.steps],
        "checks": list(checks_of(test)),
        **_since_success(test),
        "control": {"title": title, "words": words},
        "not_sent": _not_sent(test),
        "request_text": "" if _not_sent(test) else request_text(test.request),
        "response_text": response_text(test.response),
        "again_url": again,
        "may": {
            "change_config": config and user.has_perm("authconfigs.change_authconfig", config),
            "change_connection": connection
            and user.has_perm("integrations.change_connection", connection),
        },
    }
    return {**page, "as_text": as_text(test, page)}


def _since_success(test: ConnectionTest) -> dict[str, Any]:
    """When the connection last worked before a failed test, and what was changed until then; nothing where it never did."""
    connection = test.connection
    if test.ok or connection is None:
        return {}
    before = ConnectionTest.objects.filter(
        connection=connection, ok=True, started_at__lt=test.started_at
    )
    worked_at = before.values_list("started_at", flat=True).first()
    if worked_at is None:
        return {}
    changes = changes_within({connection: (worked_at, test.started_at)})
    return {"worked_at": worked_at, "changes": changes[connection.id]}


def _not_sent(test: ConnectionTest) -> str:
    """Why the request, which was made ready, never left; empty where it did, or where there was none."""
    if test.ok or test.response or test.stage not in NOT_SENT:
        return ""
    return f"Not sent: {NOT_SENT[test.stage]}"


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    return {**step, "label": STEPS.get(step["name"], step["name"])}


def as_text(test: ConnectionTest, page: Mapping[str, Any]) -> str:
    """The page as plain text."""
    where = f" in {page['environment'].slug}" if page["environment"] else ""
    verdict = "OK" if test.ok else f"FAILED: {test.symptom}, stage {test.stage}"
    checks = [f"  {number}. {check}" for number, check in enumerate(test.checks, start=1)]
    steps = [
        f"  {step['label']}: {'done' if step['ok'] else 'failed'}, {step['ms']} ms. {step['detail']}"
        for step in page["steps"]
    ]
    parts = [
        [f"Test of {name_of(test)}{where}: {verdict}", test.summary],
        [f"Likely cause: {test.likely_cause}"] if test.likely_cause else [],
        ["What to check:", *checks] if checks else [],
        _changes_as_text(page),
        [f"Warning: {warning}" for warning in test.warnings],
        ["Steps:", *steps],
        [f"Wrong credential: {page['control']['title']}. {page['control']['words']}".rstrip()],
        [f"Request: {page['not_sent']}"] if page["not_sent"] else [],
        ["Request:", page["request_text"]] if page["request_text"] else [],
        ["Answer:", page["response_text"]] if page["response_text"] else [],
        [
            f"Test {test.id}, {test.started_at:%Y-%m-%d %H:%M:%S} UTC, {test.duration_ms} ms, on {test.host}"
        ],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _changes_as_text(page: Mapping[str, Any]) -> list[str]:
    if "worked_at" not in page:
        return []
    changes = [
        f"  {change.at:%Y-%m-%d %H:%M:%S} UTC: {change.words}, by {change.actor}"
        for change in page["changes"]
    ]
    since = f"{page['worked_at']:%Y-%m-%d %H:%M:%S} UTC"
    return [f"It last worked at {since}. Changed since:", *(changes or ["  nothing"])]
