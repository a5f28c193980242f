from typing import ClassVar

from django.db import models

from tenants.scope import TenantModel


class Starts(TenantModel):
    """When a tenant's people started something within the last minute, as seconds since 1970: one row per tenant and kind.

    Written by compare-and-swap on `version`.
    """

    class Kind(models.TextChoices):
        TEST = "test", "Tests"
        DISCOVERY = "discovery", "Discoveries"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    starts = models.JSONField(default=list)
    version = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "starts"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "kind"], name="starts_once_per_tenant_and_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.starts)} {self.get_kind_display().lower()}"
