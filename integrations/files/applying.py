"""Applying a file: all of it or nothing, in one transaction that is repeated when somebody else was faster."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import IntegrityError, OperationalError, connection, transaction

from authconfigs.saving import EditConflict
from integrations.files.configs import apply_configs
from integrations.files.integrations import apply_integrations
from integrations.files.outcome import Applied, Report
from integrations.files.problems import BadFile, Problem, cut
from integrations.files.pruning import prune
from integrations.files.reading import Document, lines_of, parse
from integrations.files.shapes import FILE, Entry
from integrations.files.staff import apply_staff
from integrations.files.tenants import apply_tenants
from integrations.files.work import Options, Work
from tenants.scope import tenant_scope

PATIENCE = 30.0
_PAUSE = 0.2


class DatabaseBusy(Exception):
    """Others held the database for too long; nothing was changed."""


@dataclass(frozen=True)
class Outcome:
    """What was changed, or would be; `notes` are for whoever wrote the file."""

    changes: tuple[Applied, ...]
    notes: tuple[str, ...]


def apply(content: bytes, options: Options) -> Outcome:
    """Make the database what the file describes. Raises BadFile and DatabaseBusy; nothing is changed then."""
    lines: Mapping[str, int] = {}
    try:
        document = parse(content)
        lines = document.lines
        return _repeatedly(_entry(document), options)
    except BadFile as error:
        lines = lines or lines_of(content)
        raise BadFile(
            Problem(problem.path, problem.message, problem.line or _line_of(problem.path, lines))
            for problem in cut(error.problems)
        ) from None


def _line_of(path: str, lines: Mapping[str, int]) -> int | None:
    """The line of a path, or of the nearest thing around it where it is missing."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path)


def _entry(document: Document) -> Entry:
    problems: list[Problem] = []
    entry = FILE(document.value, "", problems)
    if entry is None or problems:
        raise BadFile(problems)
    return entry


def _repeatedly(file: Entry, options: Options) -> Outcome:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _once(file, options)
        except (EditConflict, IntegrityError, OperationalError) as problem:
            if isinstance(problem, OperationalError) and not _is_busy(problem):
                raise
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise DatabaseBusy(
                    f"The database was busy for {PATIENCE:.0f} seconds. Nothing was changed: try again."
                ) from None
            time.sleep(_PAUSE)


def _once(file: Entry, options: Options) -> Outcome:
    report = Report()
    with transaction.atomic(), _patience():
        work = apply_tenants(file, report)
        report.stop_if_refused()
        # Each stage builds on what the one before has made; configs need people where they name an owner.
        _each(work, lambda one: apply_staff(one, options, report))
        _each(work, lambda one: apply_configs(one, options, report))
        report.stop_if_refused()
        _each(work, lambda one: apply_integrations(one, report))
        report.stop_if_refused()
        if options.prune:
            _each(work, lambda one: prune(one, report))
        transaction.set_rollback(options.dry_run)
    return Outcome(tuple(report.changes), tuple(report.notes))


def _each(work: list[Work], step: Callable[[Work], None]) -> None:
    for one in work:
        with tenant_scope(one.tenant.id):
            step(one)


@contextmanager
def _patience() -> Iterator[None]:
    """Wait for others' locks, but not for ever. SQLite has waited when the transaction began."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{PATIENCE:.0f}s"])
    yield


def _is_busy(problem: OperationalError) -> bool:
    """Locked (SQLite), lock timeout, deadlock or serialization failure (PostgreSQL)."""
    state = getattr(problem.__cause__, "sqlstate", None)
    return state in ("55P03", "40P01", "40001") or "locked" in str(problem)
