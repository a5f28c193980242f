import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from authconfigs.models import AuthConfig
from integrations.models.connections import Connection
from tenants.scope import TenantModel


class ConnectionTest(TenantModel):
    """One run of a test: of a connection, or of a config alone. Evidence is stored redacted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.CASCADE, related_name="tests"
    )
    config = models.ForeignKey(
        AuthConfig, null=True, on_delete=models.CASCADE, related_name="tests"
    )
    started_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200)
    ok = models.BooleanField()
    symptom = models.CharField(max_length=50, blank=True)
    stage = models.CharField(max_length=20)
    status = models.PositiveIntegerField(null=True)
    summary = models.CharField(max_length=1000)
    likely_cause = models.TextField(blank=True)
    checks = models.JSONField(default=list)
    check_fields = models.JSONField(default=list)
    steps = models.JSONField(default=list)
    negative_control = models.CharField(max_length=20)
    token_refreshed = models.BooleanField(default=False)
    duration_ms = models.PositiveIntegerField()
    host = models.CharField(max_length=200)
    config_revision = models.PositiveIntegerField(null=True)
    connection_revision = models.PositiveIntegerField(null=True)
    warnings = models.JSONField(default=list)
    request = models.JSONField(default=dict)
    response = models.JSONField(default=dict)

    class Meta:
        verbose_name = "connection test"
        ordering: ClassVar = ["-started_at", "-id"]
        # The tenant comes first, as every query names it; the order is complete, or SQLite goes by time through all tests.
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-started_at", "-id"], name="test_by_time"),
            models.Index(
                fields=["tenant", "connection", "-started_at", "-id"], name="test_by_connection"
            ),
            models.Index(fields=["tenant", "config", "-started_at", "-id"], name="test_by_config"),
            models.Index(
                fields=["tenant", "config", "-started_at"],
                condition=models.Q(connection=None),
                name="test_of_config_alone",
            ),
        ]

    def __str__(self) -> str:
        return f"test of {self.started_at:%Y-%m-%d %H:%M}"


class BulkTest(TenantModel):
    """Tests of many connections that somebody has started together; the workers run them, one worker at a time.

    `runner` is that worker's id, and `runner_until` when another may take over. `actor_id` is the person, without a foreign key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=300)
    actor = models.CharField(max_length=200)
    actor_id = models.UUIDField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    cancelled_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    runner = models.UUIDField(null=True)
    runner_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "bulk test"
        ordering: ClassVar = ["-started_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "id"], name="bulk_test_composite_key"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.started_at:%Y-%m-%d %H:%M}"


class BulkTestItem(TenantModel):
    """One connection of a bulk test, and what came of it. `test_id` without a foreign key: tests are pruned."""

    bulk_test = models.ForeignKey(BulkTest, on_delete=models.CASCADE, related_name="items")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    done_at = models.DateTimeField(null=True)
    test_id = models.UUIDField(null=True)
    ok = models.BooleanField(null=True)
    symptom = models.CharField(max_length=50, blank=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bulk_test", "position"], name="bulk_test_item_once"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.bulk_test_id}"


class ControlTurn(models.Model):
    """Who is showing an origin a wrong credential, whichever tenant's: one at a time. The row is gone when that is done."""

    origin = models.CharField(max_length=300, primary_key=True)
    owner = models.UUIDField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.origin
