import uuid
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.utils import timezone

from tenants import permissions
from tenants.roles import Role
from tenants.scope import TenantManager, TenantModel
from tenants.slugs import validate_slug


class Tenant(models.Model):
    """A company or team; it sees only its own things. Its slug never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(
        max_length=50,
        unique=True,
        validators=[validate_slug],
        help_text="Lower-case letters, digits and hyphens, e.g. acme. It can't be changed later.",
    )
    name = models.CharField(max_length=200, help_text="What people call it, e.g. Acme Corp.")
    disabled_at = models.DateTimeField("switched off at", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_id(self) -> uuid.UUID:
        """Its own id: rights and the audit trail ask every object for the tenant that it belongs to."""
        return self.id


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "User":
        """A person who may log in; without `password`, none that works until one is set."""
        user = self.model(username=username, email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "User":
        """A platform operator: belongs to no tenant and may enter each."""
        return self.create_user(username, email, password, is_superuser=True, **fields)


class User(AbstractBaseUser):
    """A person. Logins are global; what a person may do comes from the membership in the active tenant.

    `home_tenant` says whose admins set the e-mail, the password and whether the login works; platform operators have none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator(message="Use letters, digits and @ . + - _ alone.")],
    )
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    is_superuser = models.BooleanField("platform operator", default=False, editable=False)
    home_tenant = models.ForeignKey(
        Tenant, null=True, blank=True, on_delete=models.CASCADE, editable=False, related_name="+"
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        ordering: ClassVar = ["username"]

    def __str__(self) -> str:
        return self.username

    @property
    def is_staff(self) -> bool:
        """Whoever may log in at all may open the console."""
        return self.is_active

    def has_perm(self, perm: str, obj: object | None = None) -> bool:
        return permissions.has_perm(self, perm, obj)

    def has_perms(self, perm_list: list[str], obj: object | None = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return permissions.has_module_perms(self, app_label)


class Membership(TenantModel):
    """A person's role in one tenant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "staff member"
        verbose_name_plural = "staff"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "user"],
                name="membership_once_per_tenant",
                violation_error_message="This person is on the staff already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class Environment(TenantModel):
    """Staging, production, ... of one tenant; `protected` marks those where only admins change things."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(
        max_length=50,
        validators=[validate_slug],
        help_text="For commands and files, e.g. staging. Lower-case letters, digits and hyphens. It can't be changed later.",
    )
    name = models.CharField(max_length=200, help_text="What people call it, e.g. Staging.")
    protected = models.BooleanField(
        default=False,
        help_text="Only admins edit here, operators call with GET and HEAD only, and http:// is refused.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["protected", "slug"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "slug"],
                name="environment_slug_per_tenant",
                violation_error_message="There is an environment with this slug already. Choose another slug.",
            ),
            models.UniqueConstraint(fields=["tenant", "id"], name="environment_composite_key"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def environment(self) -> "Environment":
        """Itself: rights ask every object for the environment that it belongs to."""
        return self


class AuditEvent(models.Model):
    """One line of the audit trail: who did what to which object, when, and how it ended. Never a value.

    Append-only (triggers see to it), and without foreign keys, so that it outlives what it speaks of.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant_id = models.UUIDField(null=True, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    actor = models.CharField(max_length=200, editable=False)
    via = models.CharField(max_length=20, editable=False)
    action = models.CharField(max_length=50, editable=False)
    object_type = models.CharField(max_length=50, editable=False)
    object_id = models.CharField(max_length=50, editable=False)
    object_name = models.CharField(max_length=300, editable=False)
    environment = models.CharField(max_length=50, editable=False)
    fields = models.JSONField("changed fields", default=list, editable=False)
    outcome = models.CharField(max_length=100, editable=False)
    source_address = models.GenericIPAddressField(null=True, editable=False)

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        verbose_name = "activity"
        verbose_name_plural = "activity"
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["tenant_id", "-at", "-id"], name="audit_by_tenant_and_time"),
            models.Index(fields=["tenant_id", "object_id", "-at", "-id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        what = (self.action, self.object_type, self.object_name)
        return f"{self.actor}: {' '.join(filter(None, what))}"
