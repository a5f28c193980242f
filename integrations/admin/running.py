"""Tests that people start from pages: POST, outside of any transaction, of what the scope finds and the role allows."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from authconfigs.admin.base import OwnPages
from authconfigs.models import AuthConfig
from integrations.models import Connection, ConnectionTest
from integrations.targets import Name
from integrations.testing import test_config, test_connection, test_connections
from tenants.middleware import tenant_of


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

    def has_test_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, "test")

    @admin.action(description="Test connection", permissions=["test"])
    def test_selected(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        """Test the ticked connections; the list shows what came of it."""
        allowed = [row for row in queryset if self.allows(request, "test", row)]
        _summarize(request, test_connections([name_of(request, row) for row in allowed]))


def name_of(request: HttpRequest, connection: Connection) -> Name:
    """How commands name the connection."""
    tenant = tenant_of(request)
    assert tenant is not None  # noqa: S101 - the middleware leads elsewhere without one
    return Name(
        tenant.slug, connection.integration.slug, connection.environment.slug, connection.name
    )


def _shown(test: ConnectionTest) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:integrations_connectiontest_change", args=[test.id]))


def _summarize(request: HttpRequest, tests: list[ConnectionTest]) -> None:
    failed = sum(not test.ok for test in tests)
    told = f"{len(tests)} tested: {len(tests) - failed} passed, {failed} failed."
    (messages.warning if failed else messages.success)(request, told)
