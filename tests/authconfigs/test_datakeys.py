"""Data keys: made at the first seal, and never guessed from memory."""

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from authconfigs import datakeys
from authconfigs.errors import SecretUnreadable
from authconfigs.fields import SealedField
from authconfigs.models import Credential, DataKey
from tenants.scope import tenant_scope, unscoped
from tests.authconfigs.sealed_rows import (
    SECRETS,
    a_credential,
    a_tenant,
    data_keys,
    keys_setting,
    overwrite,
    raw,
    read,
)

pytestmark = pytest.mark.django_db


def test_tenant_gets_its_data_key_at_the_first_seal_and_keeps_it() -> None:
    tenant = a_tenant()
    assert not data_keys(tenant)
    a_credential(tenant, "one")
    (first,) = data_keys(tenant)
    a_credential(tenant, "two")
    assert data_keys(tenant) == [first]
    assert (first.number, first.master_key_id, first.retired_at) == (1, "k1", None)


def test_every_tenant_and_the_platform_have_keys_of_their_own() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    secrets = {
        datakeys.unwrapped(row)
        for owner in (acme, globex, None)
        if datakeys.current(owner.id if owner else None)
        for row in data_keys(owner)
    }
    assert len(secrets) == 3


def test_fingerprints_of_two_tenants_tell_nothing_of_each_other() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    ours = datakeys.current(acme.id).fingerprint("planted-token")
    assert ours == datakeys.current(acme.id).fingerprint("planted-token")
    assert ours != datakeys.current(globex.id).fingerprint("planted-token")
    assert ours.startswith("1:")


def test_write_reads_which_key_is_current() -> None:
    tenant = a_tenant()
    a_credential(tenant, "one")
    assert datakeys.current(tenant.id).number == 1
    datakeys.make(tenant.id, 2)
    assert datakeys.current(tenant.id).number == 2
    row = a_credential(tenant, "two")
    stored = raw(row, "secrets")
    assert stored is not None
    assert stored[:5] == b"\x01\x00\x00\x00\x02"


def test_older_and_retired_keys_still_open() -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    datakeys.make(tenant.id, 2)
    DataKey.objects.filter(tenant=tenant, number=1).update(retired_at="2030-01-01T00:00:00Z")
    assert datakeys.current(tenant.id).number == 2
    assert read(row).secrets.reveal() == SECRETS


def test_key_whose_transaction_was_rolled_back_harms_nobody() -> None:
    tenant = a_tenant()
    with transaction.atomic():
        a_credential(tenant, "lost")
        (lost,) = data_keys(tenant)
        lost_secret = datakeys.unwrapped(lost)
        transaction.set_rollback(True)
    # The same tenant and number, and this process has opened the lost one.
    row = a_credential(tenant, "kept")
    (kept,) = data_keys(tenant)
    assert (kept.number, lost.number) == (1, 1)
    assert kept.id != lost.id
    assert datakeys.unwrapped(kept) != lost_secret
    assert read(row).secrets.reveal() == SECRETS
    # And so does a process that has never seen the lost one.
    fresh = datakeys.DataKey.opened(datakeys.unwrapped(kept), 1)
    column = Credential._meta.get_field("secrets")
    assert isinstance(column, SealedField)
    assert fresh.open(raw(row, "secrets") or b"", column.place_of(row)) == SECRETS


def test_opened_key_is_remembered_by_its_row(settings: Settings) -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    (key,) = data_keys(tenant)
    # Another process wraps it with a master key that this one doesn't know.
    overwrite(key, "wrapped", b"unknown wrapping")
    assert read(row).secrets.reveal() == SECRETS
    settings.FIELD_ENCRYPTION_KEYS = keys_setting(k1="z")
    with pytest.raises(SecretUnreadable):
        read(row).secrets.reveal()


def test_value_that_names_no_key_does_not_open() -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    DataKey.objects.all().delete()
    with pytest.raises(SecretUnreadable):
        read(row).secrets.reveal()


def test_wrong_but_well_formed_key_makes_values_unreadable_and_overwrites_nothing(
    settings: Settings,
) -> None:
    tenant = a_tenant()
    row = a_credential(tenant)
    before, right = raw(row, "secrets"), settings.FIELD_ENCRYPTION_KEYS
    keys = [(key.id, bytes(key.wrapped)) for key in data_keys(tenant)]
    assert datakeys.unreadable() == 0
    settings.FIELD_ENCRYPTION_KEYS = keys_setting(k1="z")
    assert datakeys.unreadable() == 1
    wrong = read(row)
    with pytest.raises(SecretUnreadable):
        wrong.secrets.reveal()
    with tenant_scope(tenant.id):
        wrong.options = {"prefix": "Token"}
        wrong.save()
        wrong.secrets = {"token": "other"}
        with pytest.raises(SecretUnreadable), transaction.atomic():
            wrong.save()
    assert raw(row, "secrets") == before
    assert [(key.id, bytes(key.wrapped)) for key in data_keys(tenant)] == keys
    settings.FIELD_ENCRYPTION_KEYS = right
    assert read(row).secrets.reveal() == SECRETS
    assert datakeys.unreadable() == 0


def test_data_key_moved_to_another_tenant_or_number_does_not_open() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    datakeys.current(acme.id)
    datakeys.current(globex.id)
    (ours,), (theirs,) = data_keys(acme), data_keys(globex)
    overwrite(theirs, "wrapped", bytes(ours.wrapped))
    assert datakeys.unreadable() == 1
    DataKey.objects.filter(id=ours.id).update(number=2)
    assert datakeys.unreadable() == 2


def test_number_is_unique_per_tenant_and_for_the_platform() -> None:
    tenant = a_tenant()
    for owner in (tenant.id, None):
        datakeys.current(owner)
        with pytest.raises(IntegrityError), transaction.atomic():
            DataKey.objects.create(tenant_id=owner, number=1, wrapped=b"", master_key_id="k1")


def test_deleted_tenant_takes_its_data_keys_along() -> None:
    acme, globex = a_tenant("acme"), a_tenant("globex")
    datakeys.current(acme.id)
    datakeys.current(globex.id)
    with unscoped("a tenant is deleted"):
        acme.delete()
    assert {row.tenant for row in DataKey.objects.all()} == {globex}
    with pytest.raises(SecretUnreadable):
        datakeys.numbered(acme.id, 1)


def test_keychain_opens_a_batch_and_names_what_it_can_not() -> None:
    tenant = a_tenant()
    one, two = a_credential(tenant, "one"), a_credential(tenant, "two")
    overwrite(two, "secrets", b"\x01\x00\x00\x00\x09" + b"x" * 100)
    keys = datakeys.Keychain()
    place = one.secrets.place
    assert keys.reveal(raw(one, "secrets") or b"", place) == SECRETS
    for _ in range(2):
        with pytest.raises(SecretUnreadable):
            keys.reveal(raw(two, "secrets") or b"", place)
