"""The preview beside the form: what it shows is what goes out, and it knows no secret."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authconfigs import oauth
from authconfigs.authorization.trips import redirect_uri
from authconfigs.methods import METHODS
from authconfigs.methods.base import AuthMethod
from authconfigs.models import AuthConfig, Credential, OAuthToken
from authconfigs.oauth import OAuthClient
from authconfigs.outgoing import DOTS
from authconfigs.preview import STAND_IN
from authconfigs.saving import current_credential
from authconfigs.tokens.grants import GRANTS
from authconfigs.transport import Deadline
from integrations.calls import Call, perform
from integrations.targets import Name, load_target
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import MISSING, browser, drawn, html, url
from tests.authconfigs.methods.samples import SAMPLES, TOKEN, every_method, secrets_of
from tests.authconfigs.transport.factories import make_door
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
    posted,
)
from tests.servers.raw import ReceivedRequest, serve
from tests.servers.scripts import answer

# What the transport adds to every request that doesn't say it.
ADDED = ("Accept-Encoding", "Connection", "Content-Length", "Host", "User-Agent")


def typed_in(tenant: Tenant, method: AuthMethod, **typed: str) -> dict[str, Any]:
    """What the form of a new config holds once a person has filled it in."""
    sample = SAMPLES[method.code]
    return posted(
        tenant, **{"method": method.code, **sample["options"], **sample["secrets"], **typed}
    )


def preview(client: Client, data: Mapping[str, Any], config: AuthConfig | None = None) -> str:
    address = url("preview", config.id) if config is not None else url("preview_new")
    response = client.post(address, data)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return plain(html(response))


def plain(page: str) -> str:
    for escaped, text in (("&#x27;", "'"), ("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<")):
        page = page.replace(escaped, text)
    return page


def received_text(request: ReceivedRequest, base: str, secrets: Mapping[str, str]) -> str:
    """What came over the wire, without what every request has, dots for the secrets."""
    method, target, _ = request.line.split(" ")
    lines = [f"{method} {base}{target}"]
    lines += [f"{n}: {v.decode()}" for n, v in request.headers if n not in ADDED and v != b"*/*"]
    if request.body:
        lines += ["", request.body.decode().replace("&", "\n&")]
    text = "\n".join(lines)
    for spelled, shown in secrets.items():
        text = text.replace(spelled, shown)
    return text


@every_method
def test_preview_of_an_api_request_is_what_an_api_receives(
    tenant: Tenant, method: AuthMethod
) -> None:
    sample = SAMPLES[method.code]
    environment = make_environment(tenant)
    with serve(answer()) as server:
        config = make_config(
            environment, method=method.code, options=sample["options"], secrets=sample["secrets"]
        )
        make_connection(
            make_integration(tenant, headers={"X-Version": "7"}, query={"team": "a b"}),
            environment,
            config,
            base_url=server.url("/v1"),
            test_method="POST",
            test_path="/status?deep=1",
            test_headers={"X-Test": "yes"},
            test_body="ping",
        )
        if method.uses_token:
            token = OAuthToken.objects.get(config=config)
            token.access_token, token.obtained_at = TOKEN, timezone.now()
            token.state = OAuthToken.State.VALID
            token.save()
        shown = preview(browser(tenant), drawn(config), config)
        target = load_target(Name(tenant.slug, "billing", environment.slug))
        call = Call("POST", "/status?deep=1", headers=(("X-Test", "yes"),), body=b"ping")
        sent = perform(target, call, door=make_door()).sent
        (received,) = server.requests
        base = server.url("")
    fields = {**sample["options"], **sample["secrets"]}
    signed = method.authenticate(sent, {**method_defaults(method), **fields}, TOKEN)
    masked = dict.fromkeys(signed.credentials, DOTS)
    masked |= {quote_plus(credential): DOTS for credential in signed.credentials}
    assert f">{received_text(received, base, masked)}</pre>" in shown


def method_defaults(method: AuthMethod) -> dict[str, Any]:
    return {name: method.option({}, name) for name in method.option_names}


BODIES = ("form", "json")
CLIENT_AUTHS = ("basic", "post", "none")
EXTRA = {
    "token_params": '{"resource": ["https://a.example", "https://b.example"], "n": 5}',
    "secret_token_params": '{"api_key": "planted-param", "more": ["planted-1", "planted-2"]}',
    "token_headers": '{"X-Region": "eu-1"}',
    "scope": "a b",
    "audience": "https://api.example.com",
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("client_auth", CLIENT_AUTHS)
@pytest.mark.parametrize("method", [m for m in METHODS if m.uses_token], ids=lambda m: m.code)
def test_preview_of_a_token_request_is_what_a_token_endpoint_receives(
    tenant: Tenant, method: AuthMethod, client_auth: str, body: str
) -> None:
    more = {**EXTRA, "client_auth": client_auth, "token_body": body}
    with serve(answer(body=b'{"access_token": "fresh"}')) as server:
        typed = {**more, "token_url": server.url("/token?tenant=t1")}
        data = typed_in(tenant, method, **typed)
        shown = preview(browser(tenant), data)
        sample = SAMPLES[method.code]
        form = method.Form({**sample["options"], **sample["secrets"], **typed})
        assert form.is_valid()
        fields = {**form.options, **form.secrets}
        client, door, deadline = OAuthClient.from_fields(fields), make_door(), Deadline.after(5)
        start = GRANTS[method.code].start
        if start is not None:
            start(client, fields, door, deadline)
        else:
            oauth.exchange_code(
                client,
                "planted-code",
                redirect_uri=redirect_uri(),
                verifier="planted-verifier",
                door=door,
                deadline=deadline,
            )
            oauth.refresh(client, "planted-refresh", door=door, deadline=deadline)
        received, base = list(server.requests), server.url("")
    secrets = {"?tenant=t1": f"?{DOTS}"}
    planted = ["planted-param", "planted-1", "planted-2", "planted-code", "planted-verifier"]
    for secret in (*sample["secrets"].values(), *planted, "planted-refresh"):
        secrets |= {json.dumps(secret)[1:-1]: DOTS, quote_plus(secret): DOTS}
    for request in received:
        text = received_text(request, base, secrets)
        authorization = request.header("Authorization")
        if authorization is not None:
            text = text.replace(authorization.decode(), f"Basic {DOTS}")
        assert f">{text}</pre>" in shown
    assert shown.count("<pre") == len(received) + 1


@every_method
def test_typed_secrets_are_never_answered(tenant: Tenant, method: AuthMethod) -> None:
    more = EXTRA if method.uses_token else {}
    shown = preview(browser(tenant), typed_in(tenant, method, **more))
    assert DOTS in shown
    for secret in (*secrets_of(method), "planted-param", "planted-1", STAND_IN):
        assert secret not in shown
        assert quote_plus(secret) not in shown


@every_method
def test_page_has_the_preview_without_scripts(tenant: Tenant, method: AuthMethod) -> None:
    page = plain(html(browser(tenant).get(url("add") + f"?method={method.code}")))
    assert "What goes out" in page
    if method.code == "bearer":
        assert f"GET https://api.example.com\nAuthorization: Bearer {DOTS}" in page
    else:
        assert "Still to fill in:" in page


JUNK = ("", "\x00", "{", "[1]", '{"a": {"b": 1}}', "[" * 5000, "https://", "é" * 3000, "a:b\r\nc")


@every_method
def test_junk_breaks_no_preview(tenant: Tenant, method: AuthMethod) -> None:
    names = (*method.option_names, *method.secret_names, "rotate_by", "name")
    client = browser(tenant)
    sample = SAMPLES[method.code]
    config = make_config(
        make_environment(tenant),
        method=method.code,
        options=sample["options"],
        secrets=sample["secrets"],
    )
    for junk in JUNK:
        typed = dict.fromkeys(names, junk)
        preview(client, posted(tenant, **{**typed, "method": method.code}))
        preview(client, drawn(config, **typed), config)


def test_method_that_there_isnt_is_a_bad_request(tenant: Tenant) -> None:
    client = browser(tenant)
    for code in ("", "nonsense"):
        response = client.post(url("preview_new"), posted(tenant, method=code))
        assert response.status_code == 400


def test_preview_is_for_editors_and_for_their_tenant(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    protected = make_config(make_environment(tenant, "production", protected=True))
    foreign = make_config(make_environment(make_tenant("globex")))
    viewer, operator, editor = (
        browser(tenant, each) for each in (Role.VIEWER, Role.OPERATOR, Role.EDITOR)
    )

    def status(client: Client, *ids: Any) -> int:
        page = "preview" if ids else "preview_new"
        return client.post(url(page, *ids), posted(tenant, method="bearer")).status_code

    assert [status(each, config.id) for each in (viewer, operator, editor)] == [403, 403, 200]
    assert [status(each) for each in (viewer, operator, editor)] == [403, 403, 200]
    assert [status(editor, each) for each in (protected.id, foreign.id, MISSING)] == [403, 404, 404]
    assert Client().post(url("preview_new"), {"method": "bearer"}).status_code == 302
    assert editor.get(url("preview", config.id)).status_code == 302
    other = posted(make_tenant("initech"), method="bearer")
    assert editor.post(url("preview_new"), other).status_code == 409
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = editor.cookies
    assert strict.post(url("preview_new"), posted(tenant, method="bearer")).status_code == 403


def oauth_config(tenant: Tenant, code: str = "oauth2_authorization_code") -> AuthConfig:
    """A config whose access and refresh tokens are stored."""
    sample = SAMPLES[code]
    config = make_config(
        make_environment(tenant),
        method=code,
        options=sample["options"],
        secrets=sample["secrets"],
    )
    token = OAuthToken.objects.get(config=config)
    token.access_token, token.refresh_token = "planted-access", "planted-refresh"
    token.state, token.obtained_at = OAuthToken.State.VALID, timezone.now()
    token.save()
    return config


@pytest.mark.parametrize(
    ("code", "typed", "told"),
    [
        ("oauth2_authorization_code", {"client_id": "other"}, "asks people to connect again"),
        ("oauth2_authorization_code", {"scope": "other"}, ""),
        ("oauth2_authorization_code", {"client_secret": DOTS}, "the next call gets a new access"),
        ("oauth2_client_credentials", {"client_id": "other"}, "drops the stored token"),
        ("oauth2_client_credentials", {"scope": "other"}, "the next call gets a new access token"),
        ("oauth2_client_credentials", {"token_url": "not yet"}, ""),
    ],
)
def test_what_saving_does_to_the_token_is_told(
    tenant: Tenant, code: str, typed: dict[str, str], told: str
) -> None:
    config, client = oauth_config(tenant, code), browser(tenant, Role.EDITOR)
    assert "sync_problem" not in preview(client, drawn(config), config)
    shown = preview(client, drawn(config, **typed), config)
    assert told in shown
    assert ("sync_problem" in shown) is bool(told)
    assert ("If the typed secret is the stored one" in shown) is ("client_secret" in typed)


def test_nothing_is_written_and_nothing_opened_by_a_preview(tenant: Tenant) -> None:
    config = oauth_config(tenant)
    state = {**current_credential(config).secret_state["client_secret"]}
    states = {"client_secret": state, "secret_token_params": {**state, "keys": {"key": state}}}
    with connection.cursor() as cursor:
        table = Credential._meta.db_table
        cursor.execute(f"UPDATE {table} SET secrets = %s", [b"broken"])  # noqa: S608 - our own name
    Credential.objects.update(secret_state=states)
    client = browser(tenant, Role.EDITOR)
    data = drawn(config, secret_token_params=f'{{"key": null, "new": "{DOTS}"}}')
    with CaptureQueriesContext(connection) as captured:
        shown = preview(client, data, config)
    assert "the next call gets a new access token" in shown
    assert f"&key={DOTS}\n&new={DOTS}" in shown
    queries = [each["sql"] for each in captured]
    assert not [sql for sql in queries if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert len(queries) <= 20


def test_weak_choices_are_warned_of_as_they_are_typed(tenant: Tenant) -> None:
    client = browser(tenant)

    def told(code: str, **typed: str) -> str:
        return preview(client, posted(tenant, method=code, **typed))

    assert "ends up in logs" in told("api_key", placement="query")
    assert "ends up in logs" not in told("api_key", placement="header")
    assert "legacy" in told("oauth2_password")
    assert "can be read on the way" in told("oauth2_password", token_url="http://a.example/token")
    assert "until somebody replaces it" in told("bearer")
    assert "until somebody replaces it" not in told("bearer", rotate_by="2030-01-31")
    assert "until somebody replaces it" not in told("oauth2_client_credentials")

    environment = make_environment(tenant)
    config = make_config(environment, method="basic", options={"username": "ann"})
    make_connection(make_integration(tenant), environment, config, base_url="http://api.example")
    for role in (Role.VIEWER, Role.ADMIN):
        page = html(browser(tenant, role).get(url("change", config.id)))
        assert "billing has a base URL that begins with http://" in page


def test_same_secret_in_two_environments_is_told_in_its_tenant_alone(tenant: Tenant) -> None:
    planted = {"token": "planted-same"}
    config = make_config(make_environment(tenant), secrets=planted)
    make_config(config.environment, "beside", secrets=planted)
    globex = make_config(make_environment(make_tenant("globex"), "theirs"), secrets=planted)
    client = browser(tenant, Role.VIEWER)
    assert "is the same as in" not in html(client.get(url("change", config.id)))

    other = make_config(
        make_environment(tenant, "production", protected=True),
        "elsewhere",
        method="api_key",
        options={"key": "X-Key"},
        secrets={"value": "planted-same"},
    )
    page = html(client.get(url("change", config.id)))
    link = f'<a href="{url("change", other.id)}">elsewhere</a> (Production)'
    assert f"The token is the same as in {link}: use one of its own" in page
    assert str(globex.id) not in page
    for number in range(3):
        make_config(other.environment, f"further-{number}", secrets=planted)
    page = html(client.get(url("change", config.id)))
    assert "further-1</a> (Production) and others: use" in page
    admin = browser(tenant, Role.ADMIN)
    assert "is the same as in" in preview(admin, drawn(config), config)
    assert "is the same as in" not in preview(admin, drawn(config, token=DOTS), config)


def test_who_could_guess_a_protected_secret_isnt_told_that_it_is_the_same(tenant: Tenant) -> None:
    planted = {"token": "planted-same"}
    config = make_config(make_environment(tenant), secrets=planted)
    protected = make_environment(tenant, "production", protected=True)
    make_config(protected, "elsewhere", secrets=planted)
    editor = browser(tenant, Role.EDITOR)
    assert "is the same as in" not in html(editor.get(url("change", config.id)))
    assert "is the same as in" not in preview(editor, drawn(config), config)
    make_config(make_environment(tenant, "testing"), "beside", secrets=planted)
    assert "is the same as in" in preview(editor, drawn(config), config)


def test_viewer_sees_the_stored_request_but_no_value_of_extra_parameters(tenant: Tenant) -> None:
    sample = SAMPLES["oauth2_client_credentials"]
    more = {"token_params": {"resource": "shown-to-editors"}, "scope": "orders"}
    config = make_config(
        make_environment(tenant),
        method="oauth2_client_credentials",
        options={**sample["options"], **more},
        secrets={**sample["secrets"], "secret_token_params": {"api_key": ["planted-1", "p-2"]}},
    )
    page = html(browser(tenant, Role.VIEWER).get(url("change", config.id)))
    assert "scope=orders" in page
    assert f"resource={DOTS}" in page
    assert page.count(f"api_key={DOTS}") == 2
    assert "shown-to-editors" not in page
    assert "resource=shown-to-editors" in html(browser(tenant).get(url("change", config.id)))


def test_secret_of_another_method_isnt_called_stored(tenant: Tenant) -> None:
    config = oauth_config(tenant, "oauth2_client_credentials")
    page = html(browser(tenant).get(url("change", config.id) + "?method=oauth2_password"))
    assert "Leave it blank to keep it" not in page
