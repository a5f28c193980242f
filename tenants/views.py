"""Switching the tenant."""

from typing import cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from tenants import sessions
from tenants.audit import record
from tenants.landing import landing
from tenants.models import User


@require_POST
@login_required
def switch_tenant(request: HttpRequest) -> HttpResponse:
    """Work in the posted tenant from now on, on the page that comes closest to the posted one; posted empty, in none.
    One that isn't the user's gets the same answer as one that doesn't exist."""
    user = cast(User, request.user)
    wanted = request.POST.get("tenant", "")
    if not wanted:
        sessions.leave(request.session)
        return redirect("admin:index")
    try:
        tenant = sessions.tenants_of(user).filter(id=UUID(wanted)).first()
    except ValueError:
        tenant = None
    if tenant is None:
        raise PermissionDenied
    sessions.enter(request.session, tenant)
    record("enter", tenant)
    return redirect(landing(request, request.POST.get("page", ""), tenant))
