import json
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models
from django.test.utils import isolate_apps
from pytest_django import Settings

from authconfigs import datakeys
from authconfigs.fields import SealedField, all_sealed_fields
from authconfigs.models import AuthConfig
from authconfigs.sealed_values import batches, unreadable
from tenants.scope import unscoped
from tests.authconfigs.sealed_rows import (
    a_credential,
    a_tenant,
    a_token,
    keys_setting,
    overwrite,
    raw,
)

pytestmark = pytest.mark.django_db


def check() -> tuple[int, dict[str, Any]]:
    """Exit code and document of `check_secrets --json`."""
    out, code = StringIO(), 0
    try:
        call_command("check_secrets", "--json", stdout=out, stderr=StringIO())
    except CommandError as error:
        code = error.returncode
    return code, json.loads(out.getvalue())


def test_empty_database_is_fine() -> None:
    assert check() == (
        0,
        {"ok": True, "values": 0, "unreadable": [], "master_keys": {}, "data_keys": {}},
    )


def test_every_value_of_every_tenant_is_counted_by_the_key_that_it_names() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    a_credential(acme, "one")
    a_token(acme, "two", access_token="planted-access", refresh_token="planted-refresh")
    a_token(globex, "three")
    a_credential(globex, "four")
    datakeys.current(None)
    datakeys.make(globex.id, 2)
    a_credential(globex, "five")
    code, document = check()
    assert code == 0
    assert document == {
        "ok": True,
        "values": 5,
        "unreadable": [],
        "master_keys": {"k1": 4},
        "data_keys": {"acme/1": 3, "globex/1": 1, "globex/2": 1},
    }


def test_unreadable_rows_are_named_by_table_and_id() -> None:
    tenant = a_tenant()
    good, bad = a_credential(tenant, "good"), a_credential(tenant, "bad")
    token = a_token(tenant, "sso", access_token="planted-access", refresh_token="planted-refresh")
    overwrite(bad, "secrets", b"somebody else's bytes")
    overwrite(token, "access_token", b"")
    overwrite(token, "refresh_token", b"\x01\x00\x00\x00\x05" + b"x" * 90)
    code, document = check()
    assert code == 1
    assert document["ok"] is False
    assert document["values"] == 4
    assert document["unreadable"] == [
        {"table": "authconfigs_credential", "id": str(bad.pk)},
        {"table": "authconfigs_oauthtoken", "id": str(token.pk)},
    ]
    assert document["data_keys"] == {"acme/1": 1, "acme/5": 1}
    assert str(good.pk) not in json.dumps(document)


def test_wrong_master_key_makes_every_value_unreadable(settings: Settings) -> None:
    tenant = a_tenant()
    a_credential(tenant, "one")
    a_credential(tenant, "two")
    assert check()[0] == 0
    settings.FIELD_ENCRYPTION_KEYS = keys_setting(k1="z")
    code, document = check()
    assert (code, len(document["unreadable"])) == (1, 2)
    assert document["master_keys"] == {"k1": 1}


def test_without_json_a_person_reads_what_is_wrong_and_what_to_do() -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    out = StringIO()
    call_command("check_secrets", stdout=out)
    assert "All 1 sealed values open." in out.getvalue()
    assert "data key acme/1: seals 1 values" in out.getvalue()
    overwrite(row, "secrets", b"")
    with pytest.raises(CommandError, match="Put the missing key back") as caught:
        call_command("check_secrets", stdout=out)
    assert caught.value.returncode == 1
    assert f"authconfigs_credential {row.pk}: can't be decrypted" in out.getvalue()


def test_many_values_are_walked_in_batches_without_losing_one() -> None:
    tenant = a_tenant()
    a_credential(tenant, "first")
    with unscoped("a test"):
        config = AuthConfig.objects.get()
        others = AuthConfig.objects.bulk_create(
            AuthConfig(
                tenant=tenant,
                environment_id=config.environment_id,
                name=f"c-{number}",
                method="bearer",
            )
            for number in range(600)
        )
        token = apps.get_model("authconfigs.OAuthToken")
        token.objects.bulk_create(
            token(tenant=tenant, config=other, access_token="planted-token") for other in others
        )
    assert check()[1]["values"] == 601


@isolate_apps("authconfigs")
def test_sealed_column_of_a_later_model_is_walked_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Later(models.Model):
        secret = SealedField(purpose="later.secret", row="id")

        class Meta:
            app_label = "authconfigs"

        def __str__(self) -> str:
            return "later"

    known = {str(column) for column in all_sealed_fields()}
    registered = [*apps.get_models(include_auto_created=True), Later]
    monkeypatch.setattr(apps, "get_models", lambda **options: registered)
    assert {str(column) for column in all_sealed_fields()} - known == {"authconfigs.Later.secret"}


@pytest.mark.parametrize("meanwhile", ["repaired", "deleted"])
def test_value_that_was_repaired_or_deleted_since_it_was_read_is_not_called_unreadable(
    meanwhile: str,
) -> None:
    row = a_credential(a_tenant())
    stored = raw(row, "secrets") or b""
    overwrite(row, "secrets", b"")
    column = next(column for column in all_sealed_fields() if column.model is type(row))
    with unscoped("a test"):
        (batch,) = batches(column, 10)
        assert unreadable(batch) == batch
        if meanwhile == "repaired":
            overwrite(row, "secrets", stored)
        else:
            row.delete()
        assert unreadable(batch) == []
