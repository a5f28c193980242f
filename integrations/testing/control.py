"""The negative control: the same request with an invented credential, which the API must refuse.

Repeated wrong credentials can get an address or an account banned. So it is sent after a good answer only, with GET or HEAD
only, by one test at a time per origin; its result is used again for a while; and a 429 to it stops it for an hour.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from authconfigs.database import database_now, released_connection
from authconfigs.errors import OutboundError
from authconfigs.outgoing import origin_of
from authconfigs.state import ConfigState
from integrations.models import Connection
from integrations.testing.plan import SAFE_METHODS, Plan
from integrations.testing.run import Run
from integrations.testing.steps import CONTROL, Step, milliseconds_since
from integrations.testing.turns import control_turn
from tenants.scope import tenant_scope

ONE_BY_ONE, IN_BULK = timedelta(minutes=10), timedelta(days=1)
STOP_AFTER_429 = timedelta(hours=1)
# Less isn't worth beginning.
LEAST_SECONDS = 0.3


class Control(StrEnum):
    """What the negative control says. The values stand in JSON documents and the database."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    INCONCLUSIVE = "inconclusive"
    OFF = "off"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class Found:
    """The value, and why in words: part of a sentence."""

    value: Control
    why: str


def control(run: Run, *, owner: UUID, bulk: bool) -> Found:
    """The negative control of a run whose own answer was as expected; adds its step."""
    started = time.perf_counter()
    found = _without_sending(run, bulk=bulk) or _in_turn(run, owner=owner)
    ok = found.value is not Control.ACCEPTED
    run.steps.append(
        Step(CONTROL, ok, f"{found.value.value}: {found.why}", milliseconds_since(started))
    )
    return found


def verdict(status: int, plan: Plan) -> Control:
    """What the answer to a wrong credential says, where the one to the right credential was as expected."""
    if plan.expects(status):
        return Control.ACCEPTED
    return Control.REFUSED if 400 <= status < 500 and status != 429 else Control.INCONCLUSIVE


def _without_sending(run: Run, *, bulk: bool) -> Found | None:
    plan = run.plan
    if run.config is None:
        return Found(Control.NOT_RUN, "the connection sends no credential")
    if not plan.wants_control:
        return Found(Control.OFF, "it is switched off for this connection")
    if plan.call.method not in SAFE_METHODS:
        return Found(
            Control.NOT_RUN, f"it is never sent with {plan.call.method}, only GET and HEAD"
        )
    now = database_now()
    if plan.control_at and plan.control_result and plan.control_state == plan.state_of(run.target):
        age = now - plan.control_at
        if timedelta() <= age < (IN_BULK if bulk else ONE_BY_ONE):
            return Found(Control(plan.control_result), f"as found at {_time(plan.control_at)}")
    if plan.control_stopped_until and now < plan.control_stopped_until:
        until = _time(plan.control_stopped_until)
        return Found(
            Control.NOT_RUN, f"the API answered 429 to the last one; stopped until {until}"
        )
    return None


def _in_turn(run: Run, *, owner: UUID) -> Found:
    config, plain = run.config, run.plain
    assert config is not None  # noqa: S101 - the run came to its answer
    assert plain is not None  # noqa: S101 - as well
    with control_turn(origin_of(plain.url), owner, deadline=run.deadline) as ours:
        if not ours:
            return Found(Control.NOT_RUN, "another test was at it at this origin all the time")
        if run.deadline.remaining() < LEAST_SECONDS:
            return Found(Control.NOT_RUN, "no time was left of the 10 seconds of a test")
        found, status = _sent(run, config)
    _keep(run, found, status=status)
    return found


def _sent(run: Run, config: ConfigState) -> tuple[Found, int | None]:
    assert run.plain is not None  # noqa: S101 - as above
    invented, token = config.method.decoy(config.fields, run.token.value if run.token else None)
    wrong = config.method.authenticate(run.plain, invented, token)
    try:
        response = run.sent(wrong)
    except OutboundError as error:
        return Found(Control.INCONCLUSIVE, f"no answer. {error.summary}"), None
    status = response.status_code
    said = f"the API answered {status} to a wrong credential"
    if run.plan.expects(status) and not run.is_expected(response):
        return Found(Control.REFUSED, f"{said}, with the text that means expired"), status
    return Found(verdict(status, run.plan), said), status


def _keep(run: Run, found: Found, *, status: int | None) -> None:
    now = database_now()
    values = {
        "control_result": found.value.value,
        "control_state": run.plan.state_of(run.target),
        "control_at": now,
    }
    with tenant_scope(run.target.tenant_id), released_connection():
        rows = Connection.objects.filter(id=run.target.connection_id)
        rows.update(**values)
        if status == 429:
            rows.update(control_stopped_until=now + STOP_AFTER_429)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
