"""GET of an address that only takes POST: a button's, where a login leads back to when the session had ended before the press.

Nothing is done. Above such an address is that of the page which the button stands on, and there it leads.
"""

from collections.abc import Callable

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)


class PostOnlyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        allowed = set(response.headers["Allow"].split(", "))
        if request.method not in {"GET", "HEAD"} or "POST" not in allowed or "GET" in allowed:
            return response
        if request.user.is_authenticated:
            messages.info(
                request, "Nothing was done yet: press the button here, now that you are logged in."
            )
        return HttpResponseRedirect("../")
