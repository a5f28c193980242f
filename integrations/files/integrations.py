"""Integrations and their connections, as a file wants them.

A file moves exactly the connections that it lists: to the head when it gives the integration's headers or query, to a
revision of their own when it gives theirs.
"""

from typing import Any

from authconfigs.saving import InvalidDraft
from integrations.files.outcome import Report
from integrations.files.shapes import Entry
from integrations.files.work import Work, unique
from integrations.models import Connection, Integration, IntegrationRevision
from integrations.saving import (
    ConnectionDraft,
    IntegrationDraft,
    revision_of,
    save_connection,
    save_integration,
)

Key = tuple[str, str, str]

# The save path's name of a field, and where that stands in a connection of a file.
_PLACES = {
    "test_method": ("test", "method"),
    "test_path": ("test", "path"),
    "test_headers": ("test", "headers"),
    "test_body": ("test", "body"),
    "test_expect": ("test", "expect"),
    "negative_control": ("test", "negative_control"),
}
_UNTESTED = Entry("", {})
_NEVER_TESTED = Connection()


def apply_integrations(work: Work, report: Report) -> None:
    """Make or change the integrations and connections. Where those lead, their configs' credentials may go from then on."""
    entries = unique(work.entry.entries("integrations"), ("slug",), report)
    slugs = [entry["slug"] for entry in entries]
    stored = {
        row.slug: row for row in Integration.objects.filter(slug__in=slugs).select_related("head")
    }
    connections = _stored_connections(work, slugs)
    for entry in entries:
        integration = _apply_integration(entry, stored.get(entry["slug"]), work, report)
        if integration is None:
            continue
        for row in unique(_named(entry), ("environment", "name"), report):
            key = (integration.slug, row["environment"], row["name"])
            _apply_connection(row, integration, entry, connections.get(key), work, report)


def _stored_connections(work: Work, slugs: list[str]) -> dict[Key, Connection]:
    rows = Connection.objects.filter(integration__slug__in=slugs)
    environments = {row.id: row for row in work.environments.values()}
    configs = {row.id: row for row in work.configs.values()}
    found = {}
    for row in rows.select_related("integration", "revision", "auth_config"):
        row.environment = environments[row.environment_id]
        # The same objects as those that were just saved, with what is prefetched for them.
        if row.auth_config_id in configs:
            row.auth_config = configs[row.auth_config_id]
        found[row.integration.slug, row.environment.slug, row.name] = row
    return found


def _named(integration: Entry) -> list[Entry]:
    """The connections, each with a name."""
    return [
        Entry(
            row.path, {**row.given, "name": row.value("name", stored="default", default="default")}
        )
        for row in integration.entries("connections")
    ]


def _apply_integration(
    entry: Entry, stored: Integration | None, work: Work, report: Report
) -> Integration | None:
    head = stored.head if stored is not None else None
    draft = IntegrationDraft(
        slug=entry["slug"],
        name=entry.value(
            "name", stored=stored.name if stored else entry["slug"], default=entry["slug"]
        ),
        headers=entry.value("headers", stored=head.headers if head else {}, default={}),
        query=entry.value("query", stored=head.query if head else {}, default={}),
    )
    try:
        saved = save_integration(draft, integration=stored, moves_connections=False)
    except InvalidDraft as error:
        report.refuse_draft(error, entry.at)
        return None
    name = f"{work.tenant.slug}/{draft.slug}"
    report.created_or_updated(saved.created, "integration", name, fields=saved.fields)
    return saved.integration


def _apply_connection(
    entry: Entry,
    integration: Integration,
    parent: Entry,
    stored: Connection | None,
    work: Work,
    report: Report,
) -> None:
    environment = work.environments.get(entry["environment"])
    if environment is None:
        report.refuse(
            entry.at("environment"),
            "The tenant has no environment of this slug. Add it under environments, or name another.",
        )
        return
    base_url = entry.value("base_url", stored=stored.base_url if stored else None, default=None)
    if base_url is None:
        report.refuse(entry.at("base_url"), "This is missing: add it.")
        return
    config = stored.auth_config if stored is not None else None
    if "auth_config" in entry:
        config = work.configs.get((environment.slug, entry["auth_config"]))
        if config is None and entry["auth_config"] is not None:
            report.refuse(
                entry.at("auth_config"),
                f"{environment.slug} has no auth config of this name. Add it under auth_configs, or name another.",
            )
            return
    try:
        draft = ConnectionDraft(
            name=entry["name"],
            base_url=base_url,
            auth_config=config,
            timeout=entry.value("timeout", stored=stored.timeout if stored else None, default=None),
            revision=_revision(entry, parent, integration, stored),
            **_test(entry, stored),
        )
        saved = save_connection(
            draft,
            integration=integration,
            environment=environment,
            connection=stored,
            widen_origins=True,
        )
    except InvalidDraft as error:
        report.refuse_draft(error, lambda name: entry.at(*_PLACES.get(name, (name,))))
        return
    slug = environment.slug
    report.created_or_updated(
        saved.created,
        "connection",
        f"{work.tenant.slug}/{saved.connection}",
        fields=saved.fields,
        environment=slug,
    )
    if config is not None:
        name = f"{work.tenant.slug}/{config.name}"
        report.widened(name, saved.added_origins, purpose="api", environment=slug)


def _revision(
    entry: Entry, parent: Entry, integration: Integration, stored: Connection | None
) -> IntegrationRevision | None:
    """The revision that the file moves the connection to; None where it keeps its own."""
    head = integration.head
    own = {key for key in ("headers", "query") if entry.given.get(key) is not None}
    if head is not None and own:
        headers = entry["headers"] if "headers" in own else head.headers
        query = entry["query"] if "query" in own else head.query
        return revision_of(integration, headers, query)
    given = any(key in row for row in (entry, parent) for key in ("headers", "query"))
    return head if given or stored is None else None


def _test(entry: Entry, stored: Connection | None) -> dict[str, Any]:
    """The test request: what is stored, and over it what the file gives."""
    before = stored or _NEVER_TESTED
    if "test" in entry and entry["test"] is None:
        before = _NEVER_TESTED
    test: Entry = entry.value("test", stored=_UNTESTED, default=_UNTESTED)
    return {
        "test_method": test.value("method", stored=before.test_method, default="GET"),
        "test_path": test.value("path", stored=before.test_path, default=""),
        "test_headers": test.value("headers", stored=before.test_headers, default={}),
        "test_body": test.value("body", stored=before.test_body, default=None),
        "test_expect": tuple(test.value("expect", stored=before.test_expect, default=[])),
        "negative_control": test.value(
            "negative_control", stored=before.negative_control, default=True
        ),
    }
