import time
from dataclasses import dataclass, field

from authconfigs.errors import OutboundError, PolicyRefused
from authconfigs.symptoms import Stage
from authconfigs.transport.deadline import Deadline
from authconfigs.transport.policy import NetworkPolicy
from authconfigs.transport.resolving import Endpoint, resolve
from authconfigs.transport.target import Target
from authconfigs.transport.trace import Step, Trace

_OPENING = frozenset({Stage.DNS, Stage.CONNECT, Stage.TLS})


@dataclass
class Exchange:
    """One request on its way: its limits, how far it came, and the account of it."""

    target: Target
    policy: NetworkPolicy
    deadline: Deadline
    protected: bool
    credential: bool
    trace: Trace | None = None
    stage: Stage = Stage.API
    endpoints: tuple[Endpoint, ...] = ()
    _since: float = field(default=0.0, repr=False)

    def enter(self, stage: Stage) -> None:
        self.stage = stage
        self._since = time.perf_counter()

    def passed(self, detail: str) -> None:
        """The stage is done."""
        self._record(detail, ok=True)

    def failed(self, error: OutboundError) -> None:
        """The stage came to nothing; what the policy refuses was no step that was made."""
        if not isinstance(error, PolicyRefused):
            self._record(error.summary, ok=False)

    def find(self) -> tuple[Endpoint, ...]:
        """Look the target up and judge every address.

        Raises what `resolve` raises, and PolicyRefused.
        """
        self.enter(Stage.DNS)
        endpoints = resolve(self.target.host, self.target.port, deadline=self.deadline)
        self.judge(endpoints)
        self.passed(", ".join(endpoint.address for endpoint in endpoints))
        self.endpoints = endpoints
        return endpoints

    def judge(self, endpoints: tuple[Endpoint, ...]) -> None:
        """Raises PolicyRefused unless every one of the target's addresses may be used for this request."""
        self.policy.judge(
            self.target,
            [endpoint.address for endpoint in endpoints],
            protected=self.protected,
            credential=self.credential,
        )

    def _record(self, detail: str, *, ok: bool) -> None:
        if self.trace is not None and self.stage in _OPENING:
            ms = (time.perf_counter() - self._since) * 1000
            self.trace.append(Step(self.stage, ok, detail=detail, ms=round(ms, 3)))
