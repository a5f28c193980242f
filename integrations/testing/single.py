"""The test of one connection: whoever asks while one is running gets that one's result."""

import time
from uuid import UUID, uuid4

from django.conf import settings

from authconfigs.database import database_now, released_connection
from authconfigs.errors import OutboundError
from authconfigs.symptoms import Stage, Symptom
from authconfigs.tokens.granted import scope_warnings
from authconfigs.transport import Deadline, Door, new_door
from authconfigs.transport.transactions import refuse_open_transaction
from integrations.diagnosis import explain
from integrations.evidence import Mask, request_evidence, response_evidence
from integrations.models import ConnectionTest
from integrations.targets import Name, Target, load_target, unless_edited
from integrations.testing.judging import Verdict, judged
from integrations.testing.plan import plan_of
from integrations.testing.rate import count_start
from integrations.testing.run import Run
from integrations.testing.storing import Account, Begun, row_of, store
from integrations.testing.turns import PAUSE, claim_test, is_testing, release_test
from tenants.scope import tenant_scope

# A test ends within 10 s, and what it found has to be stored in that time, too.
LONGEST = 9.0


def test_connection(of: Name | Target) -> ConnectionTest:
    """Test a connection and keep the result; who asks comes from the current actor.

    Raises LookupError for a connection that isn't there, TransactionManagementError inside a database transaction.
    """
    return tested(of, counted=True, bulk=False)


def tested(of: Name | Target, *, counted: bool, bulk: bool) -> ConnectionTest:
    """The same. `counted`: against the tenant's rate. `bulk`: the negative control's result is good for a day."""
    refuse_open_transaction()
    target = of if isinstance(of, Target) else load_target(of)
    while True:
        owner = uuid4()
        running = claim_test(target, owner)
        if running is not None:
            row = _awaited(target, running)
            if row is not None:
                return row
            continue
        try:
            begun = Begun(owner, database_now(), time.perf_counter())
            wait = count_start(target.tenant_id) if counted else None
            if wait is not None:
                return store(too_many(begun, wait, target=target), tenant_id=target.tenant_id)
            return _run(load_target(target.name), begun, bulk=bulk)
        finally:
            release_test(target, owner)


def too_many(begun: Begun, wait: float, *, target: Target) -> ConnectionTest:
    """The row of a test that the tenant's rate doesn't allow; nothing was sent."""
    limit = str(settings.TEST_RATE_PER_MINUTE)
    facts = {**target.facts, "limit": limit, "wait": f"{wait:.0f} seconds"}
    told = explain(Symptom.TOO_MANY_TESTS, stage=Stage.CONFIG, facts=facts)
    verdict = Verdict(Symptom.TOO_MANY_TESTS, Stage.CONFIG, None, told)
    return row_of(begun, verdict, Account(), mask=Mask(()), target=target, config=target.config)


def _awaited(target: Target, running: UUID) -> ConnectionTest | None:
    """The result of the test that is running; None when it ended without one."""
    while True:
        goes_on = is_testing(target, running)
        with tenant_scope(target.tenant_id), released_connection():
            row = ConnectionTest.objects.filter(id=running).first()
        if row is not None or not goes_on:
            return row
        time.sleep(PAUSE)


def _run(target: Target, begun: Begun, *, bulk: bool) -> ConnectionTest:
    door = new_door()
    try:
        run = _gone(target, door)
        verdict = judged(run, owner=begun.id, bulk=bulk)
    finally:
        door.close()
    mask = Mask(run.secrets)
    account = Account(
        steps=tuple(run.steps),
        token_refreshed=run.token_refreshed,
        warnings=_warnings(run),
        request=request_evidence(run.signed or run.plain, mask),
        response=response_evidence(run.response, mask, is_cut=run.is_cut),
    )
    row = row_of(begun, verdict, account, mask=mask, target=run.target, config=run.config)
    return store(row, tenant_id=target.tenant_id)


def _gone(target: Target, door: Door) -> Run:
    deadline = Deadline.after(LONGEST)
    try:
        return unless_edited(target, lambda now: Run(now, plan_of(now), door, deadline).go())
    except OutboundError as edited_again:
        run = Run(target, plan_of(target), door, deadline)
        run.failure = edited_again
        return run


def _warnings(run: Run) -> tuple[str, ...]:
    config, warnings = run.config, []
    if config is not None:
        if run.target.base_url.lower().startswith("http://"):
            warnings.append(
                "The base URL begins with http://: the credential can be read on the way. Use https://."
            )
        if run.secrets:
            warnings += config.method.warnings(config.fields)
        if run.token is not None:
            warnings += scope_warnings(config.tenant_id, config.config_id)
    dropped = dict.fromkeys(run.signed.dropped if run.signed else ())
    warnings += [f"{name} was left out, because the credential is sent there." for name in dropped]
    return tuple(warnings)
