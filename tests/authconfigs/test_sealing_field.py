"""The model field: what is stored, what is shown, what is refused."""

import copy
import json
import pickle
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import FieldError
from django.db import models, transaction
from django.db.models import F
from django.forms import modelform_factory
from django.test.utils import isolate_apps
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from authconfigs import datakeys
from authconfigs.errors import SecretUnreadable
from authconfigs.fields import DOTS, Sealed, SealedField, seal
from authconfigs.models import AuthConfig, Credential, OAuthToken
from tenants.models import Environment
from tenants.scope import tenant_scope, unscoped
from tests.authconfigs.sealed_rows import (
    SECRETS,
    a_credential,
    a_tenant,
    a_token,
    data_keys,
    overwrite,
    raw,
    read,
)

pytestmark = pytest.mark.django_db


def unreadable(value: Sealed) -> bool:
    try:
        value.reveal()
    except SecretUnreadable:
        return True
    return False


def stored_in(row: models.Model, column: str) -> bytes:
    value = raw(row, column)
    assert value is not None
    return value


def test_saved_secret_is_sealed_and_comes_out_by_reveal_alone() -> None:
    row = a_credential(a_tenant())
    assert row.secrets.reveal() == SECRETS
    stored = stored_in(row, "secrets")
    assert stored[0] == 1
    assert b"planted" not in stored


class EveryText(TestCase):
    @given(st.text(st.characters(codec=None)))
    def test_every_text_comes_back(self, text: str) -> None:
        row = a_token(a_tenant(f"t-{uuid4()}"), access_token=text)
        assert row.access_token.reveal() == text


@pytest.mark.parametrize("read_back", [True, False], ids=["read back", "just assigned"])
def test_value_shows_as_dots_wherever_it_is_printed(read_back: bool) -> None:
    row = a_credential(a_tenant())
    if not read_back:
        row.secrets = {"token": "planted-token"}
    value = row.secrets
    shown = [str(value), repr(value), f"{value}", f"{value!r}", repr(row.__dict__)]
    assert all(DOTS in text and "planted" not in text for text in shown)
    assert str(value) == DOTS


@pytest.mark.parametrize("read_back", [True, False], ids=["read back", "just assigned"])
def test_value_and_its_row_can_not_be_pickled_or_written_as_json(read_back: bool) -> None:
    row = a_credential(a_tenant())
    if not read_back:
        row.secrets = {"token": "planted-token"}
    for thing in (row.secrets, row):
        with pytest.raises(TypeError, match="can't be pickled"):
            pickle.dumps(thing)
    with pytest.raises(TypeError):
        json.dumps(row.secrets)


def test_copies_of_value_and_row_open() -> None:
    row = a_credential(a_tenant())
    for twin in (copy.copy(row), copy.deepcopy(row)):
        assert twin.secrets.reveal() == SECRETS
    assert copy.deepcopy(row.secrets).reveal() == SECRETS
    row.secrets = {"token": "other"}
    assert copy.deepcopy(row).secrets.reveal() == {"token": "other"}


def test_assigned_value_reads_as_sealed_before_and_after_save() -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    row.secrets = {"token": "other"}
    assert isinstance(row.secrets, Sealed)
    assert row.secrets.reveal() == {"token": "other"}
    with tenant_scope(tenant.id):
        row.save()
    assert row.secrets.reveal() == {"token": "other"}
    assert read(row).secrets.reveal() == {"token": "other"}


def test_none_is_no_secret() -> None:
    tenant = a_tenant()
    row = a_token(tenant, access_token="planted-token")
    assert row.refresh_token is None
    row.access_token = None
    with tenant_scope(tenant.id):
        row.save()
    assert read(row).access_token is None
    assert raw(row, "access_token") is None


@pytest.mark.parametrize("value", [b"bytes", 7, ["list"], object()])
def test_only_text_mappings_and_none_can_be_assigned(value: Any) -> None:
    row = OAuthToken()
    with pytest.raises(TypeError, match="access_token takes text, a mapping or None"):
        row.access_token = value


def test_secret_without_row_is_not_sealed() -> None:
    with (
        tenant_scope(a_tenant().id),
        pytest.raises(ValueError, match="can't be sealed before its row has config_id"),
    ):
        Credential(secrets={"token": "planted-token"}).save()


def test_id_in_another_spelling_seals_for_the_same_row() -> None:
    tenant = a_tenant()
    with tenant_scope(tenant.id):
        config = AuthConfig.objects.create(
            environment=Environment.objects.get(), name="crm", method="bearer"
        )
        row = OAuthToken.objects.create(config_id=config.pk.hex, access_token="planted-token")
    assert read(row).access_token.reveal() == "planted-token"


