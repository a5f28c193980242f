"""No planted secret is left anywhere, whatever is done with it and however loud the logs are."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from authconfigs import methods
from authconfigs.methods.pairs import Pairs
from authconfigs.models import AuthConfig
from integrations import testing
from integrations.client import CallFailed, connect
from integrations.demo.provider import Provider
from integrations.models import Connection
from integrations.targets import Name
from tenants.models import Tenant, User
from tenants.scope import tenant_scope, unscoped
from tenants.site import site
from tests.factories import log_in, make_tenant, make_user, posted
from tests.flows.canaries import Evidence, canary
from tests.flows.dumps import stored
from tests.flows.noise import listening
from tests.flows.planted_tenant import (
    BEARER,
    ENVIRONMENT,
    SENT,
    STAFF,
    WRONG,
    Case,
    cases,
    document,
    planted_provider,
    secrets_of,
)
from tests.integrations.files.applied import run
from tests.processes import database_url
from tests.tenants.crawler import routes

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
CRASHED = "authconfigs_credential"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with planted_provider(monkeypatch) as running:
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def evidence(provider: Provider, settings: Any) -> Iterator[Evidence]:
    """What the test adds, all logs of this process, what is stored at the end, and mails. None of it may hold a secret."""
    settings.TEST_RATE_PER_MINUTE = 10_000
    found = Evidence()
    with listening() as heard:
        yield found
    found.add("the logs", "\n".join(heard.lines))
    found.add_all(stored())
    for message in mail.outbox:
        found.add("a mail", f"{message.subject}\n{message.body}\n{message.message()}")
    assert found.leaks(secrets_of(provider)) == []


def commands(provider: Provider, *lists: list[str]) -> subprocess.CompletedProcess[str]:
    """Run commands in a process of their own, where every logger is turned up."""
    return subprocess.run(
        [sys.executable, "-m", "tests.flows.loud_commands"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "LOG_LEVEL": "DEBUG",
            "TEST_RATE_PER_MINUTE": "10000",
        },
        input=json.dumps(lists),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )


def described(provider: Provider, folder: Path) -> str:
    file = folder / "acme.json"
    file.write_text(json.dumps(document(provider)))
    return str(file)


def applied(provider: Provider, folder: Path, evidence: Evidence) -> None:
    done = run("apply", described(provider, folder))
    assert done.code == 0, done.stderr
    evidence.add("apply", done.stdout + done.stderr)


def names_of(case: Case) -> dict[str, int]:
    return {f"acme/{case.slug}:{name}": code for name, code in case.exits.items()}


def every_name(provider: Provider) -> dict[str, int]:
    """The connections, and how their tests end."""
    return {name: code for case in cases(provider) for name, code in names_of(case).items()}


def try_all(provider: Provider) -> None:
    """Test every connection."""
    for name, code in every_name(provider).items():
        integration, _, own = name.removeprefix("acme/").partition(":")
        test = testing.test_connection(Name("acme", integration, "staging", own))
        assert test.ok is (code == 0), f"{name}: {test.summary}"


def test_commands_leave_no_secret(provider: Provider, evidence: Evidence, tmp_path: Path) -> None:
    file, here = described(provider, tmp_path), ["--environment", "staging"]
    query = f"/x?code={SENT[:16]}&api_key={SENT[-16:]}"
    ran = commands(
        provider,
        ["apply", file],
        ["apply", file, "--json"],
        *(["test_connection", name, *here, "--json"] for name in every_name(provider)),
        ["test_connection", "acme/wrong-client:echo", *here],
        ["test_connection", "acme/person:refused", *here],
        *(["call", f"acme/{case.slug}", *here] for case in cases(provider)),
        ["call", "acme/client", *here, "POST", query, "-d", SENT, "-H", f"X-Sent: {SENT}", "--json"],
        ["call", "acme/wrong-client:echo", *here, "GET", query, "--json"],
        ["call", "acme/consent", *here, query],
        ["simulate_expiry", "acme/client", *here],
        ["call", "acme/client", *here],
        ["refresh_tokens", "--force", "--due-within", "9999", "--json"],
        ["refresh_tokens", "--config", "acme/wrong-person", *here, "--force"],
        ["export"],
        ["check_secrets", "--json"],
        ["rotate_encryption_keys", "--data-keys", "--json"],
        ["check_secrets"],
        ["call", "acme/person", *here],
    )  # fmt: skip
    exits = [line for line in ran.stdout.splitlines() if line.startswith("exit ")]
    for name, code in every_name(provider).items():
        assert f"exit {code}: test_connection {name}" in exits, name
    for right in ("bearer", "header-key", "basic", "client", "client-post", "person"):
        assert f"exit 0: call acme/{right}" in exits, right
    assert not [line for line in exits if line.split()[1] not in {"0:", "1:"}]
    assert exits[-6:] == [
        "exit 1: refresh_tokens --config",
        "exit 0: export",
        "exit 0: check_secrets --json",
        "exit 0: rotate_encryption_keys --data-keys",
        "exit 0: check_secrets",
        "exit 0: call acme/person",
    ]
    for loud in ("__main__", "urllib3.connectionpool"):
        assert f" DEBUG {loud}" in ran.stderr
    evidence.add("stdout of the commands", ran.stdout)
    evidence.add("stderr and logs of the commands", ran.stderr)


def test_what_an_api_reflects_reaches_the_caller_and_nobody_else(
    provider: Provider, evidence: Evidence, tmp_path: Path
) -> None:
    applied(provider, tmp_path, evidence)
    ran = run("call", "acme/bearer:echo", "--environment", "staging", "--json")
    echoed = Evidence([("stdout", ran.stdout.encode())])
    assert echoed.leaks([BEARER]) != []
    evidence.add("stderr of call", ran.stderr)

    for case in cases(provider):
        for name in case.exits:
            client = connect("acme", case.slug, environment="staging", connection=name)
            try:
                answer = client.post("", params={"token": SENT}, json={"sent": SENT})
            except CallFailed as failed:
                evidence.add(f"the failure of {case.slug}", f"{failed!r} {failed} {failed.checks}")
            else:
                assert answer.status_code in {200, 401, 500}
                evidence.add("repr of a client and its answer", f"{client!r} {answer!r}")


def test_refused_files_leave_no_secret(
    provider: Provider, evidence: Evidence, tmp_path: Path
) -> None:
    whole = document(provider)
    config = whole["tenants"][0]["auth_configs"][0]
    lines = {
        "half a line": f'tenants: [{{slug: acme, name: "{SENT}',
        "a tab": f"tenants:\n\t- {SENT}: x",
        "twice": f'{{"{SENT}": 1, "tenants": [], "tenants": []}}',
        "twice in YAML": f"secret: {SENT}\nsecret: {SENT}\n",
        "an anchor": f"tenants: *{SENT[:16]}",
        "a tag": f"tenants: !!python/object {SENT[:16]}",
        "a number": f"version: {SENT[:16]}",
    }
    wrong: dict[str, dict[str, Any]] = {
        "a line break": {"secrets": {"token": f"{SENT}\n{SENT}"}},
        "a list": {"secrets": {"token": [SENT]}},
        "one too many": {"secrets": {"token": SENT, "password": SENT}},
        "in the place of all": {"secrets": SENT},
        "in the options": {"options": {"header": SENT, "prefix": f"{SENT}\n"}},
        "in a variable": {"secrets": {"token": "${env:MISSING_ONE}", "value": SENT}},
        "a file": {"secrets": {"token": "${file:missing}", "value": SENT}},
    }
    for name, changes in wrong.items():
        changed = {
            **whole["tenants"][0],
            "auth_configs": [{**config, **changes}],
            "integrations": [],
        }
        lines[name] = json.dumps({"tenants": [changed]})
    for number, text in enumerate(lines.values()):
        (tmp_path / str(number)).write_text(text)
    ran = commands(
        provider, *(["apply", str(tmp_path / str(n)), "--json"] for n in range(len(lines)))
    )
    exits = [line for line in ran.stdout.splitlines() if line.startswith("exit ")]
    assert [line.split()[1] for line in exits] == ["2:"] * len(lines)
    evidence.add("stdout of the refused files", ran.stdout)
    evidence.add("stderr and logs of the refused files", ran.stderr)
    assert not Tenant.objects.exists()


@pytest.mark.walk
def test_pages_leave_no_secret_to_anybody(
    provider: Provider, evidence: Evidence, tmp_path: Path
) -> None:
    applied(provider, tmp_path, evidence)
    try_all(provider)
    acme = Tenant.objects.get(slug="acme")
    people = [*User.objects.filter(username__startswith="acme-"), make_user("root", superuser=True)]
    addresses = list(every_address(acme))
    assert len(addresses) > 100
    for person in people:
        client = Client()
        log_in(client, person, tenant=acme)
        asked = addresses if person.username == "acme-editor" else addresses[::6]
        seen = 0
        for address in asked:
            answer = client.get(address)
            assert answer.status_code < 500, address
            seen += answer.status_code == 200
            keep(evidence, answer, f"{address} as {person.username}")
        assert seen > 10, person.username


def every_address(tenant: Tenant) -> Iterator[str]:
    """Every page of the console, with the id of every row of the tenant that it may be about."""
    ids: dict[str, list[str]] = {}
    with unscoped("a test asks for all rows"):
        for model in site._registry:
            rows = [
                str(pk) for pk in model._base_manager.order_by("pk").values_list("pk", flat=True)
            ]
            ids[f"/{model._meta.app_label}/{model._meta.model_name}/"] = rows
    for route in routes():
        if "<" not in route:
            yield route
        for start, rows in ids.items():
            if "<object_id>" in route and start in route:
                # What differs from row to row is on its own page.
                some = rows[:25] if route.endswith("/change/") else rows[:1]
                yield from (route.replace("<object_id>", row) for row in some)


def keep(evidence: Evidence, answer: Any, place: str) -> None:
    """Take an answer, its headers and cookies, and the messages that come with it, as evidence."""
    told = " ".join(map(str, get_messages(answer.wsgi_request)))
    evidence.add(place, answer.content)
    evidence.add(f"headers of {place}", f"{dict(answer.headers)} {answer.cookies} {told}")


def browser(tenant: Tenant, username: str = "acme-editor") -> Client:
    client = Client(raise_request_exception=False)
    log_in(client, User.objects.get(username=username), tenant=tenant)
    return client


def typed(method: str, secret: str, **more: str) -> dict[str, str]:
    """What somebody types into the form of a method; every secret is the same."""
    form = methods.by_code(method).Form()
    options = {
        "key": "X-API-Key",
        "username": "demo",
        "token_url": "http://127.0.0.1:1/token",
        "authorization_url": "http://127.0.0.1:1/authorize",
        "client_id": "demo-client",
    }
    defaults = {name: str(field.initial or "") for name, field in form.fields.items()}
    known = {name: value for name, value in options.items() if name in defaults}
    secrets = {
        name: json.dumps({"api_key": secret}) if isinstance(form.fields[name], Pairs) else secret
        for name in methods.by_code(method).secret_names
    }
    return {
        **defaults,
        **known,
        **secrets,
        "method": method,
        "name": method.replace("_", "-"),
        **more,
    }


@pytest.mark.parametrize("method", [method.code for method in methods.METHODS])
def test_forms_never_draw_what_was_typed_into_a_secret(
    provider: Provider, evidence: Evidence, tmp_path: Path, method: str
) -> None:
    applied(provider, tmp_path, evidence)
    acme, other = Tenant.objects.get(slug="acme"), make_tenant("other")
    client, add = browser(acme), reverse("admin:authconfigs_authconfig_add")
    with tenant_scope(acme.id):
        config = AuthConfig.objects.filter(method=method).first()
    assert config is not None
    environment = str(config.environment_id)
    change = reverse("admin:authconfigs_authconfig_change", args=[config.id])
    bad = typed(method, WRONG, name="Not a slug", environment=environment)
    worse = typed(method, f"{WRONG}\n{WRONG}", environment=environment)
    good = typed(method, WRONG, environment=environment)

    answers = {
        "a bad name": client.post(add, posted(acme, **bad)),
        "a bad name of a stored one": client.post(change, posted(acme, **{**bad, "revision": "1"})),
        "a line break in the secret": client.post(add, posted(acme, **worse)),
        "another tenant": client.post(add, posted(other, **good)),
        "a secret in a wrong place": client.post(f"{add}?method={method}", posted(acme, **{**bad, "environment": "x"})),
        "an old revision": client.post(change, posted(acme, **{**good, "revision": "77"})),
    }  # fmt: skip
    for place, answer in answers.items():
        assert answer.status_code in {200, 403, 409}, place
        keep(evidence, answer, place)
    saved = client.post(add, posted(acme, **good), follow=True)
    assert "is saved" in saved.content.decode()
    keep(evidence, saved, "a saved form")
    keep(evidence, client.get(change), "the form afterwards")


@pytest.mark.parametrize("debug", [False, True])
def test_a_page_that_crashes_tells_no_secret(
    provider: Provider, evidence: Evidence, tmp_path: Path, settings: Any, *, debug: bool
) -> None:
    applied(provider, tmp_path, evidence)
    settings.DEBUG, settings.ADMINS = debug, [("Ops", "ops@mail.example")]
    acme = Tenant.objects.get(slug="acme")
    client, add = browser(acme), reverse("admin:authconfigs_authconfig_add")
    with tenant_scope(acme.id):
        config = AuthConfig.objects.get(name="client")
    form = typed("oauth2_password", WRONG, environment=str(config.environment_id))
    with BrokenTable(CRASHED):
        crashed = client.post(add, posted(acme, **form))
    assert crashed.status_code == 500
    keep(evidence, crashed, "the error page")
    assert CRASHED in str(mail.outbox[0].body)


class BrokenTable:
    """While it is open, whatever needs the table crashes."""

    def __init__(self, table: str) -> None:
        self._table = connection.ops.quote_name(table)

    def __enter__(self) -> None:
        self._run(f"ALTER TABLE {self._table} RENAME TO out_of_reach")

    def __exit__(self, *exception: object) -> None:
        self._run(f"ALTER TABLE out_of_reach RENAME TO {self._table}")

    def _run(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.walk
def test_buttons_of_pages_leave_no_secret(
    provider: Provider, evidence: Evidence, tmp_path: Path
) -> None:
    applied(provider, tmp_path, evidence)
    acme = Tenant.objects.get(slug="acme")
    client = browser(acme, "acme-editor")
    with tenant_scope(acme.id):
        connections = [str(row.id) for row in Connection.objects.all()]
        configs = [str(row.id) for row in AuthConfig.objects.all()]
    listed = reverse("admin:integrations_connection_changelist")
    ticked = {"action": "test_selected", "_selected_action": connections}
    pressed = [(listed, ticked)]
    for name in ("authconfig_refresh", "authconfig_expire", "authconfig_switch"):
        pressed += [(reverse(f"admin:authconfigs_{name}", args=[config]), {}) for config in configs]
    pressed += [(reverse("admin:integrations_config_test", args=[id_]), {}) for id_ in configs]
    pressed += [
        (reverse("admin:integrations_connection_test", args=[id_]), {}) for id_ in connections[:6]
    ]
    for address, data in pressed:
        answer = client.post(address, posted(acme, **data), follow=True)
        assert answer.status_code in {200, 403}, address
        keep(evidence, answer, address)


def test_logging_in_right_and_wrong_leaves_no_password(
    provider: Provider, evidence: Evidence, tmp_path: Path
) -> None:
    applied(provider, tmp_path, evidence)
    client, login = Client(), reverse("admin:login")
    for password in (WRONG, SENT, STAFF):
        answer = client.post(login, {"username": "acme-editor", "password": password})
        keep(evidence, answer, f"the login, {answer.status_code}")
    assert answer.status_code == 302


def test_the_search_finds_what_is_planted(provider: Provider, tmp_path: Path) -> None:
    secret = canary("found", "&é")
    for content in (
        secret.encode(),
        quote(secret).encode(),
        base64.b64encode(f"user:{secret}".encode()),
        json.dumps({"x": secret}).encode(),
        secret.encode().hex().encode(),
    ):
        assert Evidence([("a place", content)]).leaks([secret]) != []
    assert Evidence([("a place", secret[1:15].encode())]).leaks([secret]) == []
