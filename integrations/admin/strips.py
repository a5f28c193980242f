"""The health of a connection on one line: its last 24 hours as a strip, 30 days in figures, and since when it fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.changes import Changed, Span, changes_within
from integrations.figures import HOURS, Figures, Totals, figures_of, hours_of, sum_of
from integrations.models import Connection
from tenants.badges import at, time_of

_NOUNS = {"call": ("call", "calls"), "test": ("test", "tests"), "refresh": ("refresh", "refreshes")}


@dataclass(frozen=True)
class Health:
    """What a line shows. `trouble` is empty where no test has failed since the last success."""

    strip: SafeString
    figures: str
    trouble: SafeString | str


def health_of(connections: Sequence[Connection], *, now: datetime) -> list[Health]:
    """The lines of connections that were read with their auth config, in their order. Three queries for any number."""
    figures = figures_of(connections, now=now)
    spans: dict[Connection, Span] = {
        connection: (connection.last_success_at, connection.failing_since)
        for connection in connections
        if connection.failing_since is not None and connection.last_success_at is not None
    }
    changes = changes_within(spans)
    return [
        Health(
            strip_of(figures[connection.id].hours, now=now),
            _figures(figures[connection.id]),
            _trouble(connection, changes.get(connection.id, [])),
        )
        for connection in connections
    ]


def strips_of(connections: Sequence[Connection], *, now: datetime) -> list[SafeString]:
    """The strips alone, in the connections' order. One query for any number."""
    hours = hours_of(connections, now=now)
    return [strip_of(hours[connection.id], now=now) for connection in connections]


def _figures(figures: Figures) -> str:
    """A day and a month in words; once where they are the same."""
    if figures.day == figures.month:
        return f"24 h and 30 d: {told(figures.month)}"
    return f"24 h: {told(figures.day)}; 30 d: {told(figures.month)}"


def strip_of(hours: Sequence[Totals], *, now: datetime) -> SafeString:
    """24 cells, the newest last; each tells its hour and figures to who points at it, all of them to who can't see."""
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    cells = format_html_join(
        "",
        '<i class="c-cell-{}" title="{}"></i>',
        (
            (_look(hour), f"{time_of(first + timedelta(hours=number))}: {told(hour)}")
            for number, hour in enumerate(hours)
        ),
    )
    return format_html(
        '<span class="c-strip" role="img" aria-label="Last 24 hours: {}">{}</span>',
        told(sum_of(hours)),
        cells,
    )


def told(totals: Totals) -> str:
    """Figures in words: 12 calls, 3 tests, 20 % refused (401/403); 1 refresh."""
    if not totals.kinds.total():
        return "nothing was sent"
    parts = ((totals.refused, "refused (401/403)"), (totals.failed, "failed"))
    shares = [f"{_share(part, totals.requests)} {word}" for part, word in parts if part]
    sent = [*_numbers(totals, "call", "test"), *(shares or ["all ok"])]
    failed = [f"{totals.failed_refreshes} failed"] if totals.failed_refreshes else []
    refreshed = [*_numbers(totals, "refresh"), *failed]
    return "; ".join(
        ", ".join(part) for part in (sent if totals.requests else [], refreshed) if part
    )


def _numbers(totals: Totals, *kinds: str) -> list[str]:
    found = ((kind, totals.kinds[kind]) for kind in kinds)
    return [f"{number} {_NOUNS[kind][number != 1]}" for kind, number in found if number]


def _share(part: int, total: int) -> str:
    """A share in per cent; one that isn't all is never told as all, nor one that isn't nothing as nothing."""
    if part == total:
        return "100 %"
    return f"{min(max(round(100 * part / total), 1), 99)} %"


def _look(hour: Totals) -> str:
    every = hour.kinds.total()
    if not every:
        return "none"
    if not hour.bad:
        return "good"
    return "mixed" if hour.bad < every else "bad"


def _trouble(connection: Connection, changes: Sequence[Changed]) -> SafeString | str:
    """Failing since 14:05, first after the secret changed at 14:02."""
    if connection.failing_since is None:
        return ""
    since = format_html("Failing since {}", at(connection.failing_since))
    if connection.last_success_at is None:
        return format_html("{}, and never worked", since)
    if not changes:
        return since
    last = changes[-1]
    return format_html("{}, first after {} at {}", since, last.words, at(last.at))
