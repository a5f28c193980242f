"""The test of an auth config: of every connection that uses it; an OAuth config without one still proves its token endpoint."""

import time
from uuid import UUID, uuid4

from django.conf import settings

from authconfigs.database import database_now, released_connection
from authconfigs.errors import OutboundError
from authconfigs.state import ConfigEdited, ConfigState, load_config
from authconfigs.symptoms import Stage, Symptom
from authconfigs.tokens import Token, usable_token
from authconfigs.tokens.granted import scope_warnings
from authconfigs.tokens.grants import GRANTS
from authconfigs.transport import Deadline, new_door
from authconfigs.transport.transactions import refuse_open_transaction
from integrations.diagnosis import Explanation, explain
from integrations.evidence import Mask
from integrations.models import Connection, ConnectionTest
from integrations.targets import Name, facts_of
from integrations.testing.bulk import test_connections
from integrations.testing.judging import Verdict, of_failure
from integrations.testing.rate import count_start
from integrations.testing.single import LONGEST
from integrations.testing.steps import Steps
from integrations.testing.storing import Account, Begun, row_of, store
from tenants.scope import active_tenant_id_or_none, tenant_scope


def test_config(config_id: UUID) -> list[ConnectionTest]:
    """Test everything that a config can be tested by; empty for a static one that no connection uses. Counts as one test.

    Raises LookupError for a config that isn't there (or is another tenant's than the active one),
    TransactionManagementError inside a database transaction.
    """
    refuse_open_transaction()
    state = load_config(config_id)
    if active_tenant_id_or_none() not in (None, state.tenant_id):
        raise LookupError("The auth config isn't there any more.")
    names = _names(state)
    if names:
        return test_connections(names)
    return [_token_test(state)] if state.method.uses_token else []


def _names(state: ConfigState) -> list[Name]:
    with tenant_scope(state.tenant_id), released_connection():
        rows = Connection.objects.filter(
            auth_config_id=state.config_id, environment_id=state.environment_id
        ).values_list("integration__slug", "name")
        return [
            Name(state.tenant_slug, slug, state.environment, connection)
            for slug, connection in rows.order_by("integration__slug", "name")
        ]


def _token_test(state: ConfigState) -> ConnectionTest:
    begun = Begun(uuid4(), database_now(), time.perf_counter())
    wait = count_start(state.tenant_id)
    steps, token, secrets = Steps(), None, set[str]()
    if wait is not None:
        verdict = _too_many(state, wait)
    else:
        try:
            token = _asked(state, steps, secrets)
            summary = f"It works: the token endpoint gives tokens ({token.detail})."
            verdict = Verdict(None, Stage.TOKEN, None, Explanation(summary, "", ()))
        except OutboundError as error:
            verdict = of_failure(error, facts_of(state))
    account = Account(
        steps=tuple(steps),
        token_refreshed=token is not None and token.refreshed,
        warnings=(
            *(state.method.warnings(state.fields) if secrets else ()),
            *(scope_warnings(state.tenant_id, state.config_id) if token is not None else ()),
        ),
    )
    row = row_of(begun, verdict, account, mask=Mask(secrets), target=None, config=state)
    return store(row, tenant_id=state.tenant_id)


def _asked(state: ConfigState, steps: Steps, secrets: set[str]) -> Token:
    """A new token where the config can ask for one: one that is stored would prove nothing."""
    with steps.taking(Stage.CONFIG) as step:
        state.refuse_if_off()
        secrets |= set(state.method.secret_values(state.fields, None))
        step.detail = f"{state.name}: {state.method.label}"
    row = state.token
    can_ask = GRANTS[state.method.code].start is not None or (row and row.has_refresh_token)
    door, deadline = new_door(), Deadline.after(LONGEST)
    try:
        with steps.taking(Stage.TOKEN) as step:
            token = usable_token(
                state,
                deadline=deadline,
                refused_generation=row.generation if row and can_ask else None,
                asks_again=True,
                door=door,
            )
            step.detail = token.detail
    except ConfigEdited:
        # It was read a moment ago; the person who edits it can test again.
        raise
    finally:
        door.close()
    secrets.add(token.value)
    return token


def _too_many(state: ConfigState, wait: float) -> Verdict:
    limit = str(settings.TEST_RATE_PER_MINUTE)
    facts = {**facts_of(state), "limit": limit, "wait": f"{wait:.0f} seconds"}
    told = explain(Symptom.TOO_MANY_TESTS, stage=Stage.CONFIG, facts=facts)
    return Verdict(Symptom.TOO_MANY_TESTS, Stage.CONFIG, None, told)
