import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from authconfigs.models import AuthConfig
from tenants.models import Environment
from tenants.scope import TenantModel
from tenants.slugs import validate_slug


class Integration(TenantModel):
    """An API that the tenant calls. Its slug never changes; `head` is the newest revision of what is sent to it always."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(
        max_length=50,
        validators=[validate_slug],
        help_text="Lower-case letters, digits and hyphens, for example billing. It can't be changed later.",
    )
    name = models.CharField(max_length=200)
    head = models.ForeignKey(
        "IntegrationRevision",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["slug"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "slug"],
                name="integration_slug_per_tenant",
                violation_error_message="There is an integration with this slug already.",
            ),
            models.UniqueConstraint(fields=["tenant", "id"], name="integration_composite_key"),
        ]

    def __str__(self) -> str:
        return self.name


class IntegrationRevision(TenantModel):
    """One immutable state of what is sent to an integration always: headers and query, no secrets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    headers = models.JSONField(default=dict)
    query = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=64)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "number"], name="revision_number_once"),
            models.UniqueConstraint(
                fields=["integration", "content_hash"], name="revision_content_once"
            ),
            models.UniqueConstraint(fields=["tenant", "id"], name="revision_composite_key"),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class Connection(TenantModel):
    """An integration in an environment: where it is, how requests are authenticated, and how it is tested.

    `revision_number` grows with every change of this row. `last_test_*`, `failing_since` (the first of the failed tests since
    the last success), `last_used_at` and `control_*` (what the negative control last found, for which state) are written by
    machines. `last_test_revision` and `last_test_config_revision` are the revisions of the connection and of its config that
    the last test saw.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(
        Integration, on_delete=models.RESTRICT, related_name="connections"
    )
    environment = models.ForeignKey(
        Environment, on_delete=models.RESTRICT, related_name="connections"
    )
    name = models.CharField(max_length=50, default="default", validators=[validate_slug])
    base_url = models.CharField("base URL", max_length=1000)
    auth_config = models.ForeignKey(
        AuthConfig,
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="connections",
    )
    revision = models.ForeignKey(
        IntegrationRevision, editable=False, on_delete=models.RESTRICT, related_name="connections"
    )
    timeout = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds.")
    test_method = models.CharField(max_length=20, default="GET")
    test_path = models.CharField(max_length=2000, blank=True)
    test_headers = models.JSONField(default=dict, blank=True)
    test_body = models.TextField(null=True, blank=True)  # noqa: DJ001 - no body differs from an empty one
    test_expect = models.JSONField(default=list, blank=True)
    negative_control = models.BooleanField(default=True)
    revision_number = models.PositiveIntegerField(default=1, editable=False)
    host = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_test_at = models.DateTimeField(null=True, editable=False)
    last_test_ok = models.BooleanField(null=True, editable=False)
    last_test_symptom = models.CharField(max_length=50, blank=True, editable=False)
    last_test_stage = models.CharField(max_length=20, blank=True, editable=False)
    last_test_revision = models.PositiveIntegerField(default=0, editable=False)
    last_test_config_revision = models.PositiveIntegerField(default=0, editable=False)
    last_success_at = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    testing_owner = models.UUIDField(null=True, editable=False)
    testing_until = models.DateTimeField(null=True, editable=False)
    control_result = models.CharField(max_length=20, blank=True, editable=False)
    control_state = models.CharField(max_length=64, blank=True, editable=False)
    control_at = models.DateTimeField(null=True, editable=False)
    control_stopped_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["integration", "environment", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["integration", "environment", "name"],
                name="connection_name_once",
                violation_error_message=(
                    "The integration has a connection of this name in this environment already."
                ),
            ),
            models.UniqueConstraint(fields=["tenant", "id"], name="connection_composite_key"),
        ]

    def __str__(self) -> str:
        shown = "" if self.name == "default" else f":{self.name}"
        return f"{self.integration.slug}{shown}"
