"""From what happened to what a person can do about it: likely cause and ordered checks, per symptom."""

from collections.abc import Mapping
from dataclasses import dataclass

from authconfigs.symptoms import Stage, Symptom


@dataclass(frozen=True)
class Explanation:
    """One plain sentence, why it probably happened, and what to check, in order."""

    summary: str
    likely_cause: str
    checks: tuple[str, ...]


def symptom_of(status: int) -> Symptom | None:
    """What an API's answer alone says; None for 2xx."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Symptom.BLOCKED_BY_POLICY
    if status in _STATUSES:
        return _STATUSES[status]
    return Symptom.REQUEST_REFUSED if 400 <= status < 500 else Symptom.PROVIDER_ERROR


_STATUSES = {
    401: Symptom.WRONG_OR_MISSING_CREDENTIAL,
    403: Symptom.INSUFFICIENT_PERMISSION,
    415: Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
    429: Symptom.PROVIDER_RATE_LIMITED,
}


def explain(
    symptom: Symptom,
    *,
    stage: Stage,
    status: int | None = None,
    facts: Mapping[str, str] | None = None,
) -> Explanation:
    """The words for a symptom; `facts` are safe values that the checks may name."""
    answered = f"The API answered {status}." if status is not None else f"It failed at {stage}."
    return Explanation(answered, f"See {symptom}.", ("Check the auth config and the connection.",))
