"""A call of an API through a connection: the credential is put in, a token is made sure of, the answer is handed over.

Stages in order: config, policy, then the token, then dns, connect, tls and api of the API's own address.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from django.conf import settings

from authconfigs.errors import OutboundError, PolicyRefused, TokenFailed
from authconfigs.outgoing import OutgoingRequest, build_request, origin_of
from authconfigs.state import ConfigEdited, ConfigState, load_config
from authconfigs.symptoms import Stage, Symptom
from authconfigs.tokens import Token, usable_token
from authconfigs.transport import Deadline, Door, default_door
from authconfigs.transport.transactions import refuse_open_transaction
from integrations.diagnosis import Answer, Finding, diagnose, sent_in
from integrations.models import UsageCount
from integrations.targets import Target, unless_edited
from integrations.usage import OK, record_use

Headers = tuple[tuple[str, str], ...]

# How much of an answer is looked through for the text that means "expired".
SEARCHED_BYTES = 64 * 2**10
# A success by its status, but its text says again what it said before the token was renewed.
STILL_EXPIRED = Finding(Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY, "renewed")


@dataclass(frozen=True)
class Call:
    """What a caller wants to send: PATH as in the contract.

    `removed` names standing headers, in lower case, that stay out this time. `content_type` is that of the body where no
    header says another.
    """

    method: str
    path: str
    headers: Headers = field(default=(), repr=False)
    removed: frozenset[str] = frozenset()
    body: bytes | None = field(default=None, repr=False)
    content_type: str | None = None


@dataclass(frozen=True)
class CallResult:
    """An answer of the API, of any status; `finding` says what is wrong with it, None for 2xx.

    `sent` is the request with dots for its credential. `failure`: the API refused the token, and this is why there was no other. `dropped`: names of the caller's headers and
    parameters that the credential displaced. `token_refreshed`: this call obtained a new token. `secrets`: what the answer may
    reflect and nobody is shown.
    """

    sent: OutgoingRequest = field(repr=False)
    response: requests.Response
    finding: Finding | None
    failure: TokenFailed | None
    token_refreshed: bool
    dropped: tuple[str, ...]
    elapsed_ms: float
    secrets: frozenset[str] = field(repr=False)

    @property
    def symptom(self) -> Symptom | None:
        """What is wrong with the answer; None for 2xx."""
        told = self.failure or self.finding
        return told.symptom if told is not None else None


def perform(target: Target, call: Call, *, door: Door | None = None) -> CallResult:
    """Send the call and return the answer, whatever its status. When the config is edited meanwhile, it is repeated once.

    Raises OutboundError when there is no answer, ValueError for a bad path or header (nothing is sent then), LookupError when
    the connection is gone, TransactionManagementError inside a database transaction.
    """
    refuse_open_transaction()
    started = time.perf_counter()
    attempt = _Attempt(
        call, door or default_door(), Deadline.after(2 * settings.OUTBOUND_TIMEOUT), started
    )
    try:
        result = unless_edited(target, attempt.on)
    except OutboundError as error:
        _count(target, error.symptom)
        raise
    _count(target, result.symptom)
    return result


@dataclass(frozen=True)
class _Attempt:
    """One run through the stages; `deadline` is that of the whole call, renewal, waiting and repetition included."""

    call: Call
    door: Door
    deadline: Deadline
    started: float

    def on(self, target: Target) -> CallResult:
        target.refuse_if_off()
        config = target.config
        if config is None:
            request = outgoing(target, self.call)
            return self._result(self._sent(request, target), request)
        fields = config.fields
        request = outgoing(target, self.call)
        check_origin(config, request.url)
        secrets = config.method.secret_values(fields, None)
        if not config.method.uses_token:
            request = config.method.authenticate(request, fields, None)
            return self._result(self._sent(request, target), request, secrets=secrets)
        self.door.check(request.url, protected=target.protected, credential=True)
        token = usable_token(config, deadline=self.deadline, door=self.door)
        signed = config.method.authenticate(request, fields, token.value)
        response = self._sent(signed, target, token_refreshed=token.refreshed)
        if not says_expired(response, fields):
            return self._result(response, signed, secrets=secrets, token_refreshed=token.refreshed)
        try:
            another = self._another(config, token)
        except TokenFailed as failure:
            return self._result(
                response,
                signed,
                secrets=secrets,
                token_refreshed=token.refreshed,
                failure=failure,
            )
        signed = config.method.authenticate(request, fields, another.value)
        refreshed = token.refreshed or another.refreshed
        return self._result(
            self._sent(signed, target, token_refreshed=refreshed),
            signed,
            secrets=secrets,
            token_refreshed=refreshed,
            renewed=fields,
        )

    def _another(self, config: ConfigState, refused: Token) -> Token:
        fresh = load_config(config.config_id)
        if fresh.revision != config.revision:
            raise ConfigEdited(stage=Stage.TOKEN)
        return usable_token(
            fresh, deadline=self.deadline, refused_generation=refused.generation, door=self.door
        )

    def _sent(
        self, request: OutgoingRequest, target: Target, *, token_refreshed: bool = False
    ) -> requests.Response:
        longest = min(settings.OUTBOUND_TIMEOUT, target.timeout or settings.OUTBOUND_TIMEOUT)
        try:
            return self.door.send(
                request,
                deadline=Deadline.after(min(longest, self.deadline.remaining())),
                max_bytes=settings.OUTBOUND_MAX_BYTES,
                protected=target.protected,
            )
        except OutboundError as error:
            error.token_refreshed = token_refreshed
            raise

    def _result(
        self,
        response: requests.Response,
        request: OutgoingRequest,
        *,
        secrets: Iterable[str] = (),
        token_refreshed: bool = False,
        renewed: Mapping[str, Any] | None = None,
        failure: TokenFailed | None = None,
    ) -> CallResult:
        return CallResult(
            request.masked(),
            response,
            finding=finding_in(response, request, renewed=renewed),
            failure=failure,
            token_refreshed=token_refreshed,
            dropped=request.dropped,
            elapsed_ms=(time.perf_counter() - self.started) * 1000,
            secrets=frozenset((*secrets, *request.credentials)),
        )


def outgoing(target: Target, call: Call) -> OutgoingRequest:
    """The request without its credential: what the integration sends always, and over it what the caller wants.

    Raises ValueError for a PATH or a header that can't be sent.
    """
    standing, query = target.standing
    headers = {name: value for name, value in standing.items() if name.lower() not in call.removed}
    extra = call.headers
    named = {name.lower() for name, _ in extra} | {name.lower() for name in headers}
    if call.content_type is not None and "content-type" not in named:
        extra = (*extra, ("Content-Type", call.content_type))
    return build_request(
        call.method,
        target.base_url,
        call.path,
        headers=headers,
        query=query,
        extra_headers=extra,
        body=call.body,
    )


def check_origin(config: ConfigState, url: str) -> None:
    """Raises PolicyRefused when the config's secrets weren't entered for the origin of this API."""
    origin = origin_of(url)
    if origin not in config.api_origins:
        raise PolicyRefused(f"The secrets of {config.name} weren't entered for {origin}.")


def finding_in(
    response: requests.Response, request: OutgoingRequest, *, renewed: Mapping[str, Any] | None
) -> Finding | None:
    """What is wrong with the answer to a request, None for a good 2xx.

    renewed: its token was obtained because of a refusal, and these are the config's fields.
    """
    if 200 <= response.status_code < 300:
        return STILL_EXPIRED if renewed and says_expired(response, renewed) else None
    return diagnose(
        Answer(
            response.status_code,
            challenge=response.headers.get("WWW-Authenticate", ""),
            sent=sent_in(request),
            renewed=renewed is not None,
        )
    )


def says_expired(response: requests.Response, fields: Mapping[str, Any]) -> bool:
    """Whether the API says that the token, which it took before, isn't good any more: by 401, or as the config says."""
    status = response.status_code
    return (
        status == 401
        or status in fields.get("expired_statuses", ())
        or holds_expired_text(response, fields)
    )


def holds_expired_text(response: requests.Response, fields: Mapping[str, Any]) -> bool:
    """Whether the beginning of the answer has the text that means so for this config, in the answer's charset or in UTF-8."""
    text = fields.get("expired_text")
    if not text:
        return False
    beginning = response.content[:SEARCHED_BYTES]
    return any(_spelled(text, charset) in beginning for charset in (response.encoding, "utf-8"))


def _spelled(text: str, charset: str | None) -> bytes:
    try:
        return text.encode(charset or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return text.encode()


def _count(target: Target, symptom: Symptom | None) -> None:
    record_use(
        target.tenant_id,
        kind=UsageCount.Kind.CALL,
        outcome=symptom or OK,
        connection_id=target.connection_id,
        config_id=target.config.config_id if target.config else None,
    )
