"""One-time links with which people set their password: nobody else ever knows it.

The token is Django's: signed, valid for PASSWORD_RESET_TIMEOUT, and tied to the present password, so that setting one uses
it up. It travels in the query, which access logs leave out, and then in the session.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe
from unfold.widgets import INPUT_CLASSES

from tenants.actor import acting_as
from tenants.audit import record
from tenants.logins import web_actor
from tenants.models import User
from tenants.wording import WordedPasswords

if TYPE_CHECKING:
    _SetPasswordForm = SetPasswordForm[User]
else:
    _SetPasswordForm = SetPasswordForm

_SESSION_KEY = "password_link"


class _Tokens(PasswordResetTokenGenerator):
    key_salt = "tenants.password_links"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.is_active}"


_tokens = _Tokens()


def make_link(user: User) -> str:
    """A link with which the user sets their password. The present one and earlier links stop working. To be shown once."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    query = urlencode({"user": user.pk, "token": _tokens.make_token(user)})
    return f"{settings.PUBLIC_BASE_URL}{reverse('open_password_link')}?{query}"


@require_safe
@never_cache
def open_link(request: HttpRequest) -> HttpResponse:
    """Take the token out of the address, where history and referrers would keep it."""
    request.session[_SESSION_KEY] = [request.GET.get("user", ""), request.GET.get("token", "")]
    return redirect("set_password")


@sensitive_post_parameters()
@never_cache
def set_password(request: HttpRequest) -> HttpResponse:
    """The form for the new password, for whoever opened a link that still works."""
    user_id, token = request.session.get(_SESSION_KEY, ("", ""))
    user = _holder(user_id, token)
    if user is None:
        return render(request, "tenants/set_password.html", {"form": None}, status=400)
    form = _PasswordForm(user, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "tenants/set_password.html", {"form": form, "login": user})
    form.save()
    del request.session[_SESSION_KEY]
    with acting_as(web_actor(user, request)):
        record("set_password", user, tenant_id=user.home_tenant_id)
    return redirect("password_set")


@require_safe
def password_set(request: HttpRequest) -> HttpResponse:
    return render(request, "tenants/password_set.html")


class _PasswordForm(WordedPasswords, _SetPasswordForm):
    """Django's, with its validators, in the console's looks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = " ".join(INPUT_CLASSES)


def _holder(user_id: str, token: str) -> User | None:
    """The user whose link it is, while it works: they are active, and so is their tenant."""
    try:
        wanted = UUID(user_id)
    except ValueError:
        return None
    user = (
        User.objects.filter(id=wanted, is_active=True, home_tenant__disabled_at=None)
        .select_related("home_tenant")
        .first()
    )
    return user if user is not None and _tokens.check_token(user, token) else None
