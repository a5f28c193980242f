import base64
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs.keyring import EXAMPLE_KEY, KeyringError, parse_keyring


def encoded(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode()


ONE, TWO = encoded(b"1" * 32), encoded(b"2" * 32)

ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=16)
secrets = st.binary(min_size=32, max_size=32)


def test_first_key_wraps_and_all_are_read() -> None:
    keyring = parse_keyring(f"k2:{TWO},k1:{ONE}")
    assert keyring.primary.id == "k2"
    found = [keyring.get(name) for name in ("k1", "k2")]
    assert [key and key.secret for key in found] == [b"1" * 32, b"2" * 32]
    assert keyring.get("k3") is None


@given(st.dictionaries(ids, secrets, min_size=1, max_size=5), st.text(" \t\n", max_size=3))
def test_every_well_formed_keyring_is_read_back(keys: dict[str, bytes], blanks: str) -> None:
    if len(set(keys.values())) < len(keys):
        return
    text = ",".join(f"{blanks}{name}:{encoded(key)}{blanks}" for name, key in keys.items())
    assert {key.id: key.secret for key in parse_keyring(text).keys} == keys


def test_padding_may_be_left_out() -> None:
    assert parse_keyring(f"k1:{ONE.rstrip('=')}").primary.secret == b"1" * 32


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no key"),
        (" ", "holds no key"),
        (ONE, "key 1 isn't id:key"),
        (f":{ONE}", "key 1 isn't id:key"),
        (f"K1:{ONE}", "key 1 isn't id:key"),
        (f"a-b:{ONE}", "key 1 isn't id:key"),
        (f"{'a' * 17}:{ONE}", "key 1 isn't id:key"),
        (f"k1 :{ONE}", "key 1 isn't id:key"),
        (f"k1:{ONE},", "key 2 isn't id:key"),
        (f"k1:{ONE};k2:{TWO}", "key 1 isn't base64url"),
        ("k1:", "key 1 isn't base64url"),
        ("k1:not base64url!", "key 1 isn't base64url"),
        ("k1:A", "key 1 isn't base64url"),
        (f"k1:{'+' * 43}=", "key 1 isn't base64url"),
        (f"k1:{encoded(b'1' * 31)}", "key 1 is too short"),
        (f"k1:{encoded(b'1' * 33)}", "key 1 is too long"),
        (f"k1:{ONE},k1:{TWO}", "key 2 has the id of an earlier one"),
        (f"k1:{ONE},k2:{ONE}", "key 2 repeats an earlier one"),
        (f"k1:{ONE},k2:{EXAMPLE_KEY}", "key 2 is the example"),
        (f"k1:{EXAMPLE_KEY.rstrip('=')}", "key 1 is the example"),
    ],
)
def test_bad_keyring_is_refused_with_its_reason_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(KeyringError, match=reason) as caught:
        parse_keyring(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=100))
def test_refusal_never_quotes_what_was_set(text: str) -> None:
    planted = f"{text}:planted-secret"
    with pytest.raises(KeyringError) as caught:
        parse_keyring(planted)
    assert "planted-secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_keys_show_in_no_repr() -> None:
    shown = repr(parse_keyring(f"k1:{ONE}"))
    assert "k1" in shown
    assert repr(b"1" * 32) not in shown


def test_settings_can_read_it_without_django_or_a_cipher() -> None:
    program = (
        "import sys, authconfigs.keyring;"
        "print([name for name in sys.modules if name.startswith(('django', 'cryptography'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
