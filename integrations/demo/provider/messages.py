"""What comes in and what goes out, as frozen values: the endpoints are functions from one to the other."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Received:
    """One request, as it came over the wire. `path` is the request target, with its query."""

    method: str
    path: str
    headers: Headers
    body: bytes

    @property
    def endpoint(self) -> str:
        """The path without its query, decoded."""
        return unquote(urlsplit(self.path).path)

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters of the query, in order, decoded."""
        return parse_qsl(urlsplit(self.path).query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The first header of that name, read as UTF-8, or None."""
        for known, value in self.headers:
            if known.lower() == name.lower():
                try:
                    return value.encode("latin-1").decode("utf-8")
                except UnicodeError:
                    return value
        return None

    def at(self, path: str) -> Self:
        """The same request, sent to another path."""
        return replace(self, path=path)


@dataclass(frozen=True)
class Answer:
    """One answer. `pace` is how it leaves: "" at once, "slow", "drip", or "close" for no answer at all."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    pace: str = ""

    def with_headers(self, *headers: tuple[str, str]) -> "Answer":
        """The same answer, with more headers."""
        return replace(self, headers=(*self.headers, *headers))

    @property
    def document(self) -> dict[str, Any] | None:
        """The JSON object in the body, or None when it holds something else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


def json_answer(value: object, status: int = 200, *, headers: Headers = ()) -> Answer:
    """An answer whose body is `value` as JSON."""
    body = json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"
    return Answer(status, body, (("Content-Type", "application/json"), *headers))


def html_answer(page: str, status: int = 200, *, headers: Headers = ()) -> Answer:
    """An answer whose body is a page for a browser."""
    return Answer(status, page.encode(), (("Content-Type", "text/html; charset=utf-8"), *headers))


def parameters(received: Received) -> dict[str, list[str]]:
    """The parameters of a form or JSON body, each with all its values. Raises ValueError for any other body."""
    media_type = (received.header("Content-Type") or "").partition(";")[0].strip().lower()
    found: dict[str, list[str]] = {}
    if media_type == "application/json":
        document = json.loads(received.body)
        if not isinstance(document, Mapping):
            raise ValueError("The JSON body isn't an object.")
        for name, value in document.items():
            found[name] = [str(one) for one in (value if isinstance(value, list) else [value])]
    elif media_type == "application/x-www-form-urlencoded":
        for name, value in parse_qsl(
            received.body.decode("utf-8"), keep_blank_values=True, errors="strict"
        ):
            found.setdefault(name, []).append(value)
    else:
        raise ValueError("The body must be application/x-www-form-urlencoded or application/json.")
    return found
