"""The buttons of a config's page, pressed where there is nothing to press."""

import pytest
from django.test import Client
from django.urls import reverse

from tenants.models import AuditEvent
from tenants.scope import tenant_scope
from tests.factories import (
    log_in,
    make_config,
    make_environment,
    make_member,
    make_tenant,
    posted,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("button", ["refresh", "expire"])
def test_config_without_a_token_is_told_so_and_nothing_is_recorded(
    client: Client, button: str
) -> None:
    acme = make_tenant()
    config = make_config(make_environment(acme))
    log_in(client, make_member(acme), tenant=acme)
    url = reverse(f"admin:authconfigs_authconfig_{button}", args=[config.pk])
    page = client.post(url, posted(acme), follow=True)
    assert "This method has no token" in page.content.decode()
    with tenant_scope(acme.id):
        actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert not actions & {"refresh", "simulate_expiry"}
