"""Putting the demo data into the database, with a first test of everything, so that the lists tell something."""

import json
import secrets
from pathlib import Path

from integrations.demo.data import STAGING, TENANTS, document, names, staff_of
from integrations.demo.provider import Provider
from integrations.demo.samples import ROTATING
from integrations.files.applying import apply
from integrations.files.work import Options
from integrations.targets import Name
from integrations.testing import test_connection, test_connections
from tenants.models import Tenant

PASSWORD_BYTES = 12


def load_demo(port: int) -> dict[str, str]:
    """Make the demo tenants, and test all their connections against a provider on that port of 127.0.0.1.

    Returns the passwords of the logins that were made; none when a demo tenant is there already, and nothing is changed
    then. Raises OSError when the port is taken.
    """
    if Tenant.objects.filter(slug__in=TENANTS).exists():
        return {}
    passwords = {
        login: secrets.token_urlsafe(PASSWORD_BYTES)
        for tenant in TENANTS
        for login, _ in staff_of(tenant)
    }
    with Provider(port) as provider:
        content = json.dumps(document(provider.base_url, passwords=passwords)).encode()
        apply(content, Options(folder=Path.cwd(), dry_run=False, prune=False, keep_secrets=False))
        for tenant in TENANTS:
            test_connection(Name(tenant, ROTATING, STAGING))
        provider.switches.rotated = True
        test_connections([name for tenant in TENANTS for name in names(tenant)])
    return passwords
