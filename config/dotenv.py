"""Writes `.env`: `python -m config.dotenv` makes it if it is missing; with NAME=VALUE, adds what isn't set there yet."""

import base64
import os
import re
import secrets
import sys
from pathlib import Path

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"


def create(path: Path) -> bool:
    """Write fresh random keys to a file that only its owner may read; an existing one is left alone.

    Returns whether it was made.
    """
    master_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    text = (
        "# Made by `make install`. Keep a copy of FIELD_ENCRYPTION_KEYS apart from the database:\n"
        "# without it no stored secret can be read again.\n"
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"FIELD_ENCRYPTION_KEYS=k1:{master_key}\n"
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def add(path: Path, name: str, *, value: str) -> bool:
    """Append NAME=VALUE unless the file sets NAME already; returns whether it was added."""
    text = path.read_text(encoding="utf-8")
    if re.search(rf"^(?:export )?{re.escape(name)}=", text, re.MULTILINE):
        return False
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{name}={value}\n")
    return True


def main(arguments: list[str]) -> None:
    if create(ENV_FILE):
        sys.stdout.write("Made .env with fresh random keys.\n")
    for argument in arguments:
        name, _, value = argument.partition("=")
        add(ENV_FILE, name, value=value)


if __name__ == "__main__":
    main(sys.argv[1:])
