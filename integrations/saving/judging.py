"""What may stand in an integration and in a connection. Addresses are judged by syntax and scheme; hosts when used."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from authconfigs.models import AuthConfig
from authconfigs.outgoing import Query, build_request, origin_of, refuse_bad_header
from integrations.models import Connection
from tenants.wording import column_errors

Errors = dict[str, list[str]]

MAX_TIMEOUT = 3600
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")
# What no database holds: NUL, and halves of surrogate pairs.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def base_url_errors(url: str) -> list[str]:
    """What keeps an address from being a base URL."""
    if _BLANK_OR_CONTROL.search(url) or "\\" in url:
        return [
            "The URL has a blank, a control character or a backslash: type it without, a blank as %20."
        ]
    try:
        origin_of(url)
        parts = urlsplit(url)
    except ValueError:
        return [
            "Give the URL with http:// or https:// and a host, as in https://api.example.com/v1."
        ]
    if parts.username is not None or parts.password is not None:
        return ["The URL has a user name or password: keep those in an auth config."]
    if not parts.path.isascii():
        return [
            "The path of the URL has letters that a URL can't have: write them percent-encoded, ü as %C3%BC."
        ]
    if "?" in url or "#" in url:
        return ["The URL has a query or a fragment: leave everything from ? or # out."]
    return []


def header_errors(headers: Mapping[str, str]) -> list[str]:
    """What keeps these from being sent as headers."""
    try:
        for name, value in headers.items():
            refuse_bad_header(name, value)
    except ValueError as error:
        return [str(error)]
    lower = [name.lower() for name in headers]
    twice = sorted({name for name in lower if lower.count(name) > 1})
    return [f"The header {name} is there twice: leave one of them out." for name in twice]


def query_errors(query: Query) -> list[str]:
    """What keeps these from being stored as parameters; the request escapes all that a query can't carry."""
    for name, value in query.items():
        if _UNSTORABLE.search("".join([name, *value])):
            return ["A parameter has a NUL or half of a surrogate pair: leave that out."]
    return []


def connection_errors(
    values: Mapping[str, Any], config: AuthConfig | None, *, connection: Connection
) -> Errors:
    """What keeps these columns from being stored; `connection` says where, and which one is changed."""
    errors = column_errors(Connection(**values), ["name", "base_url", "test_method", "test_path"])
    environment = connection.environment
    if config is not None and config.environment_id != environment.id:
        errors["auth_config"] = [f"Choose an auth config of {environment.slug}: this isn't one."]
    if "base_url" not in errors:
        errors["base_url"] = base_url_errors(values["base_url"])
    is_new_name = connection._state.adding or values["name"] != connection.name
    others = Connection.objects.filter(integration=connection.integration, environment=environment)
    if is_new_name and others.filter(name=values["name"]).exists():
        errors["name"] = [
            f"There is a connection {values['name']} in {environment.slug} already: choose another name, or edit that one."
        ]
    errors = {**_request_errors(values), **errors}
    return {field: messages for field, messages in errors.items() if messages}


def _request_errors(values: Mapping[str, Any]) -> Errors:
    errors = {"test_headers": header_errors(values["test_headers"])}
    for column, method, path in (
        ("test_method", values["test_method"], ""),
        ("test_path", "GET", values["test_path"]),
    ):
        try:
            build_request(method, "https://api.example.com", path)
        except ValueError as error:
            errors[column] = [str(error)]
    if any(not 100 <= status <= 599 for status in values["test_expect"]):
        errors["test_expect"] = [
            "A status is a number from 100 to 599: write those that the API answers, as in 200, 204."
        ]
    if _UNSTORABLE.search(values["test_body"] or ""):
        errors["test_body"] = ["The body has a NUL or half of a surrogate pair: leave that out."]
    timeout = values["timeout"]
    if timeout is not None and not 1 <= timeout <= MAX_TIMEOUT:
        errors["timeout"] = [f"A timeout is 1 to {MAX_TIMEOUT} seconds: write another number."]
    return errors
