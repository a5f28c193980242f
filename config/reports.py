"""Error pages and error mails without values: nothing that was posted, held by a variable or set."""

from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from config.logs import MASK, masked

_SAFE_META = frozenset(
    {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST", "PATH_INFO", "REMOTE_ADDR", "REQUEST_METHOD"}
)


class NameOnlyFilter(SafeExceptionReporterFilter):
    """Names may be shown; values may not."""

    def get_safe_settings(self) -> dict[str, Any]:
        shown = super().get_safe_settings()
        return {name: shown[name] for name in ("SETTINGS_MODULE", "INSTALLED_APPS", "MIDDLEWARE")}

    def get_safe_request_meta(self, request: HttpRequest | None) -> dict[str, Any]:
        meta = request.META if request else {}
        return {name: meta[name] for name in meta if name in _SAFE_META}

    def get_safe_cookies(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.COOKIES if request else (), MASK)

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST if request else (), MASK)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        return {}.items()


class NameOnlyReporter(ExceptionReporter):
    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        if self.request is not None:
            data["request_GET_items"] = [(name, MASK) for name in self.request.GET]
            data["request_insecure_uri"] = self.request.path
        data["unicode_hint"] = ""
        for name in ("exception_value", "exception_notes"):
            if name in data:
                data[name] = masked(data[name])
        return data
