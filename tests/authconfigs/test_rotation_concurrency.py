"""Rotation while others read and write, and after it was killed."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from authconfigs import datakeys
from authconfigs.fields import Stored, all_sealed_fields
from authconfigs.models import Credential, DataKey, OAuthToken
from authconfigs.rotation import reseal, rewrap
from authconfigs.sealed_values import SealedValue, batches, revealed
from tenants.scope import tenant_scope, unscoped
from tests.authconfigs.sealed_rows import (
    SECRETS,
    a_credential,
    a_tenant,
    a_token,
    data_keys,
    keys_setting,
    raw,
    read,
)
from tests.config.checkout import ROOT
from tests.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)


def as_read(model: type[Credential | OAuthToken]) -> list[tuple[SealedValue, object]]:
    """The values of the model's first sealed column, as a rotation reads them."""
    column = next(column for column in all_sealed_fields() if column.model is model)
    with unscoped("a test reads"):
        (batch,) = batches(column, 100)
        opened, _ = revealed(batch)
    return opened


def test_value_that_changed_since_it_was_read_is_not_replaced() -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    ((value, plain),) = as_read(Credential)
    key = datakeys.current(tenant.id)
    with tenant_scope(tenant.id):
        edited = read(row)
        edited.secrets = {"token": "edited"}
        edited.save()
        assert not value.replace(plain, key)
    assert read(row).secrets.reveal() == {"token": "edited"}


def test_secret_state_that_changed_since_it_was_read_is_not_undone() -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    ((value, plain),) = as_read(Credential)
    with tenant_scope(tenant.id):
        Credential.objects.update(secret_state={"token": {"by": "somebody else"}})
        assert not value.replace(plain, datakeys.current(tenant.id))
    assert read(row).secret_state == {"token": {"by": "somebody else"}}


def test_deleted_row_does_not_come_back() -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    ((value, plain),) = as_read(Credential)
    with tenant_scope(tenant.id):
        row.delete()
        assert not value.replace(plain, datakeys.current(tenant.id))
        assert not Credential.objects.exists()


def test_interrupted_rotation_goes_on_with_the_keys_that_it_made() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    rows = [a_credential(acme, f"c-{number}") for number in range(4)] + [a_credential(globex)]

    def interrupt(values: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reseal(batch_size=2, advance=interrupt)
    assert [len(data_keys(tenant)) for tenant in (acme, globex)] == [2, 2]
    assert all(read(row).secrets.reveal() == SECRETS for row in rows)
    done = reseal(batch_size=2)
    assert (done.made, done.resealed, done.left) == (0, 3, 0)
    assert all(read(row).secrets.reveal() == SECRETS for row in rows)
    assert [key.retired_at is None for key in data_keys(acme)] == [False, True]
    # And the next one is a rotation of its own.
    assert reseal(batch_size=2).made == 2


def test_rotation_that_was_interrupted_while_making_keys_makes_the_missing_ones() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    a_credential(acme)
    a_credential(globex)
    datakeys.make(acme.id, 2)
    done = reseal(batch_size=2)
    assert (done.made, done.resealed) == (1, 2)
    assert [len(data_keys(tenant)) for tenant in (acme, globex)] == [2, 2]


def test_killed_rotation_loses_nothing_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = a_tenant()
    rows = [a_credential(tenant, f"c-{number}") for number in range(60)]
    monkeypatch.setenv("DATABASE_URL", database_url())
    command = [sys.executable, "manage.py", "rotate_encryption_keys", "--data-keys"]
    process = subprocess.Popen(
        [*command, "--batch-size=1"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "Sealing anew" in process.stderr.readline()
    process.kill()
    process.communicate(timeout=30)
    assert all(read(row).secrets.reveal() == SECRETS for row in rows)
    before = [raw(row, "secrets") for row in rows]
    resealed_before = sum((value or b"")[4] == 2 for value in before)
    assert 0 < resealed_before < 60
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"0 made, {60 - resealed_before} values sealed anew" in done.stdout
    assert [key.number for key in data_keys(tenant)] == [1, 2]
    assert all(read(row).secrets.reveal() == SECRETS for row in rows)


def test_value_written_behind_the_walk_is_sealed_anew_as_well() -> None:
    tenant = a_tenant()
    rows = [a_credential(tenant, f"c-{number}") for number in range(3)]
    old = datakeys.current(tenant.id)
    first = min(rows, key=lambda row: row.pk)
    place = first._meta.get_field("secrets").place_of(first)

    def write_late(values: int) -> None:
        # Whoever read the old key as the current one commits now.
        with unscoped("a test"):
            late = Stored(old.seal({"token": "late"}, place), place)
            Credential.objects.filter(pk=first.pk).update(secrets=late)

    done = reseal(batch_size=1, advance=write_late)
    assert (done.resealed, done.left) == (4, 0)
    assert (raw(first, "secrets") or b"")[4] == 2
    assert read(first).secrets.reveal() == {"token": "late"}


def test_readers_and_writers_notice_nothing() -> None:
    tenant = a_tenant()
    tokens = [a_token(tenant, f"t-{number}", access_token="0") for number in range(8)]
    credential = a_credential(tenant)
    stop = threading.Event()
    written = dict.fromkeys((token.pk for token in tokens), "0")

    def write(mine: list[OAuthToken]) -> int:
        writes = 0
        try:
            while not stop.is_set():
                for token in mine:
                    writes += 1
                    with tenant_scope(tenant.id), transaction.atomic():
                        row = OAuthToken.objects.get(pk=token.pk)
                        row.access_token = str(writes)
                        row.save(update_fields=["access_token"])
                    written[token.pk] = str(writes)
        finally:
            connection.close()
        return writes

    def read_all() -> int:
        reads = 0
        try:
            while not stop.is_set():
                for token in tokens:
                    read(token).access_token.reveal()
                assert read(credential).secrets.reveal() == SECRETS
                reads += 1
        finally:
            connection.close()
        return reads

    with ThreadPoolExecutor(4) as pool:
        work = [
            pool.submit(write, tokens[:4]),
            pool.submit(write, tokens[4:]),
            pool.submit(read_all),
        ]
        try:
            for _ in range(4):
                assert reseal(batch_size=3).unreadable == 0
                assert rewrap(batch_size=3).locked == ()
        finally:
            stop.set()
        assert all(future.result(timeout=60) > 0 for future in work)
    assert {token.pk: read(token).access_token.reveal() for token in tokens} == written


def test_two_rotations_at_once_leave_one_current_key_and_every_value_open() -> None:
    tenant = a_tenant()
    rows = [a_credential(tenant, f"c-{number}") for number in range(20)]

    def rotate(_: int) -> int:
        try:
            return reseal(batch_size=2).unreadable
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(rotate, range(2))) == {0}
    assert all(read(row).secrets.reveal() == SECRETS for row in rows)
    reseal(batch_size=2)
    assert DataKey.objects.filter(retired_at=None).count() == 1


def test_master_key_rotates_while_a_running_process_knows_the_old_one_only(
    settings: Settings,
) -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    old = settings.FIELD_ENCRYPTION_KEYS
    assert read(row).secrets.reveal() == SECRETS
    both = f"{keys_setting(k2='n')},{old}"
    done = subprocess.run(
        [sys.executable, "manage.py", "rotate_encryption_keys"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "DATABASE_URL": database_url(), "FIELD_ENCRYPTION_KEYS": both},
    )
    assert done.returncode == 0, done.stderr
    assert {key.master_key_id for key in data_keys(tenant)} == {"k2"}
    assert read(row).secrets.reveal() == SECRETS
