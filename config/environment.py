"""Reads settings from the environment and from `.env`; a real variable wins.

A value that can't be used ends the process with exit code 2 and one line on stderr: the variable and what it should look
like, never the value. A traceback would show it.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn, Self, TypeVar

import environ

_Value = TypeVar("_Value")

_ASSIGNMENT = re.compile(r"(?:export )?[A-Za-z_0-9]+=.*")


def refuse(name: str, reason: str) -> NoReturn:
    """End the process: `name` can't be used, `reason` says why and what to do; it never quotes the value."""
    sys.stderr.write(f"{name}: {reason}\n")
    raise SystemExit(2)


@dataclass(frozen=True, repr=False)
class Environment:
    """The variables of the process over those of a `.env` file."""

    values: Mapping[str, str]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file, if there is one, without handing its secrets on to child processes."""
        _check_lines(path)

        class Variables(environ.Env):  # type: ignore[misc]
            ENVIRON: ClassVar = dict(os.environ)

        Variables.read_env(path)
        return cls(Variables.ENVIRON)

    def read(
        self, name: str, parse: Callable[[str], _Value], *, default: str | None = None
    ) -> _Value:
        """The parsed value of a variable; unset or blank takes `default`, and without one it is required.

        `parse` raises ValueError with a sentence that is fit to be shown: it says what is expected.
        """
        text = self.values.get(name, "").strip() or default
        if text is None:
            refuse(
                name, "is not set. Put it into the environment or .env; `make install` makes one."
            )
        try:
            return parse(text)
        except ValueError as error:
            refuse(name, str(error))

    def optional(self, name: str, parse: Callable[[str], _Value]) -> _Value | None:
        """As `read`; unset or blank is None."""
        return self.read(name, parse) if self.values.get(name, "").strip() else None


def private_folder(path: Path) -> None:
    """Make a folder that only this user may open, if it is missing; end the process where that can't be done."""
    try:
        make_private(path)
    except OSError as error:
        refuse(path.name, f"this folder can't be made: {error.strerror}.")


def make_private(path: Path) -> None:
    """The same. Raises OSError."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def _check_lines(path: Path) -> None:
    # django-environ would log a line that it can't read, and with it the secret on it.
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError):
        refuse(path.name, "can't be read as UTF-8 text.")
    for number, line in enumerate(lines, start=1):
        if line and not line.startswith("#") and not _ASSIGNMENT.fullmatch(line):
            refuse(path.name, f"line {number} isn't NAME=value (no blanks around the equals sign).")
