"""Tests that people start from pages: POST, outside of any transaction, of what the scope finds and the role allows."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from authconfigs.admin.base import OwnPages
from authconfigs.models import AuthConfig
from integrations.bulk_tests import NotBegun, begin
from integrations.models import Connection, ConnectionTest
from integrations.targets import Name
from integrations.testing import test_config, test_connection
from tenants.middleware import tenant_of

# Of what a list shows so many are tested at once, as far as lists count.
MOST = 1000
# How many names a message tells.
SHOWN = 5


class RunsTests(OwnPages):
    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Test a connection, and show the result."""
        connection = self.found(request, object_id, verb="test")
        return _shown(test_connection(name_of(request, connection)))

    @method_decorator(require_POST)
    def test_config_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Test an auth config with every connection that uses it, or its token endpoint alone."""
        config = self.admin_site.get_model_admin(AuthConfig).found(request, object_id, verb="test")
        tests = test_config(config.id)
        if len(tests) == 1:
            return _shown(tests[0])
        if tests:
            _summarize(request, tests)
        else:
            messages.info(request, "Nothing to test yet: attach it to an integration first.")
        return HttpResponseRedirect(
            reverse("admin:authconfigs_authconfig_change", args=[config.id])
        )

    def test_users_of(
        self, request: HttpRequest, configs: Sequence[AuthConfig]
    ) -> HttpResponse | None:
        """Test the connections of these configs, as far as the user may; configs without any are named."""
        rows = self.get_queryset(request).filter(auth_config__in=configs)[:MOST]
        allowed = [row for row in rows if self.allows(request, "test", row)]
        users = {row.auth_config_id for row in allowed}
        alone = [config.name for config in configs if config.id not in users]
        if alone:
            shown = ", ".join(alone[:SHOWN]) + (" and more" if len(alone) > SHOWN else "")
            messages.info(
                request,
                f"Nothing to test here: {shown}. No connection uses it; a token endpoint alone is tested on the config's page.",
            )
        return self._test(request, allowed) if allowed else None

    def has_test_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, "test")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"may_test": self.has_test_permission(request)}
        return super().changelist_view(request, {**may, **(extra_context or {})})

    @admin.action(description="Test connection", permissions=["test"])
    def test_selected(
        self, request: HttpRequest, queryset: QuerySet[Connection]
    ) -> HttpResponse | None:
        """Test the ticked connections: one at once, several in the background."""
        return self._test(request, [row for row in queryset if self.allows(request, "test", row)])

    def _test(self, request: HttpRequest, allowed: list[Connection]) -> HttpResponse | None:
        if len(allowed) == 1:
            return _shown(test_connection(name_of(request, allowed[0])))
        return _begun(request, allowed)

    @method_decorator(require_POST)
    def test_all_view(self, request: HttpRequest) -> HttpResponse:
        """Test in the background whatever the list shows with these filters, on all of its pages."""
        if not self.has_test_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)[:MOST]
        allowed = [row for row in rows if self.allows(request, "test", row)]
        return _begun(request, allowed) or HttpResponseRedirect(
            reverse("admin:integrations_connection_changelist")
        )


def name_of(request: HttpRequest, connection: Connection) -> Name:
    """How commands name the connection."""
    tenant = tenant_of(request)
    assert tenant is not None  # noqa: S101 - the middleware leads elsewhere without one
    return Name(
        tenant.slug, connection.integration.slug, connection.environment.slug, connection.name
    )


def _shown(test: ConnectionTest) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:integrations_connectiontest_change", args=[test.id]))


def _begun(request: HttpRequest, connections: list[Connection]) -> HttpResponse | None:
    """Begin a bulk test and lead to its page; None where there is nothing to test, or it can't be begun, and it is said so."""
    if not connections:
        messages.info(
            request,
            "Nothing to test: there is no connection here that you may test. Add one, or change the filter.",
        )
        return None
    places = list(dict.fromkeys(row.environment.name for row in connections))
    number = f"{len(connections)} connections" if len(connections) > 1 else "1 connection"
    try:
        bulk = begin(connections, title=f"{number} in {', '.join(places)}")
    except NotBegun as why:
        messages.error(request, str(why))
        return None
    return HttpResponseRedirect(reverse("admin:integrations_bulktest_change", args=[bulk.id]))


def _summarize(request: HttpRequest, tests: list[ConnectionTest]) -> None:
    failed = sum(not test.ok for test in tests)
    told = f"{len(tests)} tested: {len(tests) - failed} passed, {failed} failed."
    (messages.warning if failed else messages.success)(request, told)