def test_bulk_create_seals() -> None:
    tenant = a_tenant()
    with tenant_scope(tenant.id):
        environment = Environment.objects.get()
        configs = [
            AuthConfig.objects.create(environment=environment, name=name, method="bearer")
            for name in ("one", "two")
        ]
        rows = Credential.objects.bulk_create(
            Credential(config=config, secrets={"token": config.name}) for config in configs
        )
    assert [read(row).secrets.reveal() for row in rows] == [{"token": "one"}, {"token": "two"}]


def test_update_refuses_plain_text_and_stores_what_seal_made() -> None:
    tenant = a_tenant()
    row = a_token(tenant, access_token="old")
    column = OAuthToken._meta.get_field("access_token")
    assert isinstance(column, SealedField)
    with tenant_scope(tenant.id):
        with pytest.raises(TypeError, match="is sealed") as caught, transaction.atomic():
            OAuthToken.objects.update(access_token="planted-token")
        assert "planted" not in str(caught.value)
        sealed = seal(column, "new", tenant_id=tenant.id, row_id=row.config_id)
        assert OAuthToken.objects.update(access_token=sealed) == 1
        assert read(row).access_token.reveal() == "new"
        OAuthToken.objects.update(access_token=None)
    assert read(row).access_token is None


def test_bulk_update_refuses_plain_text_and_keeps_what_was_read() -> None:
    tenant = a_tenant()
    row = a_token(tenant, access_token="old")
    before = raw(row, "access_token")
    with tenant_scope(tenant.id):
        OAuthToken.objects.bulk_update([row], ["access_token"])
        assert raw(row, "access_token") == before
        row.access_token = "planted-token"
        with pytest.raises(TypeError, match="access_token is sealed"), transaction.atomic():
            OAuthToken.objects.bulk_update([row], ["access_token"])
    assert raw(row, "access_token") == before


@pytest.mark.parametrize(
    "lookup",
    ["contains", "startswith", "icontains", "iexact", "in", "gt", "lt", "range", "regex", "len"],
)
def test_filters_can_not_probe_a_secret(lookup: str) -> None:
    with unscoped("a test"), pytest.raises(FieldError):
        OAuthToken.objects.filter(**{f"access_token__{lookup}": "planted-token"}).exists()


def test_filters_refuse_plain_text_but_see_whether_there_is_a_secret() -> None:
    row = a_token(a_tenant(), access_token="planted-token")
    with unscoped("a test"):
        refusals: tuple[Any, ...] = (
            {"access_token": "planted"},
            {"access_token__exact": {"a": "b"}},
        )
        for refused in refusals:
            with pytest.raises(TypeError, match="access_token is sealed"):
                OAuthToken.objects.filter(**refused).exists()
        with pytest.raises(TypeError, match="access_token is sealed"):
            OAuthToken.objects.get_or_create(**refusals[0])
        assert OAuthToken.objects.filter(access_token__isnull=False, refresh_token=None).exists()
        assert OAuthToken.objects.filter(access_token=row.access_token).exists()


def test_value_read_without_its_row_is_dots_and_does_not_open() -> None:
    a_token(a_tenant(), access_token="planted-token")
    with unscoped("a test"):
        (value,) = OAuthToken.objects.values_list("access_token", flat=True)
    assert isinstance(value, Sealed)
    assert str(value) == DOTS
    with pytest.raises(TypeError, match="read the whole row"):
        value.reveal()


@pytest.mark.parametrize("how", ["only", "defer", "refresh"])
def test_deferred_secret_opens(how: str) -> None:
    row = a_token(a_tenant(), access_token="planted-token")
    with unscoped("a test"):
        if how == "only":
            row = OAuthToken.objects.only("access_token").get()
        elif how == "defer":
            row = OAuthToken.objects.defer("access_token").get()
        else:
            row.access_token = "other"
            row.refresh_from_db(fields=["access_token"])
        assert row.access_token.reveal() == "planted-token"


def test_value_of_another_row_is_refused_at_save() -> None:
    tenant = a_tenant()
    one, two = a_credential(tenant, "one"), a_credential(tenant, "two", secrets={"token": "two"})
    two.secrets = one.secrets
    with (
        tenant_scope(tenant.id),
        pytest.raises(ValueError, match="sealed for another row"),
        transaction.atomic(),
    ):
        two.save()
    assert read(two).secrets.reveal() == {"token": "two"}


def test_ciphertext_moved_to_another_row_does_not_open() -> None:
    tenant = a_tenant()
    one, two = a_credential(tenant, "one"), a_credential(tenant, "two")
    overwrite(two, "secrets", stored_in(one, "secrets"))
    assert unreadable(read(two).secrets)
    assert not unreadable(read(one).secrets)


