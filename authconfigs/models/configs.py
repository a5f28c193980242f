import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from authconfigs import methods
from authconfigs.fields import SealedField
from tenants.models import Environment, Tenant
from tenants.scope import TenantModel
from tenants.slugs import validate_slug


class DataKey(models.Model):
    """A key that seals one tenant's values, itself wrapped by a master key; without tenant: the platform's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        Tenant, null=True, on_delete=models.CASCADE, editable=False, related_name="+"
    )
    number = models.PositiveIntegerField(editable=False)
    wrapped = models.BinaryField()
    master_key_id = models.CharField(max_length=16, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "number"], name="data_key_number_per_tenant"),
            models.UniqueConstraint(
                fields=["number"],
                condition=models.Q(tenant__isnull=True),
                name="data_key_number_of_platform",
            ),
        ]

    def __str__(self) -> str:
        return f"data key {self.number}"


class AuthConfig(TenantModel):
    """One credential of one environment: how requests to an API are authenticated.

    `revision` grows with every change; `token_revision` with those that outdate a stored token. `credential_revision` is the
    `revision` that the last change of the credential made: of the method, an option, a secret or the whole grant. Tests of
    earlier revisions say nothing about it. `client_id` and `hosts` repeat what lists search; only the save path writes them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    environment = models.ForeignKey(
        Environment, on_delete=models.RESTRICT, related_name="auth_configs"
    )
    name = models.CharField(
        max_length=50,
        validators=[validate_slug],
        help_text="What it is for, e.g. billing-api. Lower-case letters, digits and hyphens.",
    )
    description = models.CharField(max_length=500, blank=True)
    method = models.CharField(max_length=50, choices=methods.choices)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who is asked when this credential needs attention.",
    )
    rotate_by = models.DateField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    token_revision = models.PositiveIntegerField(default=1, editable=False)
    credential_revision = models.PositiveIntegerField(default=1, editable=False)
    disabled_at = models.DateTimeField("switched off at", null=True, blank=True, editable=False)
    client_id = models.CharField(max_length=500, blank=True, editable=False)
    hosts = models.CharField(max_length=2000, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "auth config"
        ordering: ClassVar = ["name", "environment"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "environment", "name"],
                name="config_name_per_environment",
                violation_error_message="The environment has an auth config of this name already.",
            ),
            models.UniqueConstraint(fields=["tenant", "id"], name="config_tenant_key"),
            models.UniqueConstraint(
                fields=["tenant", "environment", "id"], name="config_composite_key"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Credential(TenantModel):
    """The options and sealed secrets of a config in one slot.

    `secret_state` tells of each stored secret, without opening it: `{name: {"set_at": ISO 8601, "by": user id or "",
    "by_name": text, "fingerprint": "number:HMAC"}}`; a secret that is a mapping has `keys` besides, with the same of each name.
    """

    class Slot(models.TextChoices):
        CURRENT = "current", "Current"
        NEXT = "next", "Next"
        PREVIOUS = "previous", "Previous"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    config = models.ForeignKey(AuthConfig, on_delete=models.CASCADE, related_name="credentials")
    slot = models.CharField(max_length=10, choices=Slot.choices, default=Slot.CURRENT)
    options = models.JSONField(default=dict)
    secrets = SealedField(
        purpose="credential.secrets", row="config_id", fingerprints="secret_state"
    )
    secret_state = models.JSONField(default=dict)
    method_version = models.PositiveIntegerField(default=1)
    valid_until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["config", "slot"], name="credential_slot_per_config"),
        ]

    def __str__(self) -> str:
        return f"{self.slot} credential"


class AllowedOrigin(TenantModel):
    """An origin that a config's secrets may be sent to, for one purpose.

    `added_by_id` and `confirmed_by_id` are users' ids; none where a machine or the shell added it.
    """

    class Purpose(models.TextChoices):
        API = "api", "API"
        TOKEN = "token", "token endpoint"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    config = models.ForeignKey(AuthConfig, on_delete=models.CASCADE, related_name="allowed_origins")
    origin = models.CharField(max_length=300)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    added_by = models.CharField(max_length=200)
    added_by_id = models.UUIDField(null=True)
    confirmed_by_id = models.UUIDField(null=True)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["config", "purpose", "origin"], name="allowed_origin_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.origin} ({self.get_purpose_display()})"
