"""Lists as CSV (RFC 4180): what the list shows with its filters, on all of its pages, and nothing that a spreadsheet would run."""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from tenants.middleware import tenant_of
from tenants.saved_filters import SavedFilters

# A list of more rows is cut off, and the last line says so.
MOST = 10_000
# What spreadsheets take for a formula at the beginning of a cell. Some begin one at more than commas, whatever is quoted.
_FORMULA = re.compile(r"(^|[;|\t\r\n]\s*)(?=[=+\-@＝＋－＠])|^(?=[\t\r\n])")


class CsvPages(SavedFilters):
    """`csv_columns` are the headings; `csv_rows` gives the cells of rows that the list found."""

    csv_columns: ClassVar[Sequence[str]]

    def csv_rows(self, rows: Any) -> Iterable[Sequence[object]]:
        """The cells of these rows, a query set, in the order of the headings."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view: Callable[..., Any] = self.admin_site.admin_view(self.csv_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_csv"
        return [path("csv/", view, name=name), *super().get_urls()]

    @method_decorator(require_safe)
    def csv_view(self, request: HttpRequest) -> HttpResponse:
        """The list as a file to be saved."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_changelist_instance(request).get_queryset(request)
        tenant = tenant_of(request)
        name = f"{self.opts.model_name}s-{tenant.slug if tenant else ''}-{timezone.now():%Y-%m-%d}"
        response = HttpResponse(
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )
        # Without it Excel doesn't take the text for UTF-8.
        response.write("\ufeff")
        writer = csv.writer(response)
        writer.writerow(self.csv_columns)
        ids = list(found.values_list("pk", flat=True)[: MOST + 1])
        for row in self.csv_rows(found.filter(pk__in=ids[:MOST])):
            writer.writerow([cell(value) for value in row])
        if len(ids) > MOST:
            writer.writerow([f"Cut off after {MOST} rows: filter the list."])
        return response


def cell(value: object) -> str:
    """A value as a cell: nothing that a spreadsheet takes for a formula; times in ISO 8601."""
    if value is None:
        return ""
    text = value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
    return _FORMULA.sub(r"\1'", text)
