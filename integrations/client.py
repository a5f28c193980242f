"""Calls from Python, through a connection of the console.

    billing = connect("acme", "billing", environment="production")
    response = billing.get("/invoices", params={"year": 2030})

An answer of any status is a `requests.Response` and never raises; without an answer there is CallFailed.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import requests
from django.conf import settings
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict

from authconfigs.errors import OutboundError
from authconfigs.outgoing import OutgoingRequest
from authconfigs.symptoms import Stage, Symptom
from authconfigs.tokens import Token, usable_token
from authconfigs.transport import Deadline, default_door
from authconfigs.transport.transactions import refuse_open_transaction
from integrations.calls import Call, check_origin, perform, says_expired
from integrations.diagnosis import explain_failure
from integrations.targets import DEFAULT_CONNECTION, Name, Target, load_target, unless_edited


class CallFailed(Exception):
    """There is no answer: `symptom` and `stage` say why, `summary` in a sentence, `checks` what to look at, in order."""

    def __init__(
        self, symptom: Symptom, stage: Stage, *, summary: str, checks: tuple[str, ...]
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.symptom = symptom
        self.stage = stage
        self.checks = checks


def connect(
    tenant: str, integration: str, *, environment: str, connection: str = DEFAULT_CONNECTION
) -> "Client":
    """A client for one connection; threads may share it, and a change of the connection is seen by its next call.

    Raises LookupError for an unknown name.
    """
    name = Name(tenant, integration, environment, connection)
    load_target(name)
    return Client(name)


def auth(
    tenant: str, integration: str, *, environment: str, connection: str = DEFAULT_CONNECTION
) -> "ConnectionAuth":
    """The credential of one connection for a `requests.Session` of your own; it sends nothing itself but token calls.

    Raises LookupError for an unknown name. Using it raises CallFailed, also for an origin that isn't the config's.
    """
    name = Name(tenant, integration, environment, connection)
    load_target(name)
    return ConnectionAuth(name)


class Client:
    """Calls through one connection."""

    def __init__(self, name: Name) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<Client of {self._name} in {self._name.environment}>"

    def request(
        self,
        method: str,
        path: str = "",
        *,
        headers: Mapping[str, str | bytes | None] | None = None,
        params: Any = None,
        data: Any = None,
        json: Any = None,
    ) -> requests.Response:
        """The answer, whatever its status. The arguments are those of requests; a header of None leaves a standing one out.

        Raises CallFailed when there is no answer; LookupError when the connection is gone, ValueError for a bad path or
        header, TransactionManagementError inside a database transaction: nothing is sent then.
        """
        refuse_open_transaction()
        body, content_type = _encoded(data, json)
        call = Call(
            method=method.upper(),
            path=_with_query(path, params),
            headers=_given(headers or {}),
            removed=frozenset(
                name.lower() for name, value in (headers or {}).items() if value is None
            ),
            body=body,
            content_type=content_type,
        )
        target: Target | None = None
        try:
            target = load_target(self._name)
            return perform(target, call).response
        except OutboundError as error:
            raise _failed(error, target) from None

    def get(self, path: str = "", **arguments: Any) -> requests.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str = "", **arguments: Any) -> requests.Response:
        return self.request("POST", path, **arguments)

    def put(self, path: str = "", **arguments: Any) -> requests.Response:
        return self.request("PUT", path, **arguments)

    def patch(self, path: str = "", **arguments: Any) -> requests.Response:
        return self.request("PATCH", path, **arguments)

    def delete(self, path: str = "", **arguments: Any) -> requests.Response:
        return self.request("DELETE", path, **arguments)


class ConnectionAuth(AuthBase):
    """Puts a connection's credential into prepared requests; threads may share it.

    A token that an API refuses isn't sent again: the next request gets another. A credential in a header doesn't follow a
    redirect.
    """

    def __init__(self, name: Name) -> None:
        self._name = name
        self._refused_generation: int | None = None

    def __repr__(self) -> str:
        return f"<ConnectionAuth of {self._name} in {self._name.environment}>"

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        target: Target | None = None
        try:
            target = load_target(self._name)
            return unless_edited(target, partial(self._signed, prepared))
        except OutboundError as error:
            raise _failed(error, target) from None

    def _signed(
        self, prepared: requests.PreparedRequest, target: Target
    ) -> requests.PreparedRequest:
        target.refuse_if_off()
        config = target.config
        if config is None:
            return prepared
        fields = config.fields
        given = tuple((name, _text(value)) for name, value in prepared.headers.items())
        request = OutgoingRequest(prepared.method or "GET", prepared.url or "", given)
        check_origin(config, request.url)
        default_door().check(request.url, protected=target.protected, credential=True)
        token: Token | None = None
        if config.method.uses_token:
            whole = Deadline.after(2 * settings.OUTBOUND_TIMEOUT)
            token = usable_token(
                config, deadline=whole, refused_generation=self._refused_generation
            )
        signed = config.method.authenticate(request, fields, token.value if token else None)
        prepared.url = signed.url
        # http.client would send what isn't ASCII as Latin-1.
        headers: CaseInsensitiveDict[Any] = CaseInsensitiveDict()
        for name, value in signed.headers:
            headers[name] = value if value.isascii() else value.encode()
        prepared.headers = headers

        def answered(response: requests.Response, *, stream: bool = False, **_: object) -> None:
            # What the caller wants to read bit by bit isn't read here.
            known = {**fields, "expired_text": ""} if stream else fields
            if token is not None and says_expired(response, known):
                self._refused_generation = token.generation
            if response.is_redirect:
                for name in signed.credential_headers:
                    response.request.headers.pop(name, None)

        prepared.register_hook("response", answered)  # type: ignore[no-untyped-call]
        return prepared


def _failed(error: OutboundError, target: Target | None) -> CallFailed:
    facts = target.facts if target else {}
    told = explain_failure(error, facts=facts)
    return CallFailed(error.symptom, error.stage, summary=error.summary, checks=told.checks)


def _encoded(data: Any, json: Any) -> tuple[bytes | None, str | None]:
    """The body as requests would encode it, read to its end so that it can be sent again; and its content type."""
    if hasattr(data, "read"):
        data = data.read()
    elif isinstance(data, Iterable) and not isinstance(data, str | bytes | list | tuple | Mapping):
        data = b"".join(part.encode() if isinstance(part, str) else part for part in data)
    prepared = requests.PreparedRequest()
    prepared.prepare_headers({})
    prepared.prepare_body(data, None, json)
    body = prepared.body
    content_type = prepared.headers.get("Content-Type")
    return (body.encode() if isinstance(body, str) else body), content_type


def _with_query(path: str, params: Any) -> str:
    prepared = requests.PreparedRequest()
    prepared.prepare_url("http://localhost/", params)
    query = (prepared.url or "").partition("?")[2]
    if not query:
        return path
    return f"{path}{'&' if '?' in path else '?'}{query}"


def _given(headers: Mapping[str, str | bytes | None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _text(value)) for name, value in headers.items() if value is not None)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
