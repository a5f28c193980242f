"""Invented credentials for the negative control: well-formed, and right nowhere."""

import string
from secrets import choice

_HEX = frozenset(string.hexdigits)
_KEPT = frozenset("-_.~+/=")
# Fewer random characters could be right somewhere by chance.
_ENOUGH = 16


def invented(like: str) -> str:
    """Random, in the shape of `like`: as long, digits for digits, letters for letters; at least 16 characters."""
    random = [char for char in like if char not in _KEPT]
    if len(random) < _ENOUGH:
        return "".join(choice(string.ascii_letters) for _ in range(max(len(like), _ENOUGH)))
    is_hex = _HEX.issuperset(random)
    return "".join(char if char in _KEPT else _another(char, is_hex=is_hex) for char in like)


def invented_user() -> str:
    """A user name that nobody has: a wrong password for a real one could lock the account."""
    return f"nobody-{''.join(choice(string.ascii_lowercase) for _ in range(_ENOUGH))}"


def _another(char: str, *, is_hex: bool) -> str:
    if char in string.digits:
        return choice(string.digits)
    letters = "abcdef" if is_hex else string.ascii_lowercase
    return choice(letters.upper() if char.isupper() else letters)
