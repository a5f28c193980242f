"""The page of a bulk test: how far it is, what came of it, and a button to end it."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from authconfigs.admin.base import OwnPages
from authconfigs.admin.status import Status
from authconfigs.admin.tested import test_status
from integrations import bulk_tests
from integrations.admin.help import help_url
from integrations.admin.listing import title_of
from integrations.models import BulkTest, BulkTestItem
from tenants.badges import moment
from tenants.site import site

# Of more connections the page tells figures; each has its result on its own page.
SHOWN = 200


@admin.register(BulkTest, site=site)
class BulkTestAdmin(OwnPages):
    """Read only but for the button. It isn't in the sidebar: whoever begins a bulk test is led here."""

    list_display = ("title", "state_column", "started_column", "actor")
    empty_words = "Tests of many connections at once stand here for a while. Begin one in the list of connections: tick some, or test the whole list."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="State")
    def state_column(self, bulk: BulkTest) -> SafeString:
        return state_of(bulk).pill

    @admin.display(description="Begun", ordering="started_at")
    def started_column(self, bulk: BulkTest) -> SafeString:
        return moment(bulk.started_at)

    def get_urls(self) -> list[URLPattern]:
        def named(url: str, view: Any) -> URLPattern:
            wrapped: Any = self.admin_site.admin_view(view)
            wrapped.model_admin = self
            name = f"integrations_bulktest_{url}"
            pattern: URLPattern = path(f"<path:object_id>/{url}/", wrapped, name=name)
            return pattern

        return [
            named("progress", self.progress_view),
            named("cancel", self.cancel_view),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        bulk = self.found(request, object_id, verb="view")
        title = f"Test: {bulk.title}"
        progress = self._progress(request, bulk)
        return self.page(request, "bulk_test_page", title=title, original=bulk, **progress)

    @method_decorator(require_safe)
    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The part of the page that changes."""
        bulk = self.found(request, object_id, verb="view")
        progress = self._progress(request, bulk)
        return render(request, "integrations/bulk_test_progress.html", progress)

    def _progress(self, request: HttpRequest, bulk: BulkTest) -> dict[str, Any]:
        return {**progress_of(bulk), "may_cancel": self.allows(request, "cancel", bulk)}

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin no further test of it."""
        bulk = self.found(request, object_id, verb="cancel")
        if bulk_tests.cancel(bulk):
            messages.success(
                request,
                "Cancelled. What was being tested just then is ended; start a new run for the rest.",
            )
        else:
            messages.info(request, "It was over already. Nothing was left to cancel.")
        return HttpResponseRedirect(self.url_of(bulk))


def state_of(bulk: BulkTest) -> Status:
    """How a bulk test is going."""
    if bulk.cancelled_at is not None:
        return Status("Cancelled", "quiet")
    if bulk.finished_at is not None:
        return Status("Done", "good")
    if bulk.runner is None:
        return Status("Waiting for a worker", "quiet")
    return Status("Running", "warn")


def progress_of(bulk: BulkTest) -> dict[str, Any]:
    """What the changing part shows: the bar, a summary by symptom, and the rows, failures first. Two queries."""
    items = BulkTestItem.objects.filter(bulk_test=bulk)
    is_waiting = ExpressionWrapper(Q(done_at=None), output_field=BooleanField())
    found = items.order_by().values("ok", "symptom", waiting=is_waiting)
    groups = cast("list[dict[str, Any]]", list(found.annotate(number=Count("id"))))
    total = sum(group["number"] for group in groups)
    waiting = sum(group["number"] for group in groups if group["waiting"])
    rows = items.select_related("connection__integration", "connection__environment").order_by(
        F("ok").asc(nulls_last=True), F("done_at").desc(nulls_last=True), "position"
    )[:SHOWN]
    return {
        "bulk": bulk,
        "state": state_of(bulk),
        "total": total,
        "done": total - waiting,
        "percent": 100 * (total - waiting) // total if total else 100,
        "summary": _summary(groups),
        "rows": [_row(item, cancelled=bulk.cancelled_at is not None) for item in rows],
        "more": max(total - SHOWN, 0),
    }


def _summary(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outcomes with their numbers, the most frequent failure first and successes last."""
    told = [group for group in groups if not group["waiting"]]
    return [
        {
            "pill": _outcome(group["ok"], group["symptom"]).pill,
            "number": group["number"],
            "help_url": help_url(group["symptom"]),
        }
        for group in sorted(told, key=lambda group: (group["ok"] is True, -group["number"]))
    ]


def _outcome(ok: bool | None, symptom: str) -> Status:
    return Status("Gone", "quiet") if ok is None else test_status(ok=ok, symptom=symptom)


def _row(item: BulkTestItem, *, cancelled: bool) -> BulkTestItem:
    shown = cast("Any", item)
    shown.title = title_of(item.connection)
    if item.done_at is not None:
        shown.pill = _outcome(item.ok, item.symptom).pill
    else:
        shown.pill = Status("Not tested" if cancelled else "Waiting", "quiet").pill
    return item
