"""Putting the demo data into the database, with a first test of everything, so that the lists tell something."""

import json
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from integrations.demo.data import STAGING, TENANTS, document, names, staff_of
from integrations.demo.provider import Provider
from integrations.demo.samples import ROTATING
from integrations.files.applying import apply
from integrations.files.work import Options
from integrations.models import Connection
from integrations.targets import Name
from integrations.testing import test_connection, test_connections
from tenants.models import Tenant
from tenants.scope import tenant_scope

PASSWORD_BYTES = 12


class OtherPort(Exception):
    """The demo data that are there call the provider on `port`."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port


def load_demo(port: int) -> dict[str, str]:
    """Make the demo tenants, and test all their connections against a provider on that port of 127.0.0.1.

    Returns the passwords of the logins that were made; none when a demo tenant is there already, and nothing is changed
    then. Raises OSError when the port is taken, OtherPort when the data that are there name another one.
    """
    if Tenant.objects.filter(slug__in=TENANTS).exists():
        _refuse_other_port(port)
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


def _refuse_other_port(port: int) -> None:
    for tenant in Tenant.objects.filter(slug__in=TENANTS):
        with tenant_scope(tenant.id):
            samples = Connection.objects.filter(integration__slug=ROTATING)
            for base_url in samples.values_list("base_url", flat=True):
                parts = urlsplit(base_url)
                if parts.hostname == "127.0.0.1" and parts.port not in (None, port):
                    raise OtherPort(parts.port)
