"""What a file doesn't mention, deleted: connections, integrations and auth configs of its tenants, nothing else."""

from authconfigs.models import AuthConfig
from authconfigs.saving import delete
from integrations.files.outcome import Report
from integrations.files.work import Work
from integrations.models import Connection, Integration
from integrations.saving import delete_connection


def prune(work: Work, report: Report) -> None:
    """Delete what the tenant's entry doesn't mention. A config that a connection still uses is mentioned by that."""
    tenant = work.tenant.slug
    integrations = {entry["slug"]: entry for entry in work.entry.entries("integrations")}
    mentioned = {
        (slug, row["environment"], row.given.get("name") or "default")
        for slug, entry in integrations.items()
        for row in entry.entries("connections")
    }
    connections = Connection.objects.select_related("integration", "environment", "auth_config")
    for connection in connections.order_by("integration__slug", "environment__slug", "name"):
        environment = connection.environment.slug
        if (connection.integration.slug, environment, connection.name) not in mentioned:
            report.deleted("connection", f"{tenant}/{connection}", environment=environment)
            delete_connection(connection)
    for integration in Integration.objects.exclude(slug__in=integrations).order_by("slug"):
        report.deleted("integration", f"{tenant}/{integration.slug}")
        delete(integration)
    configs = {(row["environment"], row["name"]) for row in work.entry.entries("auth_configs")}
    unused = AuthConfig.objects.filter(connections=None).select_related("environment")
    for config in unused.order_by("environment__slug", "name"):
        environment = config.environment.slug
        if (environment, config.name) not in configs:
            report.deleted("auth_config", f"{tenant}/{config.name}", environment=environment)
            delete(config)
