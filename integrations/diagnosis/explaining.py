"""Fills the table of words in."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace

from authconfigs.errors import OutboundError, TokenFailed
from authconfigs.symptoms import Stage, Symptom
from integrations.diagnosis.words import GENERIC, ROWS, Row


@dataclass(frozen=True)
class Explanation:
    """One plain sentence, why it probably happened, and what to check, in order.

    `fields` names for each check the fact that it is about (`base_url`, say), empty for one that names none.
    """

    summary: str
    likely_cause: str
    checks: tuple[str, ...]
    fields: tuple[str, ...] = ()


_WHOLES = frozenset({"auth_config", "connection", "environment", "method"})
# What an answer said, or the time: no field holds it.
_OF_ANSWERS = frozenset(
    {"inside", "limit", "needed_scope", "offered", "sent", "since", "status", "wait", "wanted"}
)
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
    checks = [check for check in row.checks if set(placeholders(check)) <= set(known)]
    return Explanation(
        row.summary.format_map(with_generic),
        row.cause.format_map(with_generic),
        tuple(check.format_map(known) for check in checks),
        tuple(map(_field, checks)),
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


def placeholders(text: str) -> list[str]:
    """The names of the facts that a text needs, in their order."""
    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


def _field(check: str) -> str:
    """What a check is about: rather a field than the whole that has it."""
    names = [name for name in placeholders(check) if name not in _OF_ANSWERS]
    return next((name for name in names if name not in _WHOLES), next(iter(names), ""))
