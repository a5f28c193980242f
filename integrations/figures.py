"""How calls, tests and refreshes of connections ended lately: 24 hours one by one, and 30 days. From the hourly usage counts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from authconfigs.symptoms import Symptom
from integrations.models import Connection, UsageCount
from integrations.usage import OK

HOURS, DAYS = 24, 30
# What a 401 or a 403 is found to mean.
REFUSALS = frozenset(
    {
        Symptom.WRONG_OR_MISSING_CREDENTIAL,
        Symptom.INSUFFICIENT_PERMISSION,
        Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
        Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY,
    }
)


@dataclass
class Totals:
    """How many calls, tests and refreshes there were, by `kinds`, and how they ended.

    Of calls and tests some were refused with 401 or 403, and some failed otherwise; of refreshes some failed.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    failed: int = 0
    failed_refreshes: int = 0

    def add(self, kind: str, outcome: str, count: int) -> None:
        self.kinds[kind] += count
        if outcome == OK:
            return
        if kind == UsageCount.Kind.REFRESH:
            self.failed_refreshes += count
        elif outcome in REFUSALS:
            self.refused += count
        else:
            self.failed += count

    @property
    def requests(self) -> int:
        """Calls and tests."""
        return self.kinds[UsageCount.Kind.CALL] + self.kinds[UsageCount.Kind.TEST]

    @property
    def bad(self) -> int:
        return self.refused + self.failed + self.failed_refreshes


def sum_of(parts: Iterable[Totals]) -> Totals:
    """All of them together."""
    total = Totals()
    for part in parts:
        total.kinds.update(part.kinds)
        total.refused += part.refused
        total.failed += part.failed
        total.failed_refreshes += part.failed_refreshes
    return total


@dataclass
class Figures:
    """`hours` are the last 24, the newest last."""

    hours: list[Totals]
    month: Totals

    @property
    def day(self) -> Totals:
        return sum_of(self.hours)


def figures_of(connections: Sequence[Connection], *, now: datetime) -> dict[UUID, Figures]:
    """By the connections' ids their figures; a refresh counts for every connection of its config. Two queries."""
    hours = hours_of(connections, now=now)
    found = {each: Figures(hours[each], Totals()) for each in hours}
    if not found:
        return found
    owners = _owners(connections)
    since = now - timedelta(days=DAYS)
    for row in _summed(connections, since=since):
        for owner in owners[_owner(row)]:
            found[owner].month.add(row["kind"], row["outcome"], row["number"])
    return found


def hours_of(connections: Sequence[Connection], *, now: datetime) -> dict[UUID, list[Totals]]:
    """By the connections' ids their last 24 hours, the newest last, with refreshes as above. One query."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    first_hour = this_hour - timedelta(hours=HOURS - 1)
    found = {connection.id: [Totals() for _ in range(HOURS)] for connection in connections}
    if not found:
        return found
    owners = _owners(connections)
    for row in _summed(connections, "hour", since=first_hour):
        at = int((row["hour"] - first_hour) / timedelta(hours=1))
        for owner in owners[_owner(row)]:
            found[owner][at].add(row["kind"], row["outcome"], row["number"])
    return found


def _owners(connections: Sequence[Connection]) -> Mapping[UUID, list[UUID]]:
    """By what is counted, a connection or a config, the connections that it counts for."""
    owners: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for connection in connections:
        owners[connection.id].append(connection.id)
        if connection.auth_config_id is not None:
            owners[connection.auth_config_id].append(connection.id)
    return owners


def _summed(connections: Sequence[Connection], *more: str, since: datetime) -> Any:
    """The counts of the connections and of their configs' refreshes: two halves, or SQLite goes through all of the tenant's."""
    configs = {one.auth_config_id for one in connections if one.auth_config_id is not None}
    calls = Q(connection_id__in=[connection.id for connection in connections])
    refreshes = Q(
        connection_id=UsageCount.NOTHING, config_id__in=configs, kind=UsageCount.Kind.REFRESH
    )
    keys = ("connection_id", "config_id", "kind", "outcome", *more)
    rows = UsageCount.objects.filter(hour__gte=since).order_by().values(*keys)
    halves = [rows.filter(half).annotate(number=Sum("count")) for half in (calls, refreshes)]
    return halves[0].union(halves[1], all=True)


def _owner(row: dict[str, Any]) -> UUID:
    """The connection that was called or tested, or the config that was refreshed."""
    refreshed = row["connection_id"] == UsageCount.NOTHING
    owner: UUID = row["config_id"] if refreshed else row["connection_id"]
    return owner
