"""Reads what an authorization server publishes about itself: RFC 8414, else OpenID Connect Discovery 1.0.

    metadata = discover("https://auth.example.com/realms/a", door=door, deadline=deadline)

No credential is sent, no redirect followed, and metadata of another issuer than the one asked for are refused (RFC 8414
§3.3): whoever answers could otherwise name endpoints of their own for somebody else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from django.core.exceptions import ValidationError

from authconfigs.errors import BadAnswer, ConfigInvalid, NoMetadata, OutboundError
from authconfigs.methods.fields import Url
from authconfigs.oauth.granted import NAME
from authconfigs.outgoing import OutgoingRequest, origin_of
from authconfigs.paths import before_path
from authconfigs.symptoms import Symptom
from authconfigs.transport import Deadline, Door

MAX_BYTES = 256 * 1024
MOST_NAMES = 500

_URL = Url(label="Address", required=False, example="https://auth.example.com")
_WELL_KNOWN = re.compile(r"/\.well-known/(oauth-authorization-server|openid-configuration)(?=/|$)")
_NOT_THERE = frozenset({404, 410})


@dataclass(frozen=True)
class Metadata:
    """What an issuer says about itself. Empty where it doesn't say; RFC 8414 has defaults that few providers mean.

    `client_auth_methods` are the registered names, such as client_secret_basic. `iss_supported`: its answers to the browser
    name it (RFC 9207). `unusable` names what it said in a way that can't be used.
    """

    issuer: str
    token_url: str
    authorization_url: str
    revocation_url: str
    grant_types: tuple[str, ...]
    client_auth_methods: tuple[str, ...]
    scopes: tuple[str, ...]
    code_challenge_methods: tuple[str, ...]
    iss_supported: bool
    unusable: tuple[str, ...]


def discover(issuer: str, *, door: Door, deadline: Deadline) -> Metadata:
    """The metadata of an issuer, or those at a well-known address that was typed in its place.

    Raises OutboundError; NoMetadata where an answer came that can't be used.
    """
    typed = _typed(issuer)
    is_address = bool(_WELL_KNOWN.search(typed))
    failures: list[OutboundError] = []
    for address in [typed] if is_address else addresses_of(typed):
        try:
            document = _document(address, door=door, deadline=deadline)
        except (BadAnswer, NoMetadata) as failure:
            failures.append(failure)
            continue
        named = document.get("issuer")
        if not isinstance(named, str) or not _is_meant(named, typed):
            raise _of_another(named, address=address)
        return _read(document, issuer=named, door=door, deadline=deadline)
    raise _most_telling(failures, typed)


def addresses_of(issuer: str) -> tuple[str, str]:
    """Where an issuer's metadata may be: before its path (RFC 8414 §3.1), or behind it (OpenID Connect Discovery §4)."""
    origin = before_path(issuer)
    path = issuer.removeprefix(origin).rstrip("/")
    return (
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}{path}/.well-known/openid-configuration",
    )


def _typed(issuer: str) -> str:
    try:
        typed: str = _URL.clean(issuer)
    except ValidationError as error:
        raise ConfigInvalid(" ".join(error.messages)) from None
    if not typed:
        raise ConfigInvalid("Type the provider's issuer first, such as https://auth.example.com.")
    if "?" in typed:
        raise ConfigInvalid("An issuer has no query: leave out the ? and what comes after it.")
    return typed


def _is_meant(named: str, typed: str) -> bool:
    """RFC 8414 §3.3: as it was typed, but for a slash at its end; or the one whose metadata stand at the typed address.

    With the slash or without, it is the same origin and path, so nobody else is taken for the provider.
    """
    if not _WELL_KNOWN.search(typed):
        return named.removesuffix("/") == typed.removesuffix("/")
    return named.rstrip("/") == _WELL_KNOWN.sub("", typed).rstrip("/")


