"""Fills the table of words in."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace

from authconfigs.errors import OutboundError, TokenFailed
from authconfigs.symptoms import Stage, Symptom
from integrations.diagnosis.words import GENERIC, ROWS, Row


@dataclass(frozen=True)
class Explanation:
    """One plain sentence, why it probably happened, and what to check, in order."""

    summary: str
    likely_cause: str
    checks: tuple[str, ...]


_BY_CASE = {(row.symptom, row.case): row for row in ROWS}


def explain(
    symptom: Symptom,
    *,
    stage: Stage,
    status: int | None = None,
    facts: Mapping[str, str] | None = None,
    case: str = "",
) -> Explanation:
    """The words for a symptom; `facts` are safe values that the checks may name.

    `case` picks a closer row of the table; without one, the stage does where it makes a difference. A check that names a
    fact which isn't known here (an API key's name, say, where there is none) is left out.
    """
    known = dict(facts or {})
    if status is not None:
        known["status"] = str(status)
    row = row_for(symptom, stage=stage, case=case)
    with_generic = {**GENERIC, **known}
    return Explanation(
        row.summary.format_map(with_generic),
        row.cause.format_map(with_generic),
        tuple(check.format_map(known) for check in row.checks if placeholders(check) <= set(known)),
    )


def explain_failure(error: OutboundError, *, facts: Mapping[str, str]) -> Explanation:
    """The words for a failure: its own sentence, and the row of what the token endpoint named as the reason."""
    code = error.error if isinstance(error, TokenFailed) else ""
    if code == "invalid_grant" and "username" not in facts:
        code = ""
    told = explain(error.symptom, stage=error.stage, status=error.status, facts=facts, case=code)
    return replace(told, summary=error.summary)


def row_for(symptom: Symptom, *, stage: Stage, case: str = "") -> Row:
    """The row of the table: that of the case, else that of the stage, else the symptom's own."""
    for wanted in (case or stage.value, stage.value, ""):
        if row := _BY_CASE.get((symptom, wanted)):
            return row
    raise KeyError(symptom)


def placeholders(text: str) -> frozenset[str]:
    """The names of the facts that a text needs."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)
