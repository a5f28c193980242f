"""dumpdata and loaddata carry ciphertext, and nothing else."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import transaction

from authconfigs.errors import SecretUnreadable
from authconfigs.models import AuthConfig, Credential, OAuthToken
from tenants.scope import unscoped
from tests.authconfigs.sealed_rows import SECRETS, a_credential, a_tenant, a_token, raw, read

pytestmark = pytest.mark.django_db


def dumped(*labels: str, form: str = "json") -> str:
    out = StringIO()
    call_command("dumpdata", *labels, use_base_manager=True, format=form, stdout=out)
    return out.getvalue()


def load(folder: Path, text: str, *, form: str = "json") -> None:
    file = folder / f"fixture.{form}"
    file.write_text(text, encoding="utf-8")
    with transaction.atomic():
        call_command("loaddata", str(file), verbosity=0)


@pytest.mark.parametrize("form", ["json", "jsonl", "xml"])
def test_dump_carries_ciphertext_and_loads_again(form: str, tmp_path: Path) -> None:
    tenant = a_tenant()
    credential, token = a_credential(tenant), a_token(tenant, "sso", access_token="planted-access")
    before = [raw(credential, "secrets"), raw(token, "access_token")]
    text = dumped("tenants", "authconfigs", "--exclude=tenants.AuditEvent", form=form)
    assert "planted" not in text
    assert "sealed:AQ" in text
    with unscoped("everything is deleted"):
        AuthConfig.objects.all().delete()
        tenant.delete()
    load(tmp_path, text, form=form)
    assert [raw(credential, "secrets"), raw(token, "access_token")] == before
    assert read(credential).secrets.reveal() == SECRETS
    assert read(token).access_token.reveal() == "planted-access"
    assert read(token).refresh_token is None


@pytest.mark.parametrize(
    "value",
    ["planted-token", "sealed:planted token", {"token": "planted-token"}, ["planted-token"], 7],
    ids=lambda value: type(value).__name__ + str(len(str(value))),
)
def test_loader_accepts_nothing_but_a_tagged_value_and_quotes_nothing(
    value: Any, tmp_path: Path
) -> None:
    row = a_credential(a_tenant())
    before = raw(row, "secrets")
    (document,) = json.loads(dumped("authconfigs.Credential"))
    document["fields"]["secrets"] = value
    with pytest.raises(TypeError) as caught:
        load(tmp_path, json.dumps([document]))
    assert "secrets is sealed" in str(caught.value)
    assert "planted" not in str(caught.value)
    assert raw(row, "secrets") == before


def test_dumped_value_put_into_another_row_does_not_open(tmp_path: Path) -> None:
    tenant = a_tenant()
    one, two = a_credential(tenant, "one"), a_credential(tenant, "two")
    documents = {entry["pk"]: entry for entry in json.loads(dumped("authconfigs.Credential"))}
    documents[str(two.pk)]["fields"]["secrets"] = documents[str(one.pk)]["fields"]["secrets"]
    load(tmp_path, json.dumps(list(documents.values())))
    assert raw(two, "secrets") == raw(one, "secrets")
    moved = read(two).secrets
    with pytest.raises(SecretUnreadable):
        moved.reveal()


def test_plain_text_that_looks_like_a_dump_is_sealed_like_any_other() -> None:
    tenant = a_tenant()
    row = a_token(tenant, access_token="sealed:AQAAAAE=")
    assert read(row).access_token.reveal() == "sealed:AQAAAAE="


def test_what_is_not_saved_yet_is_not_dumped() -> None:
    row = a_credential(a_tenant())
    row.secrets = {"token": "planted-token"}
    with pytest.raises(ValueError, match="save the row first"):
        serializers.serialize("json", [row])


def test_list_with_an_unreadable_row_is_dumped_as_it_is() -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    with unscoped("a test"):
        Credential.objects.update(secrets=a_credential(tenant, "other").secrets)
        assert OAuthToken.objects.count() == 0
    assert str(row.pk) in dumped("authconfigs.Credential")
