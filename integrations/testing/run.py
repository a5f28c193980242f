"""One run through the stages, on the path of a call: config, policy, dns, connect, tls, token, api."""

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
from django.conf import settings

from authconfigs.errors import OutboundError, PolicyRefused, TokenFailed
from authconfigs.outgoing import OutgoingRequest, origin_of
from authconfigs.state import ConfigEdited, ConfigState, load_config
from authconfigs.symptoms import Stage
from authconfigs.tokens import Token, usable_token
from authconfigs.transport import Deadline, Door, Trace
from integrations.calls import check_origin, holds_expired_text, says_expired
from integrations.diagnosis import without_query
from integrations.targets import Target
from integrations.testing.plan import Plan, check_fields, planned_request
from integrations.testing.steps import Step, Steps, milliseconds_since

READ_BYTES = 64 * 2**10


@dataclass
class Run:
    """What one run has found so far. After `go()`: an answer, or a failure, or (a token was refused and couldn't be renewed) both.

    `plain` is the request without its credential, `signed` with it. `renewed`: the token was obtained anew because of a 401.
    """

    target: Target
    plan: Plan
    door: Door
    deadline: Deadline
    steps: Steps = field(default_factory=Steps)
    plain: OutgoingRequest | None = field(default=None, repr=False)
    signed: OutgoingRequest | None = field(default=None, repr=False)
    token: Token | None = None
    secrets: set[str] = field(default_factory=set, repr=False)
    response: requests.Response | None = None
    failure: OutboundError | None = None
    renewed: bool = False
    token_refreshed: bool = False

    def go(self) -> "Run":
        """Go as far as it goes. Raises ConfigEdited when the config was edited meanwhile."""
        try:
            self._prepare()
            self._open()
            self._obtain_token()
            self._send()
        except ConfigEdited:
            raise
        except OutboundError as error:
            self.failure = error
        return self

    @property
    def config(self) -> ConfigState | None:
        return self.target.config

    @property
    def fields(self) -> Any:
        return self.config.fields if self.config else {}

    @property
    def is_cut(self) -> bool:
        """Whether more of the answer may have come than was read."""
        return self.response is not None and len(self.response.content) >= READ_BYTES

    def _prepare(self) -> None:
        with self.steps.taking(Stage.CONFIG) as step:
            self.target.refuse_if_off()
            config = self.config
            step.detail = "no authentication"
            if config is not None:
                self.secrets |= set(config.method.secret_values(config.fields, None))
                step.detail = f"{config.name}: {config.method.label}"
            check_fields(self.target)
            self.plain = planned_request(self.target, self.plan)
            if config is not None and not config.method.uses_token:
                self._sign(self.plain, config, None)
            elif config is None:
                self.signed = self.plain

    def _open(self) -> None:
        plain, config = self._built(self.plain), self.config
        trace, started = Trace(), time.perf_counter()
        policy = Step(Stage.POLICY.value, True, origin_of(plain.url), 0.0)
        try:
            if config is not None:
                check_origin(config, plain.url)
            self.door.check(plain.url, **self._rights)
            policy.ms = milliseconds_since(started)
            self.door.open(plain.url, deadline=self._limit(), trace=trace, **self._rights)
        except PolicyRefused as refused:
            # Also where only the look-up told what to refuse: nothing of that is shown.
            refusal = Step(Stage.POLICY.value, False, refused.summary, milliseconds_since(started))
            self.steps.append(refusal)
            raise
        except OutboundError as error:
            if error.stage is not Stage.CONFIG:
                self.steps.append(policy)
            self._tell(trace)
            if self.steps[-1].ok:
                ms = milliseconds_since(started)
                self.steps.append(Step(error.stage.value, False, error.summary, ms))
            raise
        self.steps.append(policy)
        self._tell(trace)

    def _tell(self, trace: Trace) -> None:
        self.steps += [Step(s.name.value, s.ok, s.detail, round(s.ms, 1)) for s in trace]

    def _obtain_token(self) -> None:
        config = self.config
        if config is None or not config.method.uses_token:
            return
        with self.steps.taking(Stage.TOKEN) as step:
            token = usable_token(config, deadline=self.deadline, asks_again=True, door=self.door)
            step.detail = token.detail
        self._take(token, config)

    def _send(self) -> None:
        response, step = self._asked()
        if self.token is None or not self._is_refusal(response):
            self._answered(response, step)
            return
        try:
            self._renew_token(response.status_code)
        except TokenFailed as failure:
            self.failure = failure
            self._answered(response, step)
            return
        self.renewed = True
        self._answered(*self._asked())

    def _is_refusal(self, response: requests.Response) -> bool:
        return says_expired(response, self.fields) and not self.is_expected(response)

    def is_expected(self, response: requests.Response) -> bool:
        """Whether the answer is what the test wants: its status, and no text that means "expired"."""
        expired = self.token is not None and holds_expired_text(response, self.fields)
        return self.plan.expects(response.status_code) and not expired

    def _renew_token(self, status: int) -> None:
        config, refused = self.config, self.token
        assert config is not None  # noqa: S101 - asked by _send
        assert refused is not None  # noqa: S101 - as well
        with self.steps.taking(Stage.TOKEN) as step:
            fresh = load_config(config.config_id)
            if fresh.revision != config.revision:
                raise ConfigEdited(stage=Stage.TOKEN)
            token = usable_token(
                fresh,
                deadline=self.deadline,
                refused_generation=refused.generation,
                asks_again=True,
                door=self.door,
            )
            step.detail = f"the API refused the token ({status}); {token.detail}, sent again"
        self._take(token, config)

    def _take(self, token: Token, config: ConfigState) -> None:
        self.token = token
        self.token_refreshed = self.token_refreshed or token.refreshed
        self.secrets.add(token.value)
        self._sign(self._built(self.plain), config, token.value)

    def _sign(self, plain: OutgoingRequest, config: ConfigState, token: str | None) -> None:
        self.signed = config.method.authenticate(plain, config.fields, token)
        self.secrets |= set(self.signed.credentials)

    def _asked(self) -> tuple[requests.Response, Step]:
        """An answer, and its step; that of an answer which leads to another try isn't shown."""
        started = time.perf_counter()
        try:
            response = self.sent(self._built(self.signed))
        except OutboundError as error:
            ms = milliseconds_since(started)
            self.steps.append(Step(error.stage.value, False, error.summary, ms))
            raise
        return response, Step(Stage.API.value, True, "", milliseconds_since(started))

    def _answered(self, response: requests.Response, step: Step) -> None:
        self.response = response
        status = response.status_code
        step.ok = self.is_expected(response) and self.failure is None
        step.detail = f"{self.request_line}: {status} {_phrase(status)}".rstrip()
        self.steps.append(step)

    def sent(self, request: OutgoingRequest) -> requests.Response:
        """The answer to a request of this test, at most 64 KiB of its body. Raises OutboundError."""
        return self.door.send(
            request,
            deadline=self._limit(),
            max_bytes=READ_BYTES,
            protected=self.target.protected,
            truncate=True,
        )

    @property
    def request_line(self) -> str:
        """Method and address of the test request, without its query."""
        if self.plain is None:
            return self.plan.call.method
        return f"{self.plain.method} {without_query(self.plain.url)}"

    @property
    def _rights(self) -> dict[str, bool]:
        return {"protected": self.target.protected, "credential": self.config is not None}

    def _limit(self) -> Deadline:
        """The end of one exchange: that of a call, within what the whole test has left."""
        longest = min(settings.OUTBOUND_TIMEOUT, self.target.timeout or settings.OUTBOUND_TIMEOUT)
        return Deadline.after(min(longest, self.deadline.remaining()))

    @staticmethod
    def _built(request: OutgoingRequest | None) -> OutgoingRequest:
        assert request is not None  # noqa: S101 - an earlier stage made it
        return request


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
