"""The form of a file, as a table: which keys a thing has, of what type, and which it can't be without.

Only form is judged here. What a value may be is judged by who saves it, so that a file and a page hear the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from integrations.files.problems import Problem, child

_Problems = list[Problem]
# Gives the value in its own type, or None after adding a problem.
_Check = Callable[[Any, str, _Problems], Any]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Entry:
    """One thing that the file describes. `given` are the keys that it has there; `null` is None."""

    path: str
    given: Mapping[str, Any] = field(repr=False)

    def __contains__(self, key: str) -> bool:
        return key in self.given

    def __getitem__(self, key: str) -> Any:
        return self.given[key]

    def entries(self, key: str) -> tuple["Entry", ...]:
        """The list under this key; empty where there is none."""
        return self.given.get(key) or ()

    def value(self, key: str, *, stored: Any, default: Any) -> Any:
        """What holds after this file: an absent key keeps what is stored, `null` resets to the default."""
        if key not in self.given:
            return stored
        return default if self.given[key] is None else self.given[key]

    def at(self, *keys: str) -> str:
        """The path of a value below this entry."""
        path = self.path
        for key in keys:
            path = child(path, key)
        return path


@dataclass(frozen=True)
class Shape:
    """A mapping with these keys and no others."""

    keys: Mapping[str, _Check]
    required: tuple[str, ...] = ()

    def __call__(self, value: Any, path: str, problems: _Problems) -> Entry | None:
        if not isinstance(value, dict):
            problems.append(
                Problem(
                    path, f"This must be a mapping, not {_kind(value)}: write names and values."
                )
            )
            return None
        given: dict[str, Any] = {}
        for key, found in value.items():
            check = self.keys.get(key)
            if check is None:
                known = ", ".join(self.keys)
                problems.append(
                    Problem(
                        child(path, key),
                        f"Unknown key. Known are: {known}. Use one of those, or leave it out.",
                    )
                )
            elif found is not None:
                given[key] = check(found, child(path, key), problems)
            elif key not in self.required:
                given[key] = None
        problems += [
            Problem(child(path, key), "This is missing: add it.")
            for key in self.required
            if value.get(key) is None
        ]
        return Entry(path, given)


def _kind(value: Any) -> str:
    names = {
        dict: "a mapping",
        list: "a list",
        str: "text",
        bool: "true or false",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def _typed(wanted: type, name: str) -> _Check:
    def check(value: Any, path: str, problems: _Problems) -> Any:
        if type(value) is wanted:
            return value
        quotable = wanted is str and not isinstance(value, dict | list)
        fix = "Put it in quotes." if quotable else f"Write {name}."
        problems.append(Problem(path, f"This must be {name}, not {_kind(value)}. {fix}"))
        return None

    return check


text = _typed(str, "text")
flag = _typed(bool, "true or false")
whole_number = _typed(int, "a whole number")
mapping = _typed(dict, "a mapping")


def day(value: Any, path: str, problems: _Problems) -> date | None:
    """A date as in 2027-01-31."""
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    problems.append(Problem(path, "This must be a date: write it as in 2027-01-31."))
    return None


def _as_text(value: Any, path: str, problems: _Problems) -> Any:
    """Text; a whole number counts as text."""
    return text(str(value) if type(value) is int else value, path, problems)


def texts(value: Any, path: str, problems: _Problems) -> dict[str, str] | None:
    """A mapping of text to text."""
    if mapping(value, path, problems) is None:
        return None
    return {key: _as_text(item, child(path, key), problems) for key, item in value.items()}


def parameters(value: Any, path: str, problems: _Problems) -> dict[str, Any] | None:
    """A mapping of text to text, or to lists of text."""
    if mapping(value, path, problems) is None:
        return None
    found: dict[str, Any] = {}
    for key, item in value.items():
        place = child(path, key)
        if isinstance(item, list):
            found[key] = [
                _as_text(one, child(place, index), problems) for index, one in enumerate(item)
            ]
        else:
            found[key] = _as_text(item, place, problems)
    return found


def secrets(value: Any, path: str, problems: _Problems) -> dict[str, Any] | None:
    """A mapping of names to text, to null, or to mappings whose values may be lists of text besides."""
    if mapping(value, path, problems) is None:
        return None
    for key, item in value.items():
        place = child(path, key)
        if isinstance(item, dict):
            for name, inner in item.items():
                _texts_or_null(inner, child(place, name), problems)
        elif item is not None:
            text(item, place, problems)
    return dict(value)


def _texts_or_null(value: Any, path: str, problems: _Problems) -> None:
    if isinstance(value, list):
        for index, one in enumerate(value):
            text(one, child(path, index), problems)
    elif value is not None:
        text(value, path, problems)


def statuses(value: Any, path: str, problems: _Problems) -> list[int] | None:
    """A list of HTTP statuses."""
    if _typed(list, "a list")(value, path, problems) is None:
        return None
    for index, item in enumerate(value):
        whole_number(item, child(path, index), problems)
    return list(value)


def each(shape: Shape) -> _Check:
    """A list of things of one shape."""

    def check(value: Any, path: str, problems: _Problems) -> tuple[Entry, ...] | None:
        if _typed(list, "a list")(value, path, problems) is None:
            return None
        found = [shape(item, child(path, index), problems) for index, item in enumerate(value)]
        return tuple(entry for entry in found if entry is not None)

    return check


ENVIRONMENT = Shape({"slug": text, "name": text, "protected": flag}, required=("slug",))
STAFF = Shape(
    {"username": text, "email": text, "role": text, "password": text, "home": text},
    required=("username",),
)
CONFIG = Shape(
    {
        "name": text,
        "environment": text,
        "description": text,
        "owner": text,
        "rotate_by": day,
        "disabled": flag,
        "method": text,
        "options": mapping,
        "secrets": secrets,
    },
    required=("name", "environment"),
)
TEST = Shape(
    {
        "method": text,
        "path": text,
        "headers": texts,
        "body": text,
        "expect": statuses,
        "negative_control": flag,
    }
)
CONNECTION = Shape(
    {
        "environment": text,
        "name": text,
        "base_url": text,
        "auth_config": text,
        "timeout": whole_number,
        "headers": texts,
        "query": parameters,
        "test": TEST,
    },
    required=("environment",),
)
INTEGRATION = Shape(
    {
        "slug": text,
        "name": text,
        "headers": texts,
        "query": parameters,
        "connections": each(CONNECTION),
    },
    required=("slug",),
)
TENANT = Shape(
    {
        "slug": text,
        "name": text,
        "disabled": flag,
        "environments": each(ENVIRONMENT),
        "staff": each(STAFF),
        "auth_configs": each(CONFIG),
        "integrations": each(INTEGRATION),
    },
    required=("slug",),
)


def version(value: Any, path: str, problems: _Problems) -> int:
    """The version of the format."""
    if type(value) is not int or value != 1:
        problems.append(
            Problem(
                path, "This version of the console reads version 1: write that, or leave it out."
            )
        )
    return 1


FILE = Shape({"version": version, "tenants": each(TENANT)}, required=("tenants",))
