"""`call`: the document, the exit codes and what goes where."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from authconfigs.symptoms import Symptom
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.integrations.wired import database_url, wired, wired_oauth
from tests.servers.raw import serve
from tests.servers.scripts import answer, send_and_close

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def ran(*arguments: str) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("call", *arguments, stdout=out, stderr=err)
    except CommandError as failure:
        return Ran(failure.returncode, out.getvalue(), f"{err.getvalue()}{failure}")
    return Ran(0, out.getvalue(), err.getvalue())


def called(*arguments: str) -> Ran:
    return ran("acme/crm", "--environment", "staging", *arguments)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def open_api(provider: Provider, path: str = "/open", **standing: Any) -> None:
    wired(provider.base_url + path, method=None, **standing)


def bearer(provider: Provider) -> None:
    wired(
        provider.base_url,
        options={"header": "Authorization", "prefix": "Bearer"},
        secrets={"token": accounts.BEARER_TOKEN},
    )


def test_document_of_a_success(provider: Provider) -> None:
    bearer(provider)
    document = called("GET", "/bearer", "--json").document

    assert list(document) == [
        "ok",
        "status",
        "headers",
        "body",
        "symptom",
        "stage",
        "token_refreshed",
        "elapsed_ms",
    ]
    assert document["ok"] is True
    assert document["status"] == 200
    assert document["headers"]["Content-Type"] == "application/json"
    assert json.loads(document["body"])["endpoint"] == "/bearer"
    assert (document["symptom"], document["stage"]) == (None, "api")
    assert document["token_refreshed"] is False
    assert isinstance(document["elapsed_ms"], int)


def test_document_of_a_refusal_says_what_to_check(provider: Provider) -> None:
    open_api(provider, "/bearer")
    ran = called("--json")

    assert ran.code == 1
    assert ran.document["ok"] is False
    assert ran.document["status"] == 401
    assert (ran.document["symptom"], ran.document["stage"]) == (
        "wrong_or_missing_credential",
        "api",
    )
    assert ran.document["summary"]
    assert ran.document["likely_cause"]
    assert ran.document["checks"]


def test_document_without_an_answer(provider: Provider) -> None:
    open_api(provider)
    provider.stop()
    ran = called("--json")

    assert ran.code == 1
    assert ran.document["ok"] is False
    assert ran.document["status"] is None
    assert (ran.document["symptom"], ran.document["stage"]) == ("network", "connect")
    assert ran.document["checks"]


def test_token_that_was_obtained_is_said(provider: Provider) -> None:
    wired_oauth(provider)

    assert called("--json").document["token_refreshed"] is True
    assert called("--json").document["token_refreshed"] is False


def test_failure_while_a_token_is_obtained_has_the_stage_token(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"
    ran = called("--json")

    assert ran.code == 1
    assert ran.document["status"] is None
    assert (ran.document["symptom"], ran.document["stage"]) == ("token_endpoint_config", "token")


def test_token_that_cant_be_renewed_after_a_refusal_has_the_status_of_the_refusal(
    provider: Provider,
) -> None:
    wired_oauth(provider)
    called()
    provider.ledger.revoke_all()
    provider.switches.token = "invalid_client"
    document = called("--json").document

    assert (document["status"], document["stage"]) == (401, "token")
    assert document["symptom"] == "token_endpoint_config"


def test_redirect_is_blocked_and_its_target_named_without_query(provider: Provider) -> None:
    open_api(provider)
    provider.switches.api = "redirect"
    ran = called("--json")

    assert ran.code == 1
    assert ran.document["ok"] is False
    assert (ran.document["symptom"], ran.document["stage"]) == ("blocked_by_policy", "api")
    assert ran.document["status"] == 307
    assert f"{provider.base_url}/elsewhere " in ran.document["summary"]
    assert "from=demo" not in ran.document["summary"]


@pytest.mark.parametrize(
    ("status", "header", "value"),
    [
        ("302 Found", "Location", "/gone/sekret-8271"),
        ("403 Forbidden", "WWW-Authenticate", 'X error="insufficient_scope", scope="sekret-8271"'),
    ],
)
def test_credential_that_the_api_reflects_stays_out_of_our_own_words(
    status: str, header: str, value: str
) -> None:
    with serve(answer(status, headers=[(header, value)])) as server:
        wired(server.url(""), secrets={"token": "sekret-8271"})
        failed = called("--json")
    document = failed.document
    handed_over = document.pop("headers")

    assert handed_over[header] == value
    assert "••••" in str(document)
    assert "sekret-8271" not in f"{document}{failed.err}"


def test_answer_with_a_chunk_of_less_than_nothing_is_the_providers_error() -> None:
    chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"
    with serve(send_and_close(chunk)) as server:
        wired(
            server.url(),
            method="oauth2_client_credentials",
            options={"token_url": server.url("/token"), "client_id": "console"},
            secrets={"client_secret": "s3cret"},
        )
        by_token = called("--json")
        with tenant_scope(Tenant.objects.get(slug="acme").id):
            Connection.objects.update(auth_config=None)
        by_api = called("--json")

    for ran, stage in ((by_token, "token"), (by_api, "api")):
        assert ran.code == 1
        assert (ran.document["symptom"], ran.document["stage"]) == ("provider_error", stage)


def test_failure_after_a_new_token_says_that_there_is_one(provider: Provider) -> None:
    known = {"token_url": provider.token_url, "client_id": accounts.CLIENT.client_id}
    with serve(send_and_close(b"garbage")) as server:
        wired(
            server.url(""),
            method="oauth2_client_credentials",
            options=known,
            secrets={"client_secret": accounts.CLIENT.secret},
        )
        first, second = called("--json").document, called("--json").document

    assert (first["stage"], first["status"]) == ("api", None)
    assert (first["token_refreshed"], second["token_refreshed"]) == (True, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("call", "ac\udcffme/crm", "--environment", "staging", "--json"),
        ("call", "acme/crm:\udcff", "--environment", "staging", "--json"),
        ("call", "acme/crm", "--environment", "\udcff", "--json"),
        ("test_connection", "acme/crm", "--environment", "\udcff", "--json"),
        ("simulate_expiry", "acme/\udcff", "--environment", "staging", "--json"),
        ("refresh_tokens", "--config", "acme/crm", "--environment", "\udcff", "--json"),
        ("export", "\udcff"),
    ],
)
def test_name_with_bytes_that_arent_utf8_is_unknown(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*arguments, stdout=io.StringIO())

    assert refused.value.returncode == 2
    assert "isn't text" in str(refused.value)


def test_body_that_isnt_text_is_base64() -> None:
    with serve(answer(body=b"\xff\xfe")) as server:
        wired(server.url(""), method=None)
        document = called("--json").document

    assert document["body_base64"] == "//4="
    assert "body" not in document


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=iso-8859-1", b"\xe4", "ä"),
        ("text/plain", "ä".encode(), "ä"),
        ("text/plain; charset=nonsense", b"a", None),
        ("text/plain; charset=unicode_escape", b"\\ud800", None),
    ],
)
def test_body_is_text_in_its_charset(content_type: str, body: bytes, text: str | None) -> None:
    with serve(answer(body=body, headers=[("Content-Type", content_type)])) as server:
        wired(server.url(""), method=None)
        assert called("--json").document.get("body") == text


def test_cookies_are_a_list_and_other_repeated_headers_joined() -> None:
    repeated = (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Many", "1"), ("X-Many", "2"))
    with serve(answer(headers=repeated)) as server:
        wired(server.url(""), method=None)
        headers = called("--json").document["headers"]

    assert headers["Set-Cookie"] == ["a=1", "b=2"]
    assert headers["X-Many"] == "1, 2"


@pytest.mark.parametrize(
    ("words", "method", "path"),
    [
        ((), "GET", "/open"),
        (("/a",), "GET", "/open/a"),
        (("?a=1",), "GET", "/open?a=1"),
        (("POST",), "POST", "/open"),
        (("delete", "/a?b"), "DELETE", "/open/a?b"),
    ],
)
def test_method_and_path_may_be_left_out(
    provider: Provider, words: tuple[str, ...], method: str, path: str
) -> None:
    open_api(provider)

    assert called(*words).code == 0
    assert (provider.requests[-1].method, provider.requests[-1].path) == (method, path)


def test_options_and_positionals_stand_in_any_order(provider: Provider) -> None:
    open_api(provider)

    assert ran("--json", "acme/crm", "-d", "x", "POST", "--environment", "staging", "/a").code == 0
    assert (provider.requests[-1].method, provider.requests[-1].body) == ("POST", b"x")


def test_headers_are_sent_left_out_and_empty_as_in_curl(provider: Provider) -> None:
    open_api(provider, headers={"X-Standing": "a"})
    called("-H", "X-One: 1", "-H", "x-standing:", "-H", "X-Empty;")

    received = provider.requests[-1]
    assert received.header("X-One") == "1"
    assert received.header("X-Standing") is None
    assert received.header("X-Empty") == ""


def test_displaced_header_is_named_on_stderr(provider: Provider) -> None:
    bearer(provider)
    ran = called("/bearer", "-H", "authorization: Bearer typed-by-hand", "--json")

    assert ran.code == 0
    assert "authorization" in ran.err
    assert "typed-by-hand" not in ran.err
    assert provider.requests[-1].header("Authorization") == f"Bearer {accounts.BEARER_TOKEN}"


def test_data_goes_out_as_given_without_a_content_type(provider: Provider, tmp_path: Path) -> None:
    open_api(provider)
    file = tmp_path / "body"
    file.write_bytes(b"\xffraw\n")
    called("POST", "-d", "schlüssel=1")
    called("POST", "-d", f"@{file}")

    assert [one.body for one in provider.requests] == ["schlüssel=1".encode(), b"\xffraw\n"]
    assert provider.requests[0].header("Content-Type") is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope/crm", "--environment", "staging"),
        ("acme/nope", "--environment", "staging"),
        ("acme/crm:nope", "--environment", "staging"),
        ("acme/crm", "--environment", "nope"),
        ("acme", "--environment", "staging"),
        ("acme/crm", "--environment", "staging", "GET", "//elsewhere"),
        ("acme/crm", "--environment", "staging", "GET", "https://elsewhere/"),
        ("acme/crm", "--environment", "staging", "/../up"),
        ("acme/crm", "--environment", "staging", "GET", "/a", "/b"),
        ("acme/crm", "--environment", "staging", "G ET"),
        ("acme/crm", "--environment", "staging", "-H", "no colon"),
        ("acme/crm", "--environment", "staging", "-H", "a b: c"),
        ("acme/crm", "--environment", "staging", "-H", "Host: elsewhere"),
        ("acme/crm", "--environment", "staging", "-d", "@/no/such/file"),
    ],
)
def test_what_cant_be_done_is_exit_2_with_a_document(
    provider: Provider, arguments: tuple[str, ...]
) -> None:
    open_api(provider)
    result = ran(*arguments, "--json")

    assert result.code == 2
    assert set(result.document) == {"ok", "error"}
    assert result.document["ok"] is False
    assert provider.count("connections") == 0


@pytest.mark.parametrize(
    "arguments", [("acme/crm",), ("acme/crm", "--environment"), ("acme/crm", "--nope")]
)
def test_usage_error_is_exit_2_and_prints_nothing_on_stdout(arguments: tuple[str, ...]) -> None:
    result = ran(*arguments, "--json")

    assert (result.code, result.out) == (2, "")


def test_switched_off_tenant_is_exit_1_with_the_full_document(provider: Provider) -> None:
    open_api(provider)
    Tenant.objects.update(disabled_at=timezone.now())
    result = called("--json")

    assert result.code == 1
    assert (result.document["symptom"], result.document["stage"]) == (
        "blocked_by_policy",
        "config",
    )
    assert provider.count("connections") == 0


def test_call_by_hand_is_in_the_audit_trail(provider: Provider) -> None:
    open_api(provider)
    called("/a?secret=hunter2")
    provider.switches.api = "403"
    called()

    with tenant_scope(Tenant.objects.get().id):
        events = list(AuditEvent.objects.filter(action="call").order_by("at"))
    assert [event.outcome for event in events] == ["ok", Symptom.INSUFFICIENT_PERMISSION]
    assert {event.via for event in events} == {"shell"}
    assert "hunter2" not in str([vars(event) for event in events])


@pytest.mark.django_db(transaction=True)
def test_bytes_reach_stdout_untouched_whatever_the_locale() -> None:
    with serve(answer(body=b"\xff\x00\r\n")) as server:
        wired(server.url(""), method=None)
        finished = subprocess.run(
            [sys.executable, "manage.py", "call", "acme/crm", "--environment", "staging"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url(), "LC_ALL": "C"},
            capture_output=True,
            check=False,
        )

    assert (finished.returncode, finished.stdout) == (0, b"\xff\x00\r\n")


@pytest.mark.django_db(transaction=True)
def test_failure_is_told_on_stderr_and_the_body_still_on_stdout() -> None:
    with serve(answer("404 Not Found", b"no such thing")) as server:
        wired(server.url(""), method=None)
        finished = subprocess.run(
            [sys.executable, "manage.py", "call", "acme/crm", "--environment", "staging"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url()},
            capture_output=True,
            check=False,
        )

    assert (finished.returncode, finished.stdout) == (1, b"no such thing")
    assert b"404" in finished.stderr
    assert b"Traceback" not in finished.stderr
