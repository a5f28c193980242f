"""Try a request: a call by hand on a page. Nothing of it is kept but its line in the audit trail."""

from typing import Any, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from authconfigs.admin.base import OwnPages
from authconfigs.state import UnknownName
from integrations.admin import lines
from integrations.admin.forms import LONGEST_BODY, METHODS, Refusable
from integrations.admin.help import help_url, title_of_symptom
from integrations.admin.running import name_of
from integrations.by_hand import Told, call_by_hand
from integrations.calls import Call, CallResult
from integrations.evidence import (
    Mask,
    request_evidence,
    request_text,
    response_evidence,
    response_text,
)
from integrations.models import Connection
from integrations.targets import load_target
from tenants.dressing import dress

# RFC 9110 §9.2.1, as far as a protected environment's operators may go.
SAFE = ("GET", "HEAD")
SHOWN_CHARACTERS = 50_000


class CallForm(Refusable):
    """What to send. Only the methods that the user may send are offered."""

    method = forms.ChoiceField(
        label="Method",
        initial="GET",
        help_text="GET and HEAD change nothing at the API. Others are really sent.",
    )
    path = forms.CharField(
        required=False,
        max_length=2000,
        strip=False,
        label="Path",
        widget=forms.TextInput(attrs={"placeholder": "/invoices?limit=1"}),
        help_text="Appended to the base URL, e.g. /invoices?limit=1. Empty is the base URL itself.",
    )
    headers = lines.headers(
        "Headers",
        help_text="One a line, e.g. Accept: application/json. The credential is put in by itself.",
    )
    body = forms.CharField(
        required=False,
        max_length=LONGEST_BODY,
        strip=False,
        label="Body",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text='Sent as it is, in UTF-8, e.g. {"limit": 1}. Say its Content-Type above.',
    )

    def __init__(self, data: QueryDict | None, *, initial: dict[str, Any], unsafe: bool) -> None:
        super().__init__(data, initial=initial)
        field = cast("forms.ChoiceField", self.fields["method"])
        field.choices = [(name, name) for name in METHODS if unsafe or name in SAFE]
        if not unsafe:
            field.help_text = "Here only admins may send other methods than GET and HEAD."
        dress(self)

    def call(self) -> Call:
        """What was typed; the form must be valid."""
        typed = self.cleaned_data
        return Call(
            method=typed["method"],
            path=typed["path"],
            headers=tuple(typed["headers"].items()),
            body=typed["body"].encode() if typed["body"] else None,
        )


class TriesRequests(OwnPages):
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form, and what came of what was sent."""
        connection = self.found(request, object_id, verb="call")
        unsafe = self.allows(request, "call_unsafely", connection)
        data = request.POST if request.method == "POST" else None
        form = CallForm(data, initial={"path": connection.test_path}, unsafe=unsafe)
        told = _called(request, form, connection) if data is not None else None
        return self.page(
            request,
            "try_page",
            title="Try a request",
            original=connection,
            connection=connection,
            form=form,
            **(_shown(told) if told is not None else {}),
        )


def _called(request: HttpRequest, form: CallForm, connection: Connection) -> Told | None:
    """Make the call; None where what was typed is refused, and the form says why."""
    if not form.is_valid():
        return None
    try:
        return call_by_hand(load_target(name_of(request, connection)), form.call())
    except UnknownName:
        raise Http404 from None
    except ValueError as refused:
        form.refuse({NON_FIELD_ERRORS: [str(refused)]})
    return None


def _shown(told: Told) -> dict[str, Any]:
    """What the page shows of a call: never a secret, whoever reflected it."""
    outcome, why = told.outcome, told.explanation
    page: dict[str, Any] = {"told": told.document, "why": why}
    if why is not None:
        symptom = told.document["symptom"]
        page |= {"symptom": title_of_symptom(symptom), "help_url": help_url(symptom)}
    if isinstance(outcome, CallResult):
        mask = Mask(outcome.secrets)
        answer = response_evidence(
            outcome.response, mask, is_cut=False, characters=SHOWN_CHARACTERS
        )
        page |= {
            "request_text": request_text(request_evidence(outcome.sent, mask)),
            "response_text": response_text(answer),
            "dropped": outcome.dropped,
        }
    return page