def _document(address: str, *, door: Door, deadline: Deadline) -> Mapping[str, Any]:
    request = OutgoingRequest("GET", address, (("Accept", "application/json"),))
    response = door.send(request, deadline=deadline, max_bytes=MAX_BYTES)
    status = response.status_code
    if 300 <= status < 400:
        raise NoMetadata(
            f"{address} redirects{_target(address, response.headers.get('Location', ''))} ({status}), and redirects aren't"
            " followed. If the provider has moved, type its new issuer.",
            symptom=Symptom.BLOCKED_BY_POLICY,
            status=status,
        )
    if status != 200:
        raise _refused(address, status)
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        found = "a web page" if response.content.lstrip()[:1] == b"<" else "something else"
        raise NoMetadata(f"{address} answered {found} instead of a JSON object.", status=status)
    return document


def _target(address: str, location: str) -> str:
    try:
        return f" to {origin_of(urljoin(address, location))}"
    except ValueError:
        return ""


def _refused(address: str, status: int) -> NoMetadata:
    if status == 429:
        said, symptom = "asks us to wait", Symptom.PROVIDER_RATE_LIMITED
    elif 400 <= status < 500:
        said, symptom = "doesn't answer with metadata", Symptom.REQUEST_REFUSED
    else:
        said, symptom = "is out of order", Symptom.PROVIDER_ERROR
    return NoMetadata(f"{address} {said} ({status}).", symptom=symptom, status=status)


def _most_telling(failures: list[OutboundError], typed: str) -> OutboundError:
    """What to say when no address had metadata: that none is there only if nothing else went wrong."""
    told = next((failure for failure in failures if failure.status not in _NOT_THERE), None)
    if told is not None:
        return told
    asked = typed if _WELL_KNOWN.search(typed) else " nor ".join(addresses_of(typed))
    word = "neither at" if " nor " in asked else "not at"
    return NoMetadata(
        f"No metadata are published there, {word} {asked}. Check the issuer, or type the URLs from the provider's"
        " documentation.",
        symptom=Symptom.REQUEST_REFUSED,
        status=failures[0].status or 404,
    )


def _of_another(named: object, *, address: str) -> NoMetadata:
    shown = _url(named)
    if not shown:
        return NoMetadata(
            f"The metadata at {address} name no issuer, so they aren't used.", status=200
        )
    return NoMetadata(
        f"The metadata at {address} belong to another issuer, {shown}, so they aren't used. If that is the provider you"
        " mean, type its issuer exactly like this.",
        status=200,
    )


def _read(document: Mapping[str, Any], *, issuer: str, door: Door, deadline: Deadline) -> Metadata:
    unusable: list[str] = []

    def endpoint(name: str) -> str:
        url = _url(document.get(name))
        if url and not _is_allowed(url, door=door, deadline=deadline):
            url = ""
        if document.get(name) is not None and not url:
            unusable.append(name)
        return url

    def names(name: str) -> tuple[str, ...]:
        # The other names need no more than those of a scope.
        value = document.get(name)
        found = value if isinstance(value, list) else []
        good = [one for one in found if isinstance(one, str) and NAME.fullmatch(one)]
        if value is not None and (not isinstance(value, list) or len(good) < len(found)):
            unusable.append(name)
        return tuple(dict.fromkeys(good))[:MOST_NAMES]

    return Metadata(
        issuer=issuer,
        token_url=endpoint("token_endpoint"),
        authorization_url=endpoint("authorization_endpoint"),
        revocation_url=endpoint("revocation_endpoint"),
        grant_types=names("grant_types_supported"),
        client_auth_methods=names("token_endpoint_auth_methods_supported"),
        scopes=names("scopes_supported"),
        code_challenge_methods=names("code_challenge_methods_supported"),
        iss_supported=document.get("authorization_response_iss_parameter_supported") is True,
        unusable=tuple(unusable),
    )


def _url(value: object) -> str:
    """The value if it is a URL that a method's form takes; else nothing."""
    try:
        url: str = _URL.clean(value)
    except ValidationError:
        return ""
    return url


def _is_allowed(url: str, *, door: Door, deadline: Deadline) -> bool:
    """Whether the door would send there, as far as that can be known without a look-up; http:// hangs on what the name means."""
    try:
        door.check(url)
        if url.lower().startswith("http:"):
            door.find(url, deadline=deadline)
    except OutboundError:
        return False
    return True
