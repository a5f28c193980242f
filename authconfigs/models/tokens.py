import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from authconfigs.fields import SealedField
from authconfigs.models.configs import AuthConfig
from tenants.scope import TenantModel


class OAuthToken(TenantModel):
    """What a token endpoint gave for one config; made with the config and written by machines.

    `token_revision` is the config's at the time of the exchange: a token of another one is outdated. `attempt` grows with
    every exchange that ended, so that waiters see the lease holder's result. `failure_*` describe the last one that failed.
    `scope_left_out` counts the names that the provider gave besides those of `granted_scope`. `requested_scope` is what the
    present token was asked for with. `connected_*`: the consent, or the refresh token that was
    pasted in, from which the tokens descend. `seed_digest` is that refresh token's SHA-256.
    """

    class State(models.TextChoices):
        EMPTY = "empty", "No token yet"
        VALID = "valid", "Valid"
        RETRYING = "retrying", "Retrying"
        REAUTHORIZATION_REQUIRED = "reauthorization_required", "Needs reauthorization"
        STOPPED = "stopped", "Stopped until edited"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    config = models.OneToOneField(AuthConfig, on_delete=models.CASCADE, related_name="oauth_token")
    state = models.CharField(max_length=30, choices=State.choices, default=State.EMPTY)
    state_since = models.DateTimeField(default=timezone.now)
    access_token = SealedField(purpose="oauth_token.access_token", row="config_id", null=True)
    refresh_token = SealedField(purpose="oauth_token.refresh_token", row="config_id", null=True)
    seed_digest = SealedField(purpose="oauth_token.seed_digest", row="config_id", null=True)
    token_type = models.CharField(max_length=50, blank=True)
    granted_scope = models.TextField(blank=True)
    scope_left_out = models.PositiveIntegerField(default=0)
    requested_scope = models.TextField(blank=True)
    connected_at = models.DateTimeField(null=True)
    connected_by = models.CharField(max_length=200, blank=True)
    obtained_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    refresh_after = models.DateTimeField(null=True, db_index=True)
    generation = models.PositiveIntegerField(default=0)
    token_revision = models.PositiveIntegerField(default=1)
    lease_owner = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField("failures in a row", default=0)
    failure_symptom = models.CharField(max_length=50, blank=True)
    failure_summary = models.CharField(max_length=1000, blank=True)
    failure_error = models.CharField("OAuth error code", max_length=100, blank=True)
    failure_status = models.PositiveIntegerField(null=True)
    failed_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    retry_after_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "OAuth token"

    def __str__(self) -> str:
        return f"OAuth token ({self.get_state_display()})"


class TokenEvent(TenantModel):
    """What happened to a config's token. Never a value; a scope is a name.

    `state` is the token's state afterwards. `actor` is who asked: a login, or what asked by itself (sweep, call, test).
    `granted_scope` is empty where it is as before. `mail_due`: the tenant's admins are to be told, once; `mailed_at` says that they were.
    """

    class Kind(models.TextChoices):
        CONNECTED = "connected", "Connected"
        ISSUED = "issued", "Issued"
        REFRESHED = "refreshed", "Refreshed"
        FAILED = "failed", "Failed"
        DISCARDED = "discarded", "Came too late"
        DISCONNECTED = "disconnected", "Disconnected"
        EXPIRY_SIMULATED = "expiry_simulated", "Expiry simulated"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    config = models.ForeignKey(AuthConfig, on_delete=models.CASCADE, related_name="token_events")
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    state = models.CharField(max_length=30, choices=OAuthToken.State.choices)
    actor = models.CharField(max_length=200, blank=True)
    symptom = models.CharField(max_length=50, blank=True)
    summary = models.CharField(max_length=1000, blank=True)
    granted_scope = models.TextField(blank=True)
    mail_due = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["config", "-at"], name="token_event_history"),
            models.Index(fields=["at"], name="token_event_age"),
            models.Index(
                fields=["at"],
                condition=models.Q(mail_due=True, mailed_at=None),
                name="token_event_to_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.at:%Y-%m-%d %H:%M}"


class AuthorizationRequest(TenantModel):
    """One trip of a person to a provider's consent screen (RFC 6749 §4.1.1, RFC 7636).

    `state_hash` is the SHA-256 of the `state`; `binding_hash` that of what the session or the cookie holds, which the
    callback must show. Both are empty until the browser leaves for the provider. `requested_by_id` is a user's id, none where
    the shell asked. `api_origins` are those that whoever left was told of. `summary` is empty until the trip has ended; what
    is to be warned of follows, a line each.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    config = models.ForeignKey(
        AuthConfig, on_delete=models.CASCADE, related_name="authorization_requests"
    )
    token_revision = models.PositiveIntegerField()
    state_hash = models.CharField(max_length=64, blank=True, db_index=True)
    binding_hash = models.CharField(max_length=64, blank=True)
    requested_scope = models.TextField(blank=True)
    api_origins = models.JSONField(default=list)
    code_verifier = SealedField(purpose="authorization_request.code_verifier", row="id", null=True)
    requested_by = models.CharField(max_length=200)
    requested_by_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)
    symptom = models.CharField(max_length=50, blank=True)
    summary = models.CharField(max_length=1000, blank=True)

    def __str__(self) -> str:
        return f"authorization request of {self.created_at:%Y-%m-%d %H:%M}"
