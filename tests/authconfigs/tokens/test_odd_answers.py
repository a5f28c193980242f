"""Token answers with every oddity, from the typed config over a real exchange to the stored row: nothing is lost.

Each config begins with a refresh token that was pasted in, made by the form or by a file.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from authconfigs.state import load_named_config
from authconfigs.symptoms import Symptom
from authconfigs.tokens.schedule import LONGEST_LIFETIME
from authconfigs.tokens.sweep import Renewal, renew_now
from integrations.demo.provider import Provider, accounts
from integrations.demo.provider.ledger import Grant
from tenants.models import Tenant
from tests.authconfigs.consoles import browser, url
from tests.factories import make_environment, make_tenant, posted
from tests.integrations.files.applied import apply_tenant
from tests.integrations.wired import change_token, stored_token

pytestmark = pytest.mark.django_db

SCOPE = "orders profile reports"
NESTED = {
    name: f"data.token.{name}"
    for name in ("access_token", "refresh_token", "expires_in", "token_type", "scope")
}


@dataclass(frozen=True)
class Odd:
    """What the endpoint does, what the config says of it, and what the row has afterwards.

    `lifetime` is that of the stored token in seconds, None for no expiry. `rotates`: the answer has another refresh token.
    `symptom`: there is no token, for this reason.
    """

    switch: str
    options: dict[str, Any] = field(default_factory=dict)
    lifetime: float | None = 300
    rotates: bool = True
    scope: str = SCOPE
    token_type: str = "Bearer"
    symptom: Symptom | None = None
    state: str = "valid"


def refused(switch: str, symptom: Symptom, state: str = "retrying", **more: Any) -> Odd:
    return Odd(switch, symptom=symptom, state=state, **more)


ANSWERS = [
    Odd(""),
    Odd("expires_missing", lifetime=None),
    Odd("expires_missing", {"default_lifetime": 1800}, lifetime=1800),
    Odd("expires_null", {"default_lifetime": 1800}, lifetime=1800),
    Odd("expires_null", lifetime=None),
    Odd("expires_string"),
    Odd("expires_float", lifetime=299.5),
    Odd("expires_zero", lifetime=0),
    Odd("expires_negative", lifetime=0),
    Odd("expires_huge", lifetime=LONGEST_LIFETIME.total_seconds()),
    Odd("expires_junk", lifetime=None),
    Odd("expires_junk", {"default_lifetime": 60}, lifetime=60),
    Odd("expires_nan", lifetime=None),
    Odd("expires_bool", lifetime=None),
    Odd("expires_milliseconds", {"expiry_format": "milliseconds"}),
    Odd("expires_iso8601", {"expiry_format": "iso8601"}),
    Odd("expires_epoch", {"expiry_format": "epoch"}),
    Odd("expires_iso8601", lifetime=None),
    Odd("refresh_null", rotates=False),
    Odd("refresh_empty", rotates=False),
    Odd("refresh_absent", rotates=False),
    Odd("scope_narrower", scope="orders profile"),
    Odd("scope_reordered", scope="reports profile orders"),
    Odd("type_missing", token_type=""),
    Odd("type_foreign", token_type="mac"),
    Odd("form_encoded"),
    Odd("form_encoded,expires_junk", {"default_lifetime": 90}, lifetime=90),
    Odd("nested", {"token_response": NESTED}),
    Odd("nested,expires_epoch", {"token_response": NESTED, "expiry_format": "epoch"}),
    refused("nested", Symptom.PROVIDER_ERROR),
    refused("error_in_200", Symptom.TOKEN_ENDPOINT_CONFIG, "stopped"),
    refused("html_500", Symptom.PROVIDER_ERROR),
    refused("html", Symptom.PROVIDER_ERROR),
    refused("array", Symptom.PROVIDER_ERROR),
    refused("empty", Symptom.PROVIDER_ERROR),
    refused("big", Symptom.PROVIDER_ERROR),
    refused("garbled", Symptom.PROVIDER_ERROR),
    refused("429", Symptom.PROVIDER_RATE_LIMITED),
    refused("invalid_scope", Symptom.TOKEN_ENDPOINT_CONFIG, "stopped"),
    refused("invalid_grant", Symptom.REAUTHORIZATION_REQUIRED, "reauthorization_required"),
]
# Where the config says how to read the answer, both ways of saying so are tried; else they take turns.
CASES = [
    (way, odd)
    for index, odd in enumerate(ANSWERS)
    for way in (("form", "file") if odd.options else (("form", "file")[index % 2],))
]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def make(way: str, provider: Provider, *, seed: str, options: dict[str, Any], folder: Path) -> None:
    """The config acme/crm in staging, typed into the form or written into a file."""
    options = {
        "authorization_url": f"{provider.base_url}/authorize",
        "token_url": provider.token_url,
        "client_id": accounts.CLIENT.client_id,
        "scope": SCOPE,
        **options,
    }
    secrets = {"client_secret": accounts.CLIENT.secret, "refresh_token": seed}
    method = "oauth2_authorization_code"
    if way == "file":
        config = {"name": "crm", "environment": "staging", "method": method}
        environments = [{"slug": "staging"}]
        row = {**config, "options": options, "secrets": secrets}
        tenant = {"slug": "acme", "environments": environments, "auth_configs": [row]}
        assert apply_tenant(folder, tenant).code == 0
        return
    environment = make_environment(make_tenant())
    typed = {n: json.dumps(v) if isinstance(v, dict) else v for n, v in options.items()}
    where = {"method": method, "name": "crm", "environment": environment.id}
    data = posted(environment.tenant, **where, **typed, **secrets)
    assert browser(environment.tenant).post(url("add"), data).status_code == 302
    assert Tenant.objects.count() == 1


def ask() -> Renewal:
    return renew_now(load_named_config("acme", "crm", environment="staging"), force=True)


def revealed() -> tuple[str | None, str | None]:
    row = stored_token()
    access, refresh = row.access_token, row.refresh_token
    return (access and access.reveal(), refresh and refresh.reveal())


@pytest.mark.parametrize(
    ("way", "odd"), CASES, ids=[f"{way}-{odd.switch}-{odd.lifetime}" for way, odd in CASES]
)
def test_odd_answer_ends_in_the_right_state_and_loses_nothing(
    provider: Provider, tmp_path: Path, way: str, odd: Odd
) -> None:
    grant = Grant(accounts.CLIENT.client_id, accounts.OAUTH_USERNAME, SCOPE)
    seed = provider.ledger.issue(grant, with_refresh=True)["refresh_token"]
    # An answer that comes to nothing may have rotated the token at the provider, which then takes the one before again.
    provider.switches.refresh = "grace" if odd.symptom else "strict" if odd.rotates else "keep"
    make(way, provider, seed=seed, options=odd.options, folder=tmp_path)
    provider.switches.token = odd.switch

    asked, row = ask(), stored_token()

    assert asked.symptom == odd.symptom
    assert (row.state, row.failure_symptom) == (odd.state, odd.symptom or "")
    assert row.lease_owner is None
    access_token, refresh_token = revealed()
    if odd.symptom:
        assert (access_token, refresh_token) == (None, seed)
    else:
        assert access_token
        assert (refresh_token != seed) is odd.rotates
        assert (row.granted_scope, row.token_type) == (odd.scope, odd.token_type)
        lives = None
        if row.expires_at is not None and row.obtained_at is not None:
            lives = (row.expires_at - row.obtained_at).total_seconds()
        assert lives == (odd.lifetime and pytest.approx(odd.lifetime, abs=5))
        assert (row.refresh_after is None) is (not odd.lifetime)

    # What is stored is what the provider takes: a lost rotation would be a reuse that ends everything.
    provider.switches.token = ""
    change_token(retry_after_until=None)
    again = ask()
    nested = "token_response" in odd.options
    assert again.symptom == (Symptom.PROVIDER_ERROR if nested else None)
    assert provider.count("refresh_reuse") == 0
