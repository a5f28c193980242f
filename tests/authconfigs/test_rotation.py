"""rotate_encryption_keys: what it prints, what it changes and what it leaves alone."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from authconfigs import datakeys
from authconfigs.models import Credential, DataKey
from tenants.models import AuditEvent, Tenant
from tenants.scope import unscoped
from tests.authconfigs.sealed_rows import (
    SECRETS,
    a_credential,
    a_tenant,
    a_token,
    data_keys,
    keys_setting,
    overwrite,
    raw,
    read,
)

pytestmark = pytest.mark.django_db

NOTHING = {
    "ok": True,
    "data_keys": {"rewrapped": 0, "made": 0},
    "values": {"resealed": 0, "unreadable": 0},
}


def rotate(*options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document of `rotate_encryption_keys --json`."""
    out, code = StringIO(), 0
    try:
        call_command("rotate_encryption_keys", "--json", *options, stdout=out, stderr=StringIO())
    except CommandError as error:
        code = error.returncode
    return code, json.loads(out.getvalue())


def new_master_key(settings: Settings) -> None:
    old = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = f"{keys_setting(k2='n')},{old}"


def snapshot() -> list[Any]:
    """Every byte that a rotation may touch."""
    with unscoped("a test looks"):
        return [
            *Credential.objects.order_by("pk").values_list("pk", "secrets", "secret_state"),
            *DataKey.objects.order_by("pk").values_list("pk", "wrapped", "retired_at"),
        ]


def numbers(tenant: Tenant | None) -> list[int]:
    return [key.number for key in data_keys(tenant)]


def hour_begins_anew(tenant: Tenant) -> bool:
    """Whether the first data key is there and was retired just now."""
    first = data_keys(tenant)[0]
    return (
        first.number == 1
        and first.retired_at is not None
        and first.retired_at > timezone.now() - timedelta(minutes=5)
    )


def actions() -> list[tuple[str, str]]:
    with unscoped("a test looks"):
        return list(AuditEvent.objects.order_by("at").values_list("action", "object_name"))


def test_nothing_to_rotate_is_fine() -> None:
    assert rotate() == (0, NOTHING)
    assert rotate("--data-keys") == (0, NOTHING)


def test_new_master_key_rewraps_data_keys_and_touches_no_value(settings: Settings) -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    rows = [a_credential(acme), a_credential(globex)]
    datakeys.current(None)
    before = [raw(row, "secrets") for row in rows]
    secrets = {key.id: datakeys.unwrapped(key) for key in DataKey.objects.all()}
    new_master_key(settings)
    code, document = rotate()
    assert (code, document) == (0, {**NOTHING, "data_keys": {"rewrapped": 3, "made": 0}})
    assert [raw(row, "secrets") for row in rows] == before
    # The old master key may go now.
    settings.FIELD_ENCRYPTION_KEYS = keys_setting(k2="n")
    assert {key.id: datakeys.unwrapped(key) for key in DataKey.objects.all()} == secrets
    assert [read(row).secrets.reveal() for row in rows] == [SECRETS, SECRETS]
    assert {key.master_key_id for key in DataKey.objects.all()} == {"k2"}


def test_rewrapping_again_changes_nothing(settings: Settings) -> None:
    a_credential(a_tenant())
    new_master_key(settings)
    rotate()
    before = snapshot()
    assert rotate() == (0, NOTHING)
    assert snapshot() == before


def test_new_data_keys_reseal_every_value_with_new_fingerprints() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    credential, other = a_credential(acme), a_credential(globex)
    token = a_token(acme, "sso", access_token="planted-access", refresh_token="planted-refresh")
    before = raw(credential, "secrets")
    code, document = rotate("--data-keys")
    assert code == 0
    assert document == {
        "ok": True,
        "data_keys": {"rewrapped": 0, "made": 2},
        "values": {"resealed": 4, "unreadable": 0},
    }
    assert raw(credential, "secrets") != before
    for row in (credential, other):
        fresh = read(row)
        assert fresh.secrets.reveal() == SECRETS
        key = datakeys.current(fresh.tenant_id)
        assert key.number == 2
        assert fresh.secret_state == {
            name: {**row.secret_state[name], "fingerprint": key.fingerprint(value)}
            for name, value in SECRETS.items()
        }
    assert read(token).access_token.reveal() == "planted-access"
    assert read(token).refresh_token.reveal() == "planted-refresh"
    assert [key.retired_at is None for key in data_keys(acme)] == [False, True]


