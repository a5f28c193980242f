"""Turns the text of a setting into its value.

Every function takes the text and raises ValueError with a sentence that says what is expected and never quotes the text.
"""

import ipaddress
import logging
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def boolean(text: str) -> bool:
    if text.lower() in {"1", "true", "on", "yes", "y", "ok"}:
        return True
    if text.lower() in {"0", "false", "off", "no", "n"}:
        return False
    raise ValueError("should be on or off.")


def positive_int(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise ValueError("should be a whole number above 0.")


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if 0 < value < 86400:
        return value
    raise ValueError("should be a number of seconds above 0, for example 20.")


def words(text: str) -> list[str]:
    """The entries of a comma-separated list, without blanks around them."""
    return [word for word in (part.strip() for part in text.split(",")) if word]


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Comma-separated CIDRs; an address alone means that address."""
    try:
        return tuple(ipaddress.ip_network(word) for word in words(text))
    except ValueError:
        raise ValueError(
            "should be comma-separated networks such as 10.1.0.0/16,fd00::/8, without host bits."
        ) from None


def log_level(text: str) -> int:
    if text.upper() in _LEVELS:
        return logging.getLevelNamesMapping()[text.upper()]
    raise ValueError(f"should be one of {', '.join(_LEVELS)}.")


def existing_file(text: str) -> str:
    if not Path(text).is_file():
        raise ValueError("names a file that isn't there.")
    return text


def proxy(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("should look like http://proxy.example.com:3128.")
    return text


@dataclass(frozen=True)
class BaseUrl:
    """Where browsers and providers find the console: scheme, host and port."""

    text: str
    secure: bool
    hosts: tuple[str, ...]


def base_url(text: str) -> BaseUrl:
    """An address such as https://console.example.com, without path, query or user name."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if (
        not host
        or any(character.isspace() or ord(character) < 33 for character in text)
        or parts.scheme not in {"http", "https"}
        or parts.path.strip("/")
        or port == 0
        or "?" in text
        or "#" in text
        or "@" in text
    ):
        raise ValueError("should look like https://console.example.com, without a path.")
    name = f"[{host}]" if ":" in host else host
    hosts = _LOOPBACK_NAMES if name in _LOOPBACK_NAMES else (name,)
    return BaseUrl(text.rstrip("/"), secure=parts.scheme == "https", hosts=hosts)


def database(text: str) -> dict[str, Any]:
    """Django's DATABASES entry for a sqlite:/// or postgres:// address."""
    scheme = text.partition("://")[0]
    if scheme not in {"sqlite", "postgres", "postgresql", "psql", "pgsql"}:
        raise ValueError("should begin with postgres:// or sqlite:///.")
    try:
        entry: dict[str, Any] = environ.Env.db_url_config(text)
    except (ValueError, LookupError, AttributeError):
        raise ValueError(
            "should look like postgres://user:password@host:5432/name, special characters"
            " percent-encoded, or sqlite:////folder/file.sqlite3."
        ) from None
    options = entry.setdefault("OPTIONS", {})
    if scheme == "sqlite":
        # Without IMMEDIATE, writers that began by reading fail at once with "database is locked".
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("timeout", 30)
        options.setdefault("init_command", "PRAGMA journal_mode=WAL")
    else:
        # In code, because an address can only carry it as text, which crashes. Enough for every web thread.
        options["pool"] = {"min_size": 0, "max_size": 20, "timeout": 30}
        entry["CONN_HEALTH_CHECKS"] = True
    return entry


def broker(text: str) -> str:
    """Celery's address of the broker; `filesystem://` may name a folder of its own."""
    if text.partition("://")[0] in {"filesystem", "redis", "rediss", "amqp", "amqps", "pyamqp"}:
        return text
    raise ValueError("should be filesystem://, or begin with redis:// or amqp://.")


def email(text: str) -> dict[str, Any]:
    """Django's EMAIL_* settings for an address such as smtp+tls://user:password@host:587."""
    try:
        return dict(environ.Env.email_url_config(text))
    except Exception:
        raise ValueError(
            "should look like smtp+tls://user:password@host:587, or consolemail://."
        ) from None
