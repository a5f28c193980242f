"""From what a run has found to its verdict: symptom, stage, and the words for it."""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import requests

from authconfigs.database import released_connection
from authconfigs.errors import OutboundError
from authconfigs.oauth.refusal import retry_after
from authconfigs.symptoms import Stage, Symptom
from integrations.calls import STILL_EXPIRED
from integrations.diagnosis import (
    Answer,
    Explanation,
    Finding,
    Sent,
    diagnose,
    explain,
    explain_failure,
    sent_in,
)
from integrations.diagnosis.facts import NOTHING
from integrations.documents import redirect_place, redirect_summary
from integrations.models import ConnectionTest
from integrations.targets import Target
from integrations.testing.control import Control, Found, control
from integrations.testing.run import Run
from tenants.scope import tenant_scope


@dataclass(frozen=True)
class Verdict:
    """What came of a test; `symptom` is None when it is ok."""

    symptom: Symptom | None
    stage: Stage
    status: int | None
    told: Explanation = field(repr=False)
    control: Control = Control.NOT_RUN


# What a green test says, by what the negative control found.
GREEN = {
    Control.REFUSED: "It works: the API answered {status}, and refuses a wrong credential.",
    Control.OFF: "It works: the API answered {status}. Whether it would refuse a wrong credential isn't known: {why}.",
    Control.NOT_RUN: "It works: the API answered {status}. No wrong credential was tried: {why}.",
    Control.INCONCLUSIVE: "It works: the API answered {status}. Whether it refuses a wrong credential stayed open: {why}.",
}


def judged(run: Run, *, owner: UUID, bulk: bool) -> Verdict:
    """The verdict on a run; sends the negative control where the answer was as expected."""
    facts = {**run.target.facts, "request": run.request_line, "expected": run.plan.expected}
    response = run.response
    if run.failure is not None:
        status = response.status_code if response is not None else None
        return of_failure(run.failure, facts, status=status)
    assert response is not None  # noqa: S101 - a run ends with a failure or an answer
    status = response.status_code
    if not run.is_expected(response):
        return _of_answer(run, response, facts)
    found = control(run, owner=owner, bulk=bulk)
    if found.value is Control.ACCEPTED:
        told = explain(Symptom.UNPROVEN, stage=Stage.API, status=status, facts=facts)
        return Verdict(Symptom.UNPROVEN, Stage.API, status, told, found.value)
    return Verdict(None, Stage.API, status, _green(status, found), found.value)


def of_failure(
    error: OutboundError, facts: dict[str, str], *, status: int | None = None
) -> Verdict:
    """The verdict on a run without an answer, or (with its status) with one that a failure of the token explains."""
    told = explain_failure(error, facts=facts)
    if status is None and error.stage is Stage.API:
        status = error.status
    return Verdict(error.symptom, error.stage, status, told)


def _green(status: int, found: Found) -> Explanation:
    return Explanation(GREEN[found.value].format(status=status, why=found.why), "", ())


def _of_answer(run: Run, response: requests.Response, facts: dict[str, str]) -> Verdict:
    status = response.status_code
    since = last_green(run.target)
    finding = diagnose(
        Answer(
            status=status,
            challenge=response.headers.get("WWW-Authenticate", ""),
            sent=sent_in(run.signed) if run.signed else Sent(),
            worked_before=since is not None,
            renewed=run.renewed,
        )
    )
    if finding is None:
        expired = run.plan.expects(status)
        finding = STILL_EXPIRED if expired else Finding(Symptom.UNEXPECTED_ANSWER)
    facts = {**facts, **finding.facts, **_of_headers(run, response)}
    if since is not None:
        facts["since"] = f"{since:%Y-%m-%d %H:%M} UTC"
    told = explain(finding.symptom, stage=Stage.API, status=status, facts=facts, case=finding.case)
    if finding.symptom is Symptom.BLOCKED_BY_POLICY:
        told = replace(told, summary=redirect_summary(response))
    return Verdict(finding.symptom, Stage.API, status, told)


def _of_headers(run: Run, response: requests.Response) -> dict[str, str]:
    request = run.signed.headers if run.signed else ()
    sent = {name.lower(): value for name, value in request}
    facts = {"content_type": sent.get("content-type", NOTHING)}
    wait = retry_after(response.headers.get("Retry-After", ""), now=time.time())
    facts["wait"] = "a few minutes" if wait is None else f"{wait:.0f} seconds"
    if place := redirect_place(response):
        facts["location"] = place
    return facts


def last_green(target: Target) -> datetime | None:
    """When this very state of connection and config was last tested green."""
    with tenant_scope(target.tenant_id), released_connection():
        return (
            ConnectionTest.objects.filter(
                connection_id=target.connection_id,
                ok=True,
                connection_revision=target.revision_number,
                config_id=target.config.config_id if target.config else None,
                config_revision=target.config.revision if target.config else None,
            )
            .order_by("-started_at")
            .values_list("started_at", flat=True)
            .first()
        )
