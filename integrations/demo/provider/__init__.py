"""The demo provider: a small real API with an OAuth 2.0 server on loopback, for the demo data and the tests.

    with Provider() as provider:
        headers = {"Authorization": f"Bearer {accounts.BEARER_TOKEN}"}
        requests.get(f"{provider.base_url}/bearer", headers=headers)

`manage.py run_provider` starts it for people; its page `/` explains every endpoint and switch. It knows no Django.
"""

from integrations.demo.provider import accounts
from integrations.demo.provider.messages import Received
from integrations.demo.provider.server import DEFAULT_PORT, Provider
from integrations.demo.provider.switches import ALL_FAILURES, FAILURES, Switches

__all__ = [
    "ALL_FAILURES",
    "DEFAULT_PORT",
    "FAILURES",
    "Provider",
    "Received",
    "Switches",
    "accounts",
]
