"""A call that a person makes, by a command or on a page: told in words, and written to the audit trail."""

import time
from dataclasses import dataclass, field
from typing import Any

from authconfigs.errors import OutboundError
from integrations.calls import Call, CallResult, perform
from integrations.diagnosis import Explanation
from integrations.documents import document_of, explained, explained_error, failure_document
from integrations.models import Connection
from integrations.targets import Target
from tenants.audit import record
from tenants.scope import tenant_scope


@dataclass(frozen=True)
class Told:
    """An answer, or the failure in its place; `explanation` is None for 2xx. `document` is what `call --json` prints."""

    outcome: CallResult | OutboundError = field(repr=False)
    explanation: Explanation | None
    document: dict[str, Any] = field(repr=False)


def call_by_hand(target: Target, call: Call) -> Told:
    """Make the call. Raises what `perform` raises, but for OutboundError: then nothing was sent, and nothing is recorded."""
    started = time.perf_counter()
    try:
        answer = perform(target, call)
    except OutboundError as error:
        _record(target, error.symptom)
        why = explained_error(error, target)
        elapsed_ms = (time.perf_counter() - started) * 1000
        return Told(error, why, failure_document(error, why, elapsed_ms=elapsed_ms))
    _record(target, answer.symptom)
    told = explained(answer, target)
    return Told(answer, told, document_of(answer, told))


def _record(target: Target, outcome: str | None) -> None:
    with tenant_scope(target.tenant_id):
        # It may be gone by now; the call was made all the same.
        connection = Connection.objects.filter(id=target.connection_id).first()
        record("call", connection, outcome=outcome or "ok")
