"""The whole trip over real sockets: away, consent, back, stored, used."""

import pytest
from django.test import Client

from authconfigs.models import OAuthToken, TokenEvent
from integrations.client import connect
from integrations.demo.provider import Provider
from tenants.roles import Role
from tests.authconfigs.authorization.journeys import (
    CONNECTED,
    acme,
    code_config,
    consent,
    deliver,
    leave,
    link_of,
    token_calls,
)
from tests.authconfigs.consoles import browser
from tests.integrations.wired import stored_token

pytestmark = pytest.mark.django_db(transaction=True)


def test_connect_stores_tokens_that_calls_use() -> None:
    with Provider() as provider:
        config = code_config(provider)
        client = browser(acme(), Role.EDITOR)
        assert deliver(client, consent(leave(client, config))) == CONNECTED
        assert token_calls(provider) == 1
        row = stored_token()
        assert row.state == OAuthToken.State.VALID
        assert row.granted_scope == row.requested_scope == "reports orders"
        assert connect("acme", "crm", environment="staging").get("").status_code == 200
