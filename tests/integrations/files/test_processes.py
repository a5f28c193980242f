"""`apply` and `export` as a shell runs them, and at the same time as others."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from authconfigs.models import AuthConfig
from authconfigs.saving import current_credential
from integrations.client import connect
from integrations.demo.provider import Provider, accounts
from tenants.models import Tenant
from tenants.scope import unscoped
from tests.integrations.files.applied import basic, run, with_config, with_connection
from tests.integrations.wired import database_url

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]


def manage(
    *arguments: str, given: bytes = b"", cwd: Path = ROOT, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=cwd,
        env={**os.environ, "DATABASE_URL": database_url(), **variables},
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )


def content(tenant: dict[str, Any]) -> bytes:
    return json.dumps({"tenants": [tenant]}).encode()


def test_stdin_and_any_order_of_arguments() -> None:
    first = manage("apply", "--json", "-", given=content(basic()))
    second = manage("apply", "-", "--keep-secrets", given=content(basic()))

    assert (first.returncode, first.stderr) == (0, b"")
    assert json.loads(first.stdout)["changed"] is True
    assert (second.returncode, second.stdout) == (0, b"nothing to do\n")


def test_output_is_utf_8_whatever_the_locale() -> None:
    made = manage("apply", "-", given=content(basic(name="Äcme")), LC_ALL="C", PYTHONUTF8="0")
    told = manage("export", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    assert made.returncode == told.returncode == 0
    assert 'name: "Äcme"' in told.stdout.decode()


def test_variables_are_utf_8_whatever_the_locale() -> None:
    tenant = with_config(
        method="basic", options={"username": "jö"}, secrets={"password": "${env:PASSWORD}"}
    )
    made = manage(
        "apply",
        "-",
        given=content(tenant),
        PASSWORD="pä:ss",
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
    )

    assert made.returncode == 0
    with unscoped("a test looks at one row"):
        credential = current_credential(AuthConfig.objects.get())
        assert credential.options == {"username": "jö"}
        assert credential.secrets.reveal() == {"password": "pä:ss"}


def test_a_path_on_stdin_is_relative_to_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("planted-key\n")
    tenant = with_config(secrets={"value": "${file:key}"})

    assert manage("apply", "-", given=content(tenant), cwd=tmp_path).returncode == 0


def test_wrong_usage_is_exit_2_and_prints_nothing_on_stdout() -> None:
    told = manage("apply", "a", "--json", "--prun")

    assert (told.returncode, told.stdout) == (2, b"")
    assert b"usage:" in told.stderr


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("a", "--nope"), ("a", "--dry")])
def test_arguments_are_taken_whole(arguments: tuple[str, ...]) -> None:
    assert run("apply", *arguments).code == 2


def test_a_bad_file_is_one_document_and_one_line_without_traceback() -> None:
    told = manage("apply", "--json", "-", given=b"tenants: [{slug: A}]")

    assert told.returncode == 2
    assert json.loads(told.stdout)["errors"][0]["path"] == "tenants[0].slug"
    assert len(told.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    manage("apply", "-", given=content(basic(name="x" * 200)))
    reading, writing = os.pipe()
    os.close(reading)
    told = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "export"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url()},
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)

    assert (told.returncode, told.stderr) == (1, b"")


def test_a_database_that_was_not_migrated_is_one_line(tmp_path: Path) -> None:
    told = manage(
        "apply", "-", "--json", given=content(basic()), DATABASE_URL=f"sqlite:///{tmp_path}/db"
    )

    assert told.returncode == 1
    assert "migrate" in json.loads(told.stdout)["error"]
    assert b"Traceback" not in told.stderr


def test_a_busy_database_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_bytes(content(basic()))
    run("apply", str(tmp_path / "acme.json"))
    (tmp_path / "acme.json").write_bytes(content(basic(name="Other")))
    locked, codes = threading.Event(), list[int]()

    def apply() -> None:
        locked.wait(10)
        codes.append(run("apply", str(tmp_path / "acme.json")).code)
        connection.close()

    thread = threading.Thread(target=apply)
    thread.start()
    with transaction.atomic():
        Tenant.objects.update(name="Locked")
        locked.set()
        thread.join(1.5)
        assert thread.is_alive()
    thread.join(30)

    assert codes == [0]
    assert Tenant.objects.get().name == "Other"


def test_files_that_are_applied_at_the_same_time_all_hold(tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_bytes(content(basic()))
    start, codes = threading.Barrier(4), list[int]()

    def apply() -> None:
        start.wait(10)
        codes.append(run("apply", str(tmp_path / "acme.json")).code)
        connection.close()

    threads = [threading.Thread(target=apply) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert codes == [0, 0, 0, 0]
    with unscoped("a test looks at all rows"):
        assert AuthConfig.objects.count() == 1


def test_the_next_call_uses_the_new_state() -> None:
    with Provider() as provider:
        tenant = with_connection(base_url=provider.base_url)
        assert manage("apply", "-", given=content(tenant)).returncode == 0
        client = connect("acme", "billing", environment="staging")
        assert client.get("/key-header").status_code == 401

        tenant["auth_configs"][0]["secrets"] = {"value": accounts.API_KEY}
        assert manage("apply", "-", given=content(tenant)).returncode == 0
        assert client.get("/key-header").status_code == 200