@pytest.mark.parametrize("options", [(), ("--data-keys",)], ids=["wrap", "reseal"])
def test_dry_run_tells_what_the_run_then_does_and_writes_nothing(
    options: tuple[str, ...], settings: Settings
) -> None:
    tenant = a_tenant()
    a_credential(tenant, "one")
    bad = a_credential(tenant, "bad")
    overwrite(bad, "secrets", b"")
    new_master_key(settings)
    before = snapshot()
    told = rotate("--dry-run", *options)
    assert snapshot() == before
    assert not actions()
    assert rotate(*options) == told


def test_unreadable_value_is_counted_and_keeps_its_bytes_and_its_key() -> None:
    tenant = a_tenant()
    good, bad = a_credential(tenant, "good"), a_credential(tenant, "bad")
    stored = raw(bad, "secrets") or b""
    overwrite(bad, "secrets", stored[:-1])
    code, document = rotate("--data-keys")
    assert code == 1
    assert document == {
        "ok": False,
        "data_keys": {"rewrapped": 0, "made": 1},
        "values": {"resealed": 1, "unreadable": 1},
    }
    assert raw(bad, "secrets") == stored[:-1]
    assert read(good).secrets.reveal() == SECRETS
    DataKey.objects.filter(number=1).update(retired_at=timezone.now() - timedelta(days=1))
    rotate()
    assert numbers(tenant) == [1, 2]
    overwrite(bad, "secrets", stored)
    assert read(bad).secrets.reveal() == SECRETS


def test_one_unreadable_value_does_not_stop_later_rotations() -> None:
    tenant = a_tenant()
    a_credential(tenant, "good")
    overwrite(a_credential(tenant, "bad"), "secrets", b"")
    for number in (2, 3):
        assert rotate("--data-keys")[1]["values"] == {"resealed": 1, "unreadable": 1}
        assert datakeys.current(tenant.id).number == number


def test_wrong_master_key_overwrites_nothing_and_is_said(settings: Settings) -> None:
    a_credential(a_tenant())
    before = snapshot()
    settings.FIELD_ENCRYPTION_KEYS = keys_setting(k1="z")
    assert rotate() == (1, {**NOTHING, "ok": False})
    code, document = rotate("--data-keys")
    assert (code, document["data_keys"]["made"]) == (1, 0)
    assert document["values"] == {"resealed": 0, "unreadable": 1}
    assert snapshot() == before


def test_master_key_that_is_gone_is_named_with_what_to_do(settings: Settings) -> None:
    a_credential(a_tenant())
    settings.FIELD_ENCRYPTION_KEYS = keys_setting(k2="n")
    with pytest.raises(
        CommandError, match=r"data key acme/1 opens with no master key.*put the missing"
    ):
        call_command("rotate_encryption_keys", stdout=StringIO())


def test_fingerprint_of_an_older_key_is_renewed_even_when_its_value_is_sealed_with_the_newest() -> (
    None
):
    tenant = a_tenant()
    old = datakeys.current(tenant.id)
    datakeys.make(tenant.id, 2)
    row = a_credential(tenant, secrets={"token": "planted-token"})
    with unscoped("a test"):
        state = {"token": {"by": "", "fingerprint": old.fingerprint("planted-token")}}
        Credential.objects.update(secret_state=state)
    assert rotate("--data-keys")[1]["values"]["resealed"] == 1
    key = datakeys.current(tenant.id)
    assert read(row).secret_state == {
        "token": {"by": "", "fingerprint": key.fingerprint("planted-token")}
    }


def test_odd_fingerprints_stop_nothing() -> None:
    tenant = a_tenant()
    states: list[Any] = [
        [],
        {"token": "text"},
        {"token": {"fingerprint": None}},
        {"gone": {"by": "somebody", "fingerprint": "1:00"}},
    ]
    rows = []
    for number, state in enumerate(states):
        row = a_credential(tenant, f"c-{number}", secrets={"token": "planted-token"})
        with unscoped("a test"):
            Credential.objects.filter(pk=row.pk).update(secret_state=state)
        rows.append(row)
    code, document = rotate("--data-keys")
    assert (code, document["values"]) == (0, {"resealed": 4, "unreadable": 0})
    assert all(read(row).secrets.reveal() == {"token": "planted-token"} for row in rows)
    assert read(rows[0]).secret_state == []
    assert read(rows[3]).secret_state == {"gone": {"by": "somebody"}}


