"""The envelope alone: no database."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authconfigs.errors import SecretUnreadable
from authconfigs.keyring import Keyring, parse_keyring
from authconfigs.sealing import DataKey, Place, Wrapped, new_secret, number_of, unwrap, wrap
from authconfigs.symptoms import Stage, Symptom
from tests.authconfigs.sealed_rows import keys_setting

SECRET = bytes(range(32))
KEY = DataKey.opened(SECRET, 7)
PLACE = Place("credential.secrets", UUID(int=1), "row-1")
SEALED = KEY.seal("planted-secret", PLACE)
KEYRING = parse_keyring(keys_setting(k1="a"))

numbers = st.integers(min_value=1, max_value=2**31 - 1)
tenants = st.none() | st.uuids()
secrets = st.binary(min_size=32, max_size=32)
texts = st.text(st.characters(codec=None))
places = st.builds(Place, st.text(max_size=20), tenants, st.text(max_size=20))
values = texts | st.dictionaries(
    texts, st.recursive(texts | st.booleans() | st.integers(), lambda inner: st.lists(inner))
)


@given(values, places, secrets, numbers)
def test_what_was_sealed_opens_in_its_place(
    value: Any, place: Place, secret: bytes, number: int
) -> None:
    sealed = DataKey.opened(secret, number).seal(value, place)
    assert DataKey.opened(secret, number).open(sealed, place) == value
    assert number_of(sealed) == number


def test_sealed_value_begins_with_a_format_byte_and_the_number_of_its_key() -> None:
    assert SEALED[:5] == b"\x01\x00\x00\x00\x07"


@given(st.text(min_size=8), places)
def test_ciphertext_shows_nothing_and_is_never_the_same_twice(value: str, place: Place) -> None:
    first, second = KEY.seal(value, place), KEY.seal(value, place)
    assert first != second
    assert value.encode("utf-8") not in first


@given(places, places)
def test_value_opens_in_no_other_place(sealed_for: Place, other: Place) -> None:
    assume(sealed_for != other)
    with pytest.raises(SecretUnreadable):
        KEY.open(KEY.seal("planted-secret", sealed_for), other)


@pytest.mark.parametrize(
    "other",
    [
        Place("oauth_token.access_token", PLACE.tenant_id, PLACE.row_id),
        Place(PLACE.purpose, UUID(int=2), PLACE.row_id),
        Place(PLACE.purpose, None, PLACE.row_id),
        Place(PLACE.purpose, PLACE.tenant_id, "row-2"),
        # The same text, cut elsewhere.
        Place(PLACE.purpose[:-1], PLACE.tenant_id, PLACE.row_id),
    ],
    ids=["purpose", "tenant", "platform", "row", "cut"],
)
def test_mac_covers_purpose_tenant_and_row(other: Place) -> None:
    with pytest.raises(SecretUnreadable):
        KEY.open(SEALED, other)


@given(st.integers(min_value=0, max_value=len(SEALED) - 1), st.integers(min_value=1, max_value=255))
def test_altered_value_does_not_open(position: int, change: int) -> None:
    altered = bytearray(SEALED)
    altered[position] ^= change
    with pytest.raises(SecretUnreadable):
        KEY.open(bytes(altered), PLACE)


@given(st.integers(min_value=0, max_value=len(SEALED) - 1))
def test_truncated_value_does_not_open(length: int) -> None:
    for part in (SEALED[:length], SEALED[len(SEALED) - length :]):
        with pytest.raises(SecretUnreadable):
            KEY.open(part, PLACE)


@given(st.binary(max_size=200))
def test_any_other_bytes_do_not_open(value: bytes) -> None:
    with pytest.raises(SecretUnreadable):
        KEY.open(value, PLACE)
    with pytest.raises(SecretUnreadable):
        KEY.open(SEALED + value + b"\x00", PLACE)


def test_number_of_the_key_is_authenticated() -> None:
    renumbered = DataKey.opened(SECRET, 8)
    with pytest.raises(SecretUnreadable):
        renumbered.open(SEALED[:1] + (8).to_bytes(4, "big") + SEALED[5:], PLACE)


@given(secrets)
def test_another_data_key_does_not_open_it(secret: bytes) -> None:
    assume(secret != SECRET)
    with pytest.raises(SecretUnreadable):
        DataKey.opened(secret, 7).open(SEALED, PLACE)


def test_unreadable_is_a_verdict_that_tells_nothing_of_the_value() -> None:
    with pytest.raises(SecretUnreadable) as caught:
        KEY.open(SEALED[:-1] + b"x", PLACE)
    error = caught.value
    assert (error.symptom, error.stage, error.permanent) == (
        Symptom.SECRET_UNREADABLE,
        Stage.CONFIG,
        True,
    )
    assert "current keys" in str(error)
    # The library's text quotes the MAC.
    assert error.__cause__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize(
    "value", [1, None, b"", b"bytes", [], {"a": object()}, {"a": float("nan")}]
)
def test_only_text_and_mappings_that_json_holds_are_sealed(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        KEY.seal(value, PLACE)


@given(values)
def test_fingerprint_is_the_number_of_its_key_and_a_mac(value: Any) -> None:
    number, _, mac = KEY.fingerprint(value).partition(":")
    assert number == "7"
    assert len(bytes.fromhex(mac)) == 32
    assert KEY.fingerprint(value) == DataKey.opened(SECRET, 7).fingerprint(value)


def test_fingerprints_tell_secrets_and_keys_apart_but_not_the_order_of_a_mapping() -> None:
    other_key = DataKey.opened(bytes(32), 7)
    assert KEY.fingerprint("one") != KEY.fingerprint("two")
    assert KEY.fingerprint("one") != other_key.fingerprint("one")
    assert KEY.fingerprint({"a": "1", "b": "2"}) == KEY.fingerprint({"b": "2", "a": "1"})


@given(secrets, tenants, numbers)
def test_wrapped_key_is_unwrapped_for_its_tenant_and_number(
    secret: bytes, tenant_id: UUID | None, number: int
) -> None:
    wrapped = wrap(secret, KEYRING, tenant_id=tenant_id, number=number)
    assert unwrap(wrapped, KEYRING, tenant_id=tenant_id, number=number) == secret
    assert wrapped.master_key_id == "k1"
    assert secret not in wrapped.ciphertext


@given(tenants, numbers, tenants, numbers)
def test_wrapping_is_bound_to_tenant_and_number(
    tenant_id: UUID | None, number: int, other_tenant: UUID | None, other_number: int
) -> None:
    assume((tenant_id, number) != (other_tenant, other_number))
    wrapped = wrap(SECRET, KEYRING, tenant_id=tenant_id, number=number)
    with pytest.raises(SecretUnreadable):
        unwrap(wrapped, KEYRING, tenant_id=other_tenant, number=other_number)


@pytest.mark.parametrize(
    "keyring",
    [parse_keyring(keys_setting(k1="b")), parse_keyring(keys_setting(k2="a"))],
    ids=["wrong key", "missing id"],
)
def test_wrapped_key_needs_its_master_key(keyring: Keyring) -> None:
    wrapped = wrap(SECRET, KEYRING, tenant_id=None, number=1)
    with pytest.raises(SecretUnreadable):
        unwrap(wrapped, keyring, tenant_id=None, number=1)


def test_first_master_key_wraps_and_an_older_one_still_unwraps() -> None:
    old = wrap(SECRET, KEYRING, tenant_id=None, number=1)
    both = parse_keyring(keys_setting(k2="b", k1="a"))
    assert unwrap(old, both, tenant_id=None, number=1) == SECRET
    assert wrap(SECRET, both, tenant_id=None, number=1).master_key_id == "k2"


@given(st.binary(max_size=120))
def test_any_other_bytes_are_no_wrapped_key(ciphertext: bytes) -> None:
    with pytest.raises(SecretUnreadable):
        unwrap(Wrapped(ciphertext, "k1"), KEYRING, tenant_id=None, number=1)


def test_new_data_keys_are_long_and_differ() -> None:
    assert len(new_secret()) == 32
    assert new_secret() != new_secret()


def test_keys_show_in_no_repr() -> None:
    box = KEY._box
    shown = repr(KEY) + repr(box)
    for secret in (SECRET, box._encryption_key, box._mac_key, KEY._fingerprint_key):
        assert repr(secret)[2:-1] not in shown
