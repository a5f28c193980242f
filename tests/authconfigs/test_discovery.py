"""The view behind “Fill in from the provider”: who may ask, what comes back, and that nothing is saved by it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from authconfigs import methods
from authconfigs.admin.discovery import PER_MINUTE, found
from authconfigs.models import AuthConfig
from authconfigs.oauth.discovery import Metadata
from integrations.demo.provider import Provider
from tenants.models import AuditEvent, Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import browser, html, post_config, url
from tests.factories import make_config, make_environment, make_tenant, posted

CODE = "oauth2_authorization_code"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def ask(client: Client, tenant: Tenant, issuer: str, **typed: str) -> Any:
    data = posted(tenant, **{"method": CODE, "client_auth": "basic", "issuer": issuer, **typed})
    return client.post(url("discover"), data)


def metadata(**said: Any) -> Metadata:
    values: dict[str, Any] = {
        "issuer": "https://auth.example",
        "token_url": "https://auth.example/token",
        "authorization_url": "https://auth.example/authorize",
        "revocation_url": "",
        "grant_types": (),
        "client_auth_methods": (),
        "scopes": (),
        "code_challenge_methods": (),
        "iss_supported": False,
        "unusable": (),
    }
    return Metadata(**{**values, **said})


def test_answer_has_what_the_form_can_take_over(tenant: Tenant, provider: Provider) -> None:
    client, base = browser(tenant, Role.EDITOR), provider.base_url
    before = AuditEvent.objects.count()
    answer = ask(client, tenant, base, client_auth="post")
    assert answer.json() == {
        "ok": True,
        "issuer": base,
        "fields": {
            "token_url": f"{base}/token",
            "authorization_url": f"{base}/authorize",
            "revocation_url": f"{base}/revoke",
            "issuer": base,
            "client_auth": "post",
        },
        "scopes": ["profile", "reports", "orders"],
        "facts": [
            ["Listed grants", "client_credentials, password, authorization_code, refresh_token"],
            [
                "Listed client authentication",
                "client_secret_basic, client_secret_post, none",
            ],
            ["Listed PKCE methods", "S256"],
        ],
        "warnings": [],
    }
    assert "no-store" in answer.headers["Cache-Control"]
    own = ask(client, tenant, base, method="oauth2_client_credentials").json()["fields"]
    assert own == {"token_url": f"{base}/token", "client_auth": "basic"}
    assert AuditEvent.objects.count() == before
    assert not AuthConfig.objects.exists()


def test_failures_have_a_symptom_and_a_sentence(
    tenant: Tenant, provider: Provider, settings: Any
) -> None:
    client = browser(tenant)
    provider.switches.metadata_issuer = "https://elsewhere.example"
    answer = ask(client, tenant, provider.base_url).json()
    assert answer.keys() == {"ok", "symptom", "summary"}
    assert (answer["ok"], answer["symptom"]) == (False, "provider_error")
    assert "https://elsewhere.example" in answer["summary"]
    assert ask(client, tenant, "").json()["symptom"] == "config_invalid"
    settings.OUTBOUND_ALLOW_NETWORKS = []
    assert ask(client, tenant, provider.base_url).json()["symptom"] == "blocked_by_policy"


def test_spelling_of_the_provider_is_taken_and_said(tenant: Tenant, provider: Provider) -> None:
    client, base = browser(tenant), provider.base_url
    answer = ask(client, tenant, f" {base}/ ").json()
    assert answer["fields"]["issuer"] == base
    assert answer["facts"][0] == ["The provider spells itself", base]
    pasted = f"{base}/.well-known/openid-configuration"
    for typed in (base, pasted):
        facts = ask(client, tenant, typed).json()["facts"]
        assert "The provider spells itself" not in dict(facts)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_not_write_configs_may_not_ask(
    tenant: Tenant, provider: Provider, role: Role
) -> None:
    client = browser(tenant, role)
    assert ask(client, tenant, provider.base_url).status_code == 403
    refusal = AuditEvent.objects.get(action="refused")
    assert (refusal.object_name, refusal.outcome) == (
        "admin:authconfigs_authconfig_discover",
        "403",
    )
    assert not provider.requests


def test_form_of_another_tenant_strangers_and_other_methods_are_refused(
    tenant: Tenant, provider: Provider
) -> None:
    globex = make_tenant("globex")
    client = browser(tenant)
    assert ask(client, globex, provider.base_url).status_code == 409
    assert ask(Client(), tenant, provider.base_url).status_code == 302
    assert client.get(url("discover"))["Location"] == "../"
    for method in ("bearer", "no-such-method"):
        assert ask(client, tenant, provider.base_url, method=method).status_code == 400
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert ask(strict, tenant, provider.base_url).status_code == 403
    assert not provider.requests


def test_limit_is_per_tenant(tenant: Tenant, provider: Provider) -> None:
    client = browser(tenant)
    statuses = [ask(client, tenant, "no-issuer").status_code for _ in range(PER_MINUTE)]
    assert set(statuses) == {200}
    refused = ask(client, tenant, provider.base_url)
    assert (refused.status_code, refused.json()["symptom"]) == (429, "too_many_tests")
    assert not provider.requests
    globex = make_tenant("globex")
    with tenant_scope(globex.id):
        other = browser(globex)
    assert ask(other, globex, provider.base_url).json()["ok"]


def test_new_origin_that_was_found_asks_for_the_secret(tenant: Tenant, provider: Provider) -> None:
    config = make_config(
        make_environment(tenant),
        method="oauth2_client_credentials",
        options={"token_url": "https://old.example/token", "client_id": "console"},
        secrets={"client_secret": "planted-secret"},
    )
    client = browser(tenant)
    fields = ask(client, tenant, provider.base_url, method=config.method).json()["fields"]

    page = html(post_config(client, config, **fields))
    assert "Nothing is saved yet" in page
    assert "planted-secret" not in page
    origins = set(config.allowed_origins.values_list("origin", flat=True))
    assert origins == {"https://old.example"}

    assert post_config(client, config, **fields, client_secret="planted-secret").status_code == 302
    assert provider.base_url in config.allowed_origins.values_list("origin", flat=True)


def test_box_stands_in_the_forms_of_oauth_methods_alone(tenant: Tenant) -> None:
    make_environment(tenant)
    client = browser(tenant)
    drawn = {
        method.code: 'id="discovery"' in html(client.get(f"{url('add')}?method={method.code}"))
        for method in methods.METHODS
    }
    assert drawn == {method.code: method.uses_token for method in methods.METHODS}


@pytest.mark.parametrize(
    ("listed", "chosen", "offered"),
    [
        ((), "post", "post"),
        (("client_secret_post", "client_secret_basic"), "post", "post"),
        (("client_secret_post", "client_secret_basic"), "none", "basic"),
        (("none", "client_secret_post"), "basic", "post"),
        (("none",), "basic", "none"),
        (("private_key_jwt",), "basic", "basic"),
    ],
)
def test_client_authentication_stays_where_it_is_supported(
    listed: tuple[str, ...], chosen: str, offered: str
) -> None:
    said = metadata(client_auth_methods=listed)
    fields = found(said, methods.by_code(CODE), client_auth=chosen, typed="")["fields"]
    assert fields["client_auth"] == offered


@pytest.mark.parametrize(
    ("said", "method", "warning"),
    [
        ({"token_url": ""}, "oauth2_password", "No token URL was found"),
        ({"authorization_url": ""}, CODE, "No authorization URL was found"),
        ({"authorization_url": ""}, "oauth2_password", ""),
        ({"grant_types": ("authorization_code",)}, CODE, ""),
        ({"grant_types": ("authorization_code",)}, "oauth2_client_credentials", "The grant of"),
        ({"code_challenge_methods": ("plain",)}, CODE, "PKCE with S256"),
        ({"code_challenge_methods": ("plain",)}, "oauth2_password", ""),
        ({"client_auth_methods": ("private_key_jwt",)}, CODE, "none of the ways"),
        ({"unusable": ("scopes_supported",)}, CODE, "scopes_supported"),
    ],
)
def test_what_doesnt_fit_the_method_is_a_warning(
    said: dict[str, Any], method: str, warning: str
) -> None:
    method_asked = methods.by_code(method)
    offered = found(metadata(**said), method_asked, client_auth="basic", typed="")
    warnings = offered["warnings"]
    assert len(warnings) == bool(warning)
    assert warning in "".join(warnings)
