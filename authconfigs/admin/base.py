"""What the pages have in common that draw their own templates."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from authconfigs.state import UnknownName
from tenants.admin_base import TenantAdmin


def missing_once_gone(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view; what is deleted after it was found is missing, as it would be a moment later."""

    @wraps(view)
    def asked(*args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except UnknownName:
            raise Http404 from None

    return asked


class OwnPages(TenantAdmin):
    """Pages of a model whose add and change pages aren't those of a model form."""

    def found(self, request: HttpRequest, object_id: str, *, verb: str) -> Any:
        """The row of that id, which the user may do `verb` to. Raises Http404, the same for missing and foreign ids, and PermissionDenied."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.allows(request, verb, row):
            raise PermissionDenied
        return row

    def url_of(self, row: Model) -> str:
        """The address of a row's page."""
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return reverse(name, args=[row.pk])

    def page(
        self,
        request: HttpRequest,
        template: str,
        *,
        title: str,
        original: Model | None = None,
        **more: Any,
    ) -> HttpResponse:
        """A page of the app's templates, with the console around it."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "original": original,
            **more,
        }
        return TemplateResponse(request, f"{self.opts.app_label}/{template}.html", context)
