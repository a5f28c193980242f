"""What was changed before a connection began to fail, of itself and of its auth config: from the audit trail.

A change of its integration is one of the connection, too: it runs another revision since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models.functions import Coalesce

from authconfigs import methods
from integrations.models import Connection
from tenants.models import AuditEvent

# Between a success and a failure there are seldom many; of more than these the last ones are told.
MOST = 200
_OTHERS = {"connect": "it was connected", "disconnect": "it was disconnected"}
# Of an auth config: they are for people alone.
_WITHOUT_EFFECT = frozenset({"name", "description", "owner", "rotate_by"})
_NAMES = {
    "auth_config": "auth config",
    "base_url": "base URL",
    "disabled": "switch (on or off)",
    "revision": "headers or query of the integration",
    "test_body": "body of the test request",
    "test_expect": "expected statuses",
    "test_headers": "headers of the test request",
    "test_method": "method of the test request",
    "test_path": "path of the test request",
}

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Changed:
    """A change that can make calls fail. `words`: "the secret changed"; `actor`: who did it."""

    at: datetime
    words: str
    actor: str


def changes_within(spans: Mapping[Connection, Span]) -> dict[UUID, list[Changed]]:
    """By the connections' ids what was changed after the one moment and before the other, oldest first; one query.

    Connections were read with their auth config.
    """
    if not spans:
        return {}
    owners: dict[str, list[Connection]] = {}
    for connection in spans:
        for object_id in filter(None, (connection.id, connection.auth_config_id)):
            owners.setdefault(str(object_id), []).append(connection)
    # Not by the column itself, or SQLite goes through what was done to all objects meanwhile.
    moments = AuditEvent.objects.annotate(moment=Coalesce("at", "at"))
    events = moments.filter(
        object_id__in=owners,
        action__in=("change", *_OTHERS),
        outcome="ok",
        moment__gt=min(begin for begin, _ in spans.values()),
        moment__lt=max(end for _, end in spans.values()),
    )
    found: dict[UUID, list[Changed]] = {connection.id: [] for connection in spans}
    for event in reversed(events.order_by("-moment")[:MOST]):
        for connection in owners[event.object_id]:
            begin, end = spans[connection]
            words = _words(event, connection)
            if words and begin < event.at < end:
                found[connection.id].append(Changed(event.at, words, event.actor))
    return found


def _words(event: AuditEvent, connection: Connection) -> str:
    """What happened, as a part of a sentence; empty where it can't matter."""
    if event.action in _OTHERS:
        return _OTHERS[event.action]
    config = connection.auth_config if event.object_id == str(connection.auth_config_id) else None
    if config is None:
        return _changed([_NAMES.get(name, _spelled(name)) for name in event.fields])
    method = methods.stored(config.method)
    labels = {name: str(field.label) for name, field in method.Form().declared().items()}
    secrets = dict.fromkeys(method.secret_names, "secret")
    names = {**labels, **secrets, **_NAMES}
    return _changed(
        [names.get(name, _spelled(name)) for name in event.fields if name not in _WITHOUT_EFFECT]
    )


def _spelled(name: str) -> str:
    return name.replace("_", " ")


def _changed(names: Sequence[str]) -> str:
    *most, last = dict.fromkeys(names) or [""]
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"the {listed} changed" if listed else ""
