"""The pages of integrations, connections and tests.

Each registers its model: `integrations`, `connections` (with `running`, which sends requests) and `results`. `forms` are
plain ones, with the fields of `lines`.
"""

from integrations.admin.connections import ConnectionAdmin
from integrations.admin.integrations import IntegrationAdmin
from integrations.admin.results import ConnectionTestAdmin

__all__ = ["ConnectionAdmin", "ConnectionTestAdmin", "IntegrationAdmin"]
