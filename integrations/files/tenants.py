"""Tenants and their environments, as a file wants them."""

from typing import Any

from django.db import models
from django.utils import timezone

from integrations.files.outcome import Report
from integrations.files.shapes import Entry
from integrations.files.work import Work, unique
from tenants import audit
from tenants.models import Environment, Tenant
from tenants.scope import tenant_scope
from tenants.wording import column_errors


def apply_tenants(file: Entry, report: Report) -> list[Work]:
    """Make or change the tenants and their environments."""
    work = []
    for entry in unique(file.entries("tenants"), ("slug",), report):
        tenant = Tenant.objects.filter(slug=entry["slug"]).first()
        created = tenant is None
        row = tenant or Tenant(slug=entry["slug"], name=entry["slug"])
        values = {"name": entry.value("name", stored=row.name, default=row.slug)}
        disabled = entry.value("disabled", stored=row.disabled_at is not None, default=False)
        if disabled != (row.disabled_at is not None):
            values["disabled_at"] = timezone.now() if disabled else None
        fields = _store(row, values, entry, created=created, report=report)
        shown = [name.replace("disabled_at", "disabled") for name in fields]
        report.created_or_updated(created, "tenant", row.slug, fields=shown)
        work.append(Work(entry, row))
        if not row._state.adding:
            with tenant_scope(row.id):
                if fields:
                    audit.record("create" if created else "change", row, fields=shown)
                _apply_environments(work[-1], report)
    return work


def _apply_environments(work: Work, report: Report) -> None:
    work.environments = {row.slug: row for row in Environment.objects.all()}
    for entry in unique(work.entry.entries("environments"), ("slug",), report):
        slug = entry["slug"]
        created = slug not in work.environments
        row = work.environments.setdefault(slug, Environment(slug=slug, name=slug))
        values = {
            "name": entry.value("name", stored=row.name, default=slug),
            "protected": entry.value("protected", stored=row.protected, default=False),
        }
        fields = _store(row, values, entry, created=created, report=report)
        name = f"{work.tenant.slug}/{slug}"
        report.created_or_updated(created, "environment", name, fields=fields, environment=slug)
        if fields and not row._state.adding:
            audit.record("create" if created else "change", row, fields=fields)


def _store(
    row: models.Model, values: dict[str, Any], entry: Entry, *, created: bool, report: Report
) -> list[str]:
    """Judge and store the columns; the names of those that changed."""
    changed = [name for name, value in values.items() if created or getattr(row, name) != value]
    for name, value in values.items():
        setattr(row, name, value)
    errors = column_errors(row, ["slug", *values])
    for name, messages in errors.items():
        report.refuse(entry.at(name), " ".join(messages))
    if errors:
        return []
    if changed:
        row.save()
    return changed
