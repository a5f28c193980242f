"""The content security policy of every page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

_Handler = Callable[[HttpRequest], HttpResponseBase]

# The admin theme evaluates expressions in attributes and sets styles in place; nothing comes from another host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " frame-ancestors 'none'; base-uri 'none'; form-action {form_action}"
)
_ATTRIBUTE = "csp_form_action"


def allow_form_action(response: HttpResponseBase, origin: str) -> None:
    """Let the forms of this page lead to one more origin: https://host[:port].

    Browsers apply form-action to redirects as well, and drop a 303 to a provider without a word.
    """
    origins: tuple[str, ...] = getattr(response, _ATTRIBUTE, ())
    setattr(response, _ATTRIBUTE, (*origins, origin))


class ContentSecurityPolicyMiddleware:
    def __init__(self, get_response: _Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        origins: tuple[str, ...] = getattr(response, _ATTRIBUTE, ())
        form_action = " ".join(("'self'", *dict.fromkeys(origins)))
        response.headers["Content-Security-Policy"] = _POLICY.format(form_action=form_action)
        return response