def test_ciphertext_moved_to_another_column_does_not_open() -> None:
    row = a_token(a_tenant(), access_token="planted-access", refresh_token="planted-refresh")
    with unscoped("a test"):
        OAuthToken.objects.update(access_token=F("refresh_token"))
    moved = read(row)
    assert unreadable(moved.access_token)
    assert not unreadable(moved.refresh_token)


def test_ciphertext_moved_to_another_tenant_does_not_open_even_with_its_key() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    ours, theirs = a_credential(acme), a_credential(globex)
    overwrite(theirs, "secrets", stored_in(ours, "secrets"))
    assert unreadable(read(theirs).secrets)
    (our_key,), (their_key,) = data_keys(acme), data_keys(globex)
    overwrite(their_key, "wrapped", bytes(our_key.wrapped))
    assert unreadable(read(theirs).secrets)


def test_row_that_claims_another_tenant_does_not_open() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    row = read(a_credential(acme))
    datakeys.current(globex.id)
    row.tenant_id = globex.id
    assert unreadable(row.secrets)


def test_slot_of_a_credential_changes_by_update_alone() -> None:
    row = a_credential(a_tenant())
    with unscoped("a test"):
        Credential.objects.update(slot=Credential.Slot.PREVIOUS)
    assert read(row).secrets.reveal() == SECRETS


@pytest.mark.parametrize("damage", ["altered", "truncated", "empty", "foreign"])
def test_one_unreadable_row_breaks_no_list_and_keeps_its_bytes_when_saved(damage: str) -> None:
    tenant = a_tenant()
    good, bad = a_credential(tenant, "good"), a_credential(tenant, "bad")
    stored = stored_in(bad, "secrets")
    damaged = {
        "altered": stored[:-1] + bytes([stored[-1] ^ 1]),
        "truncated": stored[:-3],
        "empty": b"",
        "foreign": b"somebody else's bytes",
    }[damage]
    overwrite(bad, "secrets", damaged)
    with tenant_scope(tenant.id):
        rows = {row.config.name: row for row in Credential.objects.select_related("config")}
        assert {name: unreadable(row.secrets) for name, row in rows.items()} == {
            "good": False,
            "bad": True,
        }
        assert str(rows["bad"].secrets) == DOTS
        rows["bad"].options = {"prefix": "Token"}
        rows["bad"].save()
    assert stored_in(bad, "secrets") == damaged
    assert read(bad).options == {"prefix": "Token"}
    assert read(good).secrets.reveal() == SECRETS


def test_save_that_was_rolled_back_may_be_repeated() -> None:
    tenant = a_tenant()
    row = a_token(tenant)
    row.access_token = "planted-token"
    with tenant_scope(tenant.id):
        with transaction.atomic():
            row.save()
            transaction.set_rollback(True)
        assert not data_keys(tenant)
        row.save()
    assert read(row).access_token.reveal() == "planted-token"


def test_row_without_tenant_is_sealed_for_the_platform() -> None:
    column = OAuthToken._meta.get_field("access_token")
    assert isinstance(column, SealedField)
    row_id = uuid4()
    sealed = seal(column, "planted-token", tenant_id=None, row_id=row_id)
    assert sealed.reveal() == "planted-token"
    assert [key.number for key in data_keys(None)] == [1]
    assert datakeys.current(None).number == 1


def test_field_is_in_no_model_form() -> None:
    column = Credential._meta.get_field("secrets")
    assert not column.editable
    with pytest.raises(FieldError, match="non-editable"):
        modelform_factory(Credential, fields=["secrets"])


def test_field_survives_a_migration() -> None:
    column = Credential._meta.get_field("secrets")
    _, path, args, kwargs = column.deconstruct()
    assert path == "authconfigs.fields.SealedField"
    assert not args
    assert kwargs == {
        "purpose": "credential.secrets",
        "row": "config_id",
        "fingerprints": "secret_state",
    }
    assert SealedField(**kwargs).deconstruct()[3] == kwargs


@isolate_apps("authconfigs")
def test_check_names_a_missing_column() -> None:
    class Wrong(models.Model):
        secret = SealedField(purpose="wrong.secret", row="nowhere", fingerprints="neither")

        class Meta:
            app_label = "authconfigs"

        def __str__(self) -> str:
            return "wrong"

    found = Wrong._meta.get_field("secret").check()
    assert [message.id for message in found] == ["authconfigs.E001", "authconfigs.E001"]


def test_check_refuses_a_purpose_that_another_field_has(monkeypatch: pytest.MonkeyPatch) -> None:
    column = OAuthToken._meta.get_field("refresh_token")
    assert isinstance(column, SealedField)
    assert column.check() == []
    monkeypatch.setattr(column, "purpose", "oauth_token.access_token")
    assert [message.id for message in column.check()] == ["authconfigs.E002"]
