from integrations.models.connections import Connection, Integration, IntegrationRevision
from integrations.models.tests import BulkTest, BulkTestItem, ConnectionTest, ControlTurn
from integrations.models.usage import UsageCount

__all__ = [
    "BulkTest",
    "BulkTestItem",
    "Connection",
    "ConnectionTest",
    "ControlTurn",
    "Integration",
    "IntegrationRevision",
    "UsageCount",
]