def test_retired_key_is_deleted_only_after_an_hour_without_a_value_that_names_it() -> None:
    tenant = a_tenant()
    a_credential(tenant)
    rotate("--data-keys")
    assert numbers(tenant) == [1, 2]
    rotate()
    assert numbers(tenant) == [1, 2]
    DataKey.objects.filter(number=1).update(retired_at=timezone.now() - timedelta(minutes=61))
    rotate("--dry-run")
    assert numbers(tenant) == [1, 2]
    rotate()
    assert numbers(tenant) == [2]


@pytest.mark.parametrize("named_by", ["value", "fingerprint"])
def test_late_value_or_fingerprint_keeps_its_retired_key(named_by: str) -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    rotate("--data-keys")
    kept = read(row)
    with unscoped("somebody who read the old row writes it back"):
        if named_by == "value":
            Credential.objects.update(secrets=row.secrets, secret_state=kept.secret_state)
        else:
            Credential.objects.update(secret_state=row.secret_state)
    long_ago = timezone.now() - timedelta(hours=2)
    DataKey.objects.filter(number=1).update(retired_at=long_ago)
    rotate()
    assert hour_begins_anew(tenant)
    assert read(row).secrets.reveal() == SECRETS
    DataKey.objects.filter(number=1).update(retired_at=long_ago)
    # Whoever has just read the value still needs the key when it is sealed with another.
    rotate("--data-keys")
    assert hour_begins_anew(tenant)
    assert read(row).secrets.reveal() == SECRETS
    DataKey.objects.filter(number=1).update(retired_at=long_ago)
    rotate()
    assert numbers(tenant) == [2, 3]


def test_rotation_is_in_the_audit_trail_of_its_tenant_without_a_value(settings: Settings) -> None:
    tenant = a_tenant()
    a_credential(tenant)
    datakeys.current(None)
    new_master_key(settings)
    rotate("--data-keys")
    assert sorted(actions()) == sorted(
        [("rewrap", "data key 1"), ("make", "data key 2"), ("retire", "data key 1")] * 2
    )
    DataKey.objects.filter(number=1).update(retired_at=timezone.now() - timedelta(hours=2))
    rotate()
    assert actions().count(("delete", "data key 1")) == 2
    with unscoped("a test looks"):
        events = list(AuditEvent.objects.all())
    assert {event.tenant_id for event in events} == {tenant.id, None}
    assert {event.via for event in events} == {"shell"}


@pytest.mark.parametrize("size", ["1", "2", "1000"])
def test_size_of_the_batches_changes_nothing_else(size: str) -> None:
    tenant = a_tenant()
    rows = [a_credential(tenant, f"c-{number}") for number in range(5)]
    assert rotate("--data-keys", "--batch-size", size)[1]["values"]["resealed"] == 5
    assert all(read(row).secrets.reveal() == SECRETS for row in rows)


@pytest.mark.parametrize("size", ["0", "-1", "many", "1.5"])
def test_batch_size_that_is_no_whole_number_is_a_usage_error(size: str) -> None:
    with pytest.raises(CommandError, match="whole number above 0") as caught:
        call_command("rotate_encryption_keys", f"--batch-size={size}", stderr=StringIO())
    assert caught.value.returncode == 2


def test_progress_is_on_stderr_and_the_document_alone_on_stdout() -> None:
    tenant = a_tenant()
    for number in range(3):
        a_credential(tenant, f"c-{number}")
    out, err = StringIO(), StringIO()
    call_command(
        "rotate_encryption_keys", "--data-keys", "--json", "--batch-size=1", stdout=out, stderr=err
    )
    assert json.loads(out.getvalue())["ok"] is True
    lines = err.getvalue().splitlines()
    assert lines[0].startswith("Sealing anew ██████████░")
    assert lines[-1].endswith("3/3")


def test_progress_is_drawn_in_place_on_a_terminal() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    tenant = a_tenant()
    for number in range(3):
        a_credential(tenant, f"c-{number}")
    err = Terminal()
    call_command(
        "rotate_encryption_keys", "--data-keys", "--batch-size=1", stdout=StringIO(), stderr=err
    )
    first, *_, last = err.getvalue().removeprefix("\r").split("\r")
    assert first == "Sealing anew ██████████░░░░░░░░░░░░░░░░░░░░ 1/3"
    assert last == f"Sealing anew {'█' * 30} 3/3\n"


def test_without_json_a_person_reads_what_was_done() -> None:
    a_credential(a_tenant())
    out = StringIO()
    call_command("rotate_encryption_keys", "--data-keys", stdout=out, stderr=StringIO())
    assert out.getvalue() == "Done: 0 data keys wrapped anew, 1 made, 1 values sealed anew.\n"
