"""Logins, failed logins and logouts in the audit trail."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.contrib.auth import signals
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from tenants.actor import Actor, acting_as
from tenants.audit import record
from tenants.models import User


def connect() -> None:
    """Listen to Django's signals."""
    signals.user_logged_in.connect(_logged_in)
    signals.user_logged_out.connect(_logged_out)
    signals.user_login_failed.connect(_login_failed)


def web_actor(user: Any, request: HttpRequest | None) -> Actor:
    """Who acts in a request: the person, or whoever isn't logged in."""
    address = source_address(request)
    if user is None or not user.is_authenticated:
        return Actor(user_id=None, name="anonymous", address=address, via="web")
    return Actor(user_id=user.pk, name=user.get_username(), address=address, via="web")


def source_address(request: HttpRequest | None) -> str | None:
    """Where a request came from; None over a socket without addresses. What a client claims in headers isn't asked."""
    try:
        return str(ip_address(request.META["REMOTE_ADDR"])) if request is not None else None
    except (KeyError, ValueError):
        return None


def counted_as(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The name that failed logins are counted under: axes keeps it, and what nobody is called may be a password."""
    typed = str((credentials or request.POST).get("username", ""))
    user = _named(typed)
    return user.username if user is not None else salted_hmac(__name__, typed).hexdigest()


def _named(typed: str) -> User | None:
    # What was typed may be a password in the wrong field: only a login that exists is named.
    return User.objects.filter(username=typed[:150]).first()


def _logged_in(request: HttpRequest, user: User, **signal: Any) -> None:
    with acting_as(web_actor(user, request)):
        record("login", user, tenant_id=user.home_tenant_id)


def _logged_out(request: HttpRequest, user: User | None, **signal: Any) -> None:
    if user is not None:
        with acting_as(web_actor(user, request)):
            record("logout", user, tenant_id=user.home_tenant_id)


def _login_failed(
    credentials: Mapping[str, Any], request: HttpRequest | None = None, **signal: Any
) -> None:
    user = _named(str(credentials.get("username", "")))
    home: UUID | None = user.home_tenant_id if user is not None else None
    with acting_as(web_actor(None, request)):
        record("login", user, outcome="failed", tenant_id=home)
