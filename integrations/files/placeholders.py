"""Values that a file doesn't hold but names: `${env:NAME}` and `${file:PATH}`."""

import os
import re
from pathlib import Path
from typing import TypeGuard

MAX_BYTES = 2**20

# Braces can't be part of a name, so that two placeholders in one value aren't taken for one.
_PLACEHOLDER = re.compile(r"\$\{(env|file):([^{}\r\n]+)\}")


class Unreadable(Exception):
    """What a placeholder names isn't there; the message says why, without the value."""


def is_placeholder(value: object) -> TypeGuard[str]:
    """Whether this value is entirely a placeholder; anything else stands for itself, `$` included."""
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value) is not None


def resolve(value: str, *, folder: Path) -> str:
    """The text that a value stands for; a PATH is relative to `folder`. Raises Unreadable."""
    match = _PLACEHOLDER.fullmatch(value)
    if match is None:
        return value
    kind, name = match.groups()
    text = _variable(name) if kind == "env" else _file(folder / name, name)
    if "\0" in text:
        raise Unreadable(f"{name} holds a NUL character. Write it without.")
    return text


def _variable(name: str) -> str:
    # The bytes as they are: the locale's idea of text doesn't matter.
    content = os.environb.get(os.fsencode(name))
    if content is None:
        raise Unreadable(
            f"The environment variable {name} isn't set. Set it, or use --keep-secrets to keep what is stored."
        )
    return _decoded(content, f"The environment variable {name}")


def _file(path: Path, name: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "that is no path"
        raise Unreadable(
            f"The file {name} can't be read: {reason}. Name a file that is there and readable."
        ) from None
    if len(content) > MAX_BYTES:
        raise Unreadable(f"The file {name} is larger than {MAX_BYTES // 2**20} MiB. Name another.")
    text = _decoded(content, f"The file {name}")
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")


def _decoded(content: bytes, what: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Unreadable(f"{what} isn't UTF-8. Write it anew in that encoding.") from None
