"""The requests of a config as they will go out: made by what makes the real ones, with a stand-in for each secret.

Nothing is opened, and nothing is sent. Where a secret was, dots are shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from typing import Any

from django import forms

from authconfigs import oauth
from authconfigs.errors import OutboundError
from authconfigs.methods.base import AuthMethod, Fields
from authconfigs.methods.fields import Declared
from authconfigs.methods.pairs import Pairs, SecretPairs
from authconfigs.oauth import OAuthClient, TokenAnswer
from authconfigs.oauth.drafting import drafted
from authconfigs.oauth.request import MEDIA_TYPES
from authconfigs.outgoing import DOTS, OutgoingRequest, as_text
from authconfigs.tokens.grants import GRANTS
from authconfigs.transport import Deadline, Guards

# Letters and digits alone: it looks the same in a header, in a form and in JSON, and nobody types it.
STAND_IN = token_hex(16)

_Ask = Callable[[Guards, Deadline], TokenAnswer]
States = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Shown:
    """A request with dots for its secrets; `title` says what it is for, `problem` why there is none."""

    title: str
    text: str = ""
    problem: str = ""


def typed_stand_ins(method: AuthMethod, typed: Fields, states: States) -> dict[str, Any]:
    """A stand-in for each secret that was typed; `states` are those of the stored ones. Names of a mapping stay."""
    declared = method.Form.declared()
    found = {
        n: _typed(declared[n], typed.get(n), _keys(states.get(n))) for n in method.secret_names
    }
    return {name: value for name, value in found.items() if value}


def held_stand_ins(method: AuthMethod, states: States) -> dict[str, Any]:
    """A stand-in for each secret that is stored, or that the method can't do without."""
    declared = method.Form.declared()
    held: dict[str, Any] = {}
    for name in method.secret_names:
        if isinstance(declared[name], SecretPairs):
            keys = _keys(states.get(name))
            held[name] = {key: _kept(state) for key, state in keys.items()}
        elif name in states or not declared[name].optional:
            held[name] = STAND_IN
    return held


def without_values(method: AuthMethod, options: Fields) -> dict[str, Any]:
    """The options, dots for the values of what may be called anything: nobody knows what a provider wants to have there."""
    declared = method.Form.declared()
    return {
        name: {key: _hidden(item) for key, item in value.items()}
        if isinstance(declared.get(name), Pairs) and isinstance(value, Mapping)
        else value
        for name, value in options.items()
    }


def requests_of(
    method: AuthMethod, fields: Fields, *, api: OutgoingRequest, redirect_uri: str
) -> list[Shown]:
    """What goes out, for a token first and then to the API. `fields` have stand-ins for secrets, `api` no credential.

    Whatever these fields can't make yet says why.
    """
    token = STAND_IN if method.uses_token else None
    asked = [
        _shown(title, partial(_of_token, method, ask))
        for title, ask in _grants(method, fields, redirect_uri=redirect_uri)
    ]
    return [*asked, _shown("To the API", partial(method.authenticate, api, fields, token))]


def _grants(method: AuthMethod, fields: Fields, *, redirect_uri: str) -> list[tuple[str, _Ask]]:
    if not method.uses_token:
        return []
    client, start = OAuthClient.from_fields(fields), GRANTS[method.code].start
    if start is not None:
        return [("For a token", partial(start, client, fields))]

    def exchange(door: Guards, deadline: Deadline) -> TokenAnswer:
        return oauth.exchange_code(
            client,
            STAND_IN,
            redirect_uri=redirect_uri,
            verifier=STAND_IN,
            door=door,
            deadline=deadline,
        )

    def refresh(door: Guards, deadline: Deadline) -> TokenAnswer:
        return oauth.refresh(client, STAND_IN, door=door, deadline=deadline)

    return [("For a token, once somebody connects", exchange), ("To renew the token", refresh)]


def _of_token(method: AuthMethod, ask: _Ask) -> OutgoingRequest:
    request = drafted(ask)
    # With dots for its query, as this field is shown anywhere outside of the form.
    return replace(request, url=method.Form.declared()["token_url"].shown(request.url))


def _shown(title: str, make: Callable[[], OutgoingRequest]) -> Shown:
    try:
        request = make().masked()
    except OutboundError as error:
        return Shown(title, problem=error.summary)
    body = (request.body or b"").decode()
    if MEDIA_TYPES["form"] in dict(request.headers).values():
        # As in the examples of RFC 6749, so that a long one can be read.
        body = body.replace("&", "\n&")
    text = as_text(request.method, request.url, request.headers, body=body)
    return Shown(title, text.replace(STAND_IN, DOTS))


def _typed(field: Declared, typed: object, stored: Mapping[str, Any]) -> Any:
    if not isinstance(field, SecretPairs):
        return STAND_IN if typed else ""
    try:
        given = field.to_python(typed)
    except forms.ValidationError:
        return {}
    if given.keys() == stored.keys() and not any(given.values()):
        return {}
    return {name: _like(item, stored.get(name)) for name, item in given.items()}


def _like(item: object, stored: Any) -> object:
    """A stand-in in the shape of what was typed under a name; None keeps what is stored there, a blank is a mistake."""
    if item is None:
        return _kept(stored)
    if isinstance(item, list):
        return [STAND_IN] * len(item)
    return STAND_IN if item else ""


def _kept(state: Any) -> object:
    count = state.get("values") if isinstance(state, Mapping) else None
    return [STAND_IN] * count if isinstance(count, int) else STAND_IN


def _keys(state: Any) -> Mapping[str, Any]:
    keys = state.get("keys") if isinstance(state, Mapping) else None
    return keys if isinstance(keys, Mapping) else {}


def _hidden(item: object) -> object:
    return [STAND_IN] * len(item) if isinstance(item, list) else STAND_IN
