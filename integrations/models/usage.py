import uuid
from typing import ClassVar

from django.db import models

from tenants.scope import TenantModel


class UsageCount(TenantModel):
    """How many calls, tests or refreshes ended how, in one hour. Ids without foreign keys: the figures outlive their object.

    `connection_id` or `config_id` is `NOTHING` where there is none.
    """

    NOTHING: ClassVar[uuid.UUID] = uuid.UUID(int=0)

    class Kind(models.TextChoices):
        CALL = "call", "Call"
        TEST = "test", "Test"
        REFRESH = "refresh", "Refresh"

    connection_id = models.UUIDField(default=NOTHING)
    config_id = models.UUIDField(default=NOTHING)
    slot = models.CharField(max_length=10)
    hour = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    outcome = models.CharField(max_length=50)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "tenant",
                    "connection_id",
                    "config_id",
                    "slot",
                    "hour",
                    "kind",
                    "outcome",
                ],
                name="usage_once_per_hour",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} × {self.kind} {self.outcome}"
