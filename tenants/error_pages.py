"""The pages for what went wrong before any page of the console could answer: plain words and a way on, in the console's look.

None of them reads the request's body, which may be what can't be read.
"""

from typing import Any

from django.conf import settings
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.template.loader import render_to_string

from tenants.lacking import told
from tenants.site import look

OTHER_ADDRESS = (
    "The form came from another address than the one that this console knows as its own. Open the console at"
    " {known} and try again there. Does that not help, tell the operator: it is the setting PUBLIC_BASE_URL."
)
NO_COOKIE = (
    "Your browser sent no cookie along, and without one nothing can be sent. Allow cookies for this console, go back,"
    " reload the page and send it again."
)
OLD_FORM = (
    "Your form is older than your login: perhaps you logged in or out in another tab since. Go back, reload the page and"
    " send it again."
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what was sent breaks a limit, or can't be read."""
    context = {"why": _why(exception), "list": ""}
    if isinstance(exception, DisallowedModelAdminLookup):
        context["list"] = request.path
    return render(request, "400.html", context, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: a right that the user lacks here; who has it, and whom to ask."""
    return render(request, "403.html", told(request), status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form whose token doesn't fit. `reason` is one of Django's."""
    if reason.startswith(("Origin checking", "Referer checking")):
        why = OTHER_ADDRESS.format(known=settings.PUBLIC_BASE_URL)
    else:
        why = NO_COOKIE if reason == REASON_NO_CSRF_COOKIE else OLD_FORM
    return render(request, "tenants/form_refused.html", {"why": why}, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: without what asks the database, which may be the reason."""
    return HttpResponse(render_to_string("500.html", look(request)), status=500)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: Any
) -> HttpResponse:
    """The answer to a login that was tried too often, whether or not the password is right."""
    wait = settings.AXES_COOLOFF_TIME
    context = {"minutes": int(wait.total_seconds() // 60), "tries": settings.AXES_FAILURE_LIMIT}
    page = render(request, "tenants/locked_out.html", context, status=429)
    page.headers["Retry-After"] = str(int(wait.total_seconds()))
    return page


def _why(exception: Exception) -> str:
    if isinstance(exception, RequestDataTooBig):
        size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20
        return f"More was sent than a form may hold, which is {size} MB. Go back, shorten what you typed, and send it again."
    if isinstance(exception, TooManyFieldsSent):
        limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return f"More fields were sent than a form may have, which is {limit:,}. Go back, reload the page and send it again."
    if isinstance(exception, DisallowedModelAdminLookup):
        return "The address asks this list for a filter that it doesn't have."
    return "The request can't be read: part of it is missing or malformed. Go back, reload the page and try again."
