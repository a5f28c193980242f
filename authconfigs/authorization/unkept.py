"""The callback's address holds a code: nobody keeps an answer to it, and no page that is loaded next learns of it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import add_never_cache_headers

# The result's address is one person's.
_ADDRESSES = frozenset({"/oauth/callback", "/oauth/result"})


class UnkeptAddressMiddleware:
    """Around all others, for refusals and redirects that they answer with; whatever the method."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path_info.rstrip("/") in _ADDRESSES:
            add_never_cache_headers(response)
            response.headers["Referrer-Policy"] = "no-referrer"
        return response
