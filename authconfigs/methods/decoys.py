"""Invented credentials for the negative control: well-formed, and right nowhere."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def invented(like: str) -> str:
    """Random letters and digits about as long as `like`: 8 to 64."""
    length = min(max(len(like), 8), 64)
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
