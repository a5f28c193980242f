"""Whether every sealed value opens, and which keys are in use."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from authconfigs.datakeys import PLATFORM, all_rows
from authconfigs.sealed_values import all_sealed_fields, batches, unreadable
from tenants.models import Tenant
from tenants.scope import unscoped

_BATCH = 500


@dataclass(frozen=True)
class SecretCheck:
    """`unreadable` are tables and ids of rows; the counts are data keys per master key and values per data key."""

    values: int
    unreadable: tuple[tuple[str, str], ...]
    master_keys: Mapping[str, int]
    data_keys: Mapping[str, int]


def check_secrets() -> SecretCheck:
    """Open every sealed value of every tenant and of the platform."""
    values = 0
    closed: dict[tuple[str, str], None] = {}
    named: Counter[tuple[UUID | None, int]] = Counter()
    with unscoped("every sealed value is opened"):
        for column in all_sealed_fields():
            for batch in batches(column, _BATCH):
                values += len(batch)
                named.update(
                    (value.place.tenant_id, value.number)
                    for value in batch
                    if value.number is not None
                )
                closed |= dict.fromkeys((row.table, str(row.pk)) for row in unreadable(batch))
    owners: dict[UUID | None, str] = {
        None: PLATFORM,
        **dict(Tenant.objects.values_list("id", "slug")),
    }
    data_keys: Counter[str] = Counter()
    for (tenant_id, number), uses in named.items():
        data_keys[f"{owners.get(tenant_id, tenant_id)}/{number}"] += uses
    return SecretCheck(
        values=values,
        unreadable=tuple(closed),
        master_keys=dict(sorted(Counter(row.master_key_id for row in all_rows()).items())),
        data_keys=dict(sorted(data_keys.items())),
    )
