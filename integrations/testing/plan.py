"""What a connection's test sends and expects, as it is stored."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authconfigs.database import released_connection
from authconfigs.errors import ConfigInvalid
from authconfigs.state import UnknownName
from integrations.calls import Call, outgoing
from integrations.models import Connection
from integrations.targets import Target
from tenants.scope import tenant_scope

SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Plan:
    """The test request, and the last negative control of this connection. Empty `expect`: any 2xx."""

    call: Call
    expect: tuple[int, ...]
    wants_control: bool
    control_result: str
    control_state: str
    control_at: datetime | None
    control_stopped_until: datetime | None

    def expects(self, status: int) -> bool:
        return status in self.expect if self.expect else 200 <= status < 300

    @property
    def expected(self) -> str:
        """What it expects, in words."""
        return " or ".join(map(str, self.expect)) or "any success (2xx)"

    def state_of(self, target: Target) -> str:
        """A digest of what the negative control's result depends on: connection, revisions and test request."""
        config = target.config
        parts: list[Any] = [
            str(target.connection_id),
            target.revision_number,
            target.base_url,
            str(target.revision_id),
            [str(config.config_id), config.revision] if config else None,
            self.call.method,
            self.call.path,
            self.call.headers,
            self.call.body.decode() if self.call.body is not None else None,
            self.expect,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def plan_of(target: Target) -> Plan:
    """The connection's test as it is now. Raises UnknownName when the connection is gone."""
    with tenant_scope(target.tenant_id), released_connection():
        row = Connection.objects.filter(id=target.connection_id).first()
    if row is None:
        raise UnknownName("The connection isn't there any more.")
    return Plan(
        call=Call(
            method=row.test_method.upper(),
            path=row.test_path,
            headers=tuple((str(name), str(value)) for name, value in row.test_headers.items()),
            body=row.test_body.encode() if row.test_body is not None else None,
        ),
        expect=tuple(int(status) for status in row.test_expect or ()),
        wants_control=row.negative_control,
        control_result=row.control_result,
        control_state=row.control_state,
        control_at=row.control_at,
        control_stopped_until=row.control_stopped_until,
    )


def check_fields(target: Target) -> None:
    """Raises ConfigInvalid when the stored options and secrets wouldn't pass their form; the field is named, never its value."""
    config = target.config
    if config is None:
        return
    fields = config.fields
    known = {name: fields[name] for name in config.method.Form.base_fields if name in fields}
    form = config.method.Form(known)
    if not form.is_valid():
        name, problems = next(iter(form.errors.items()))
        label = form.fields[name].label if name in form.fields else name
        raise ConfigInvalid(f"{label}: {problems[0]}")


def planned_request(target: Target, plan: Plan) -> Any:
    """The test request without its credential, by the one builder of calls. Raises ConfigInvalid."""
    try:
        return outgoing(target, plan.call)
    except ValueError as problem:
        raise ConfigInvalid(f"The test request can't be sent. {problem}") from None
