"""The one authentication backend: who somebody is by user name and password, and what they may do by role."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from tenants import permissions
from tenants.models import User

if TYPE_CHECKING:
    from tenants.permissions import AnyUser


class RoleBackend(BaseBackend):
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """The active user whose password it is, or None; both take the same time."""
        if username is None or password is None:
            return None
        user = User.objects.filter(username=username).first()
        if user is None:
            # An unknown login must not answer sooner than a known one.
            User().set_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()

    def has_perm(self, user_obj: "AnyUser", perm: str, obj: object | None = None) -> bool:
        return permissions.has_perm(user_obj, perm, obj)

    def has_module_perms(self, user_obj: "AnyUser", app_label: str) -> bool:
        return permissions.has_module_perms(user_obj, app_label)
