"""The pages of a trip outside of the console: the consent link, the callback, and how it ended."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from authconfigs.authorization import answers, bindings, links, trips
from authconfigs.authorization.answers import LINK_USED, NO_LINK, Answer
from authconfigs.authorization.callback import Delivered, finish
from authconfigs.authorization.recipients import Recipients
from authconfigs.errors import OutboundError
from authconfigs.models import AuthorizationRequest
from authconfigs.state import ConfigState, UnknownName
from authconfigs.symptoms import Symptom
from tenants.actor import Actor, acting_as, current_actor
from tenants.csp import allow_form_action
from tenants.middleware import tenant_of
from tenants.models import User
from tenants.scope import tenant_scope, unscoped

_View = Callable[[HttpRequest], HttpResponse]


class SeeOther(HttpResponseRedirect):
    """303: whatever the method was, the next request is a GET (RFC 9110 §15.4.4)."""

    status_code = 303


def leaving(request: HttpRequest, url: str) -> HttpResponse:
    """The way to the provider: a redirect, or the address alone for the page's script, which goes there by itself."""
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"url": url})
    return SeeOther(url)


def _read(view: _View) -> _View:
    """With an empty query where it holds what nobody here made: a NUL, or more parameters than can be read."""

    @wraps(view)
    def with_query(request: HttpRequest) -> HttpResponse:
        try:
            readable = bool(request.GET) and "\0" not in unquote(request.META["QUERY_STRING"])
        except TooManyFieldsSent:
            readable = False
        if not readable:
            request.GET = QueryDict()
        return view(request)

    return with_query


# Not without referrer: browsers then leave out the Origin that the form is checked by.
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@_read
def consent_link(request: HttpRequest) -> HttpResponse:
    """GET says who asks for what and uses nothing up; POST leads to the provider, once."""
    trip = links.trip_of(request.GET.get(links.PARAMETER, ""))
    if trip is None:
        return _refused(request)
    with tenant_scope(trip.tenant_id), acting_as(_holder_of(trip)):
        try:
            state = trips.loaded(trip.config_id)
            trips.check_connectable(state)
            trips.check_right(trip)
            respond = _left if request.method == "POST" else _asked
            return respond(request, trip, state)
        except OutboundError as error:
            return answers.page(request, Answer(error.symptom, error.summary))
        except UnknownName:
            return _refused(request)


def _refused(request: HttpRequest) -> HttpResponse:
    used = links.was_used(request.GET.get(links.PARAMETER, ""))
    why = LINK_USED if used else NO_LINK
    return answers.page(request, Answer(Symptom.REAUTHORIZATION_REQUIRED, why))


def _asked(request: HttpRequest, trip: AuthorizationRequest, state: ConfigState) -> HttpResponse:
    recipients = Recipients.of(state.method, state.fields, apis=state.api_origins)
    context: dict[str, Any] = {
        "trip": trip,
        "recipients": recipients,
        "changed": request.method == "POST",
    }
    response = render(request, "authconfigs/authorization/consent_link.html", context)
    allow_form_action(response, recipients.provider)
    return response


def _left(request: HttpRequest, trip: AuthorizationRequest, state: ConfigState) -> HttpResponse:
    told = request.POST.get("told")
    if told is not None and not state.api_origins.issubset(told.split()):
        return _asked(request, trip, state)
    cookie, binding = bindings.new_cookie()
    url = trips.begin_by_link(trip, state, binding=binding)
    if url is None:
        return _refused(request)
    response = leaving(request, url)
    bindings.set_cookie(response, trip.id, cookie, seconds=trips.LIFETIME.total_seconds())
    return response


# Exempt, for the refusal of a POST is the same for everybody.
@csrf_exempt
@require_GET
@_read
def callback(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer, once, and lead to a page whose address doesn't hold it."""
    delivered = Delivered.from_query(request.GET)
    if delivered is None:
        return HttpResponseRedirect(answers.address_of(None, why="unknown"))
    why = "unknown"
    user, tenant = request.user, tenant_of(request)
    of_session = bindings.session_binding(request)
    if of_session is not None and isinstance(user, User) and tenant is not None:
        # Another tenant's trips don't exist here, also those that this session began there.
        trip = trips.consume(delivered.state, bindings=[of_session])
        if trip is not None:
            finish(trip, delivered, user=user)
            return HttpResponseRedirect(answers.address_of(trip.id))
        why = trips.why_not(delivered.state, bindings=[of_session])
    of_cookies = bindings.cookie_bindings(request)
    if of_cookies and why == "unknown":
        with unscoped("one of the browser's cookies says that the trip is its own"):
            trip = trips.consume(delivered.state, bindings=of_cookies)
            why = trips.why_not(delivered.state, bindings=of_cookies) if trip is None else ""
        if trip is not None:
            with tenant_scope(trip.tenant_id), acting_as(_holder_of(trip)):
                finish(trip, delivered, user=None)
            return HttpResponseRedirect(answers.address_of(trip.id))
    return HttpResponseRedirect(answers.address_of(None, why=why))


@require_safe
@_read
def result(request: HttpRequest) -> HttpResponse:
    """How a trip ended."""
    return answers.page(request, answers.answer_at(request))


def _holder_of(trip: AuthorizationRequest) -> Actor:
    """Whoever has the link: nobody knows their name, but who gave it to them."""
    return Actor(
        user_id=None,
        name=f"consent link of {trip.requested_by}",
        address=current_actor().address,
        via="web",
    )
