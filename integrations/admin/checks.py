"""What to check after a failed test, each with a link to the field that it is about."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from authconfigs import methods
from integrations.models import ConnectionTest

# Facts that fields of the connection hold, by the names of their fields.
_OF_CONNECTION = {
    "base_url": "base_url",
    "connection": "",
    "content_type": "test_headers",
    "expected": "test_expect",
    "location": "base_url",
    "request": "test_path",
}
_OF_CONFIG = {"auth_config": "", "method": ""}


@dataclass(frozen=True)
class Check:
    """`url` leads to the field; empty where the check is about nothing in the console."""

    text: str
    url: str


def checks_of(test: ConnectionTest) -> Iterator[Check]:
    """The checks in their order."""
    for number, text in enumerate(test.checks):
        field = test.check_fields[number] if number < len(test.check_fields) else ""
        yield Check(text, _url(test, field))


def _url(test: ConnectionTest, field: str) -> str:
    connection, config = test.connection, test.config
    if config is not None:
        options = methods.stored(config.method).option_names
        names = {**_OF_CONFIG, **dict(zip(options, options, strict=True))}
        if field in names:
            page = reverse("admin:authconfigs_authconfig_change", args=[config.id])
            return _at(page, names[field])
    if connection is not None and field in _OF_CONNECTION:
        page = reverse("admin:integrations_connection_change", args=[connection.id])
        return _at(page, _OF_CONNECTION[field])
    return ""


def _at(page: str, field: str) -> str:
    return f"{page}#id_{field}" if field else page
