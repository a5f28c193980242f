"""The pages of integrations, connections and tests.

Each registers its model: `integrations`, `connections` (with `running` and `trying`, which send requests), `results` and
`bulk_tests`. `forms` are
plain ones, with the fields of `lines`.
"""

from integrations.admin.bulk_tests import BulkTestAdmin
from integrations.admin.connections import ConnectionAdmin
from integrations.admin.integrations import IntegrationAdmin
from integrations.admin.results import ConnectionTestAdmin

__all__ = ["BulkTestAdmin", "ConnectionAdmin", "ConnectionTestAdmin", "IntegrationAdmin"]
