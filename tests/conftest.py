from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase

from tests import environment

if TYPE_CHECKING:
    from tenants.models import Tenant


def pytest_configure(config: pytest.Config) -> None:
    # A busy machine is no failure.
    hypothesis.settings.register_profile(
        "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("tests")
    # Slow hashes are for attackers.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # A thread of its own would write into the database of whichever test runs then.
    settings.USAGE_FLUSH_SECONDS = None
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        # A file, as in production: an in-memory database is shared between threads by other rules.
        database.setdefault("TEST", {})["NAME"] = str(
            Path(environment.FOLDER.name) / "test.sqlite3"
        )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's; PostgreSQL drops no database that a thread of some test still has a connection to."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def tenant(db: None) -> "Iterator[Tenant]":
    """The tenant acme, whose scope is open during the test."""
    from tenants.scope import tenant_scope
    from tests.factories import make_tenant

    acme = make_tenant("acme")
    with tenant_scope(acme.id):
        yield acme


@pytest.fixture(autouse=True, scope="session")
def _transactional_tests_may_empty_the_audit_trail() -> Iterator[None]:
    """Django empties all tables after a transactional test; it then runs post_migrate, which installs the triggers again."""
    from tenants import audit_triggers

    empty = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def without_triggers(case: TransactionTestCase) -> None:
        audit_triggers.remove()
        empty(case)

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", without_triggers)
    yield
    patch.undo()
