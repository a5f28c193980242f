"""From bytes to plain values: JSON (RFC 8259) first, else YAML 1.2 by its core schema (§10.3).

A hostile or broken file costs bounded time and memory: size, depth and the number of values that aliases expand to are
limited. Equal keys are refused. Reasons name a line, never what stands there.
"""

import functools
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn

from integrations.files.problems import MAX_DEPTH, TOO_DEEP, BadFile, child, refuse
from integrations.files.yaml12 import parse_yaml

MAX_BYTES = 16 * 2**20
# The keys and indices that lead to a value.
_Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """What a file says. `lines` leads from a path to its line; a path that came by an alias, or from JSON, has none."""

    value: Any = field(repr=False)
    lines: Mapping[str, int]


def read_bytes(stream: BinaryIO) -> bytes:
    """All of a stream. Raises BadFile when that is too much."""
    content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        refuse(f"The file is larger than {MAX_BYTES // 2**20} MiB. Apply it in parts.")
    return content


def parse(content: bytes) -> Document:
    """The values of a JSON or YAML text in UTF-8. Raises BadFile."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        refuse("The file isn't UTF-8. Write it anew in that encoding.", line=line)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_json)
    except (BadFile, RecursionError) as problem:
        # The reader of YAML knows the line.
        parse_yaml(text)
        if isinstance(problem, BadFile):
            raise
        refuse(TOO_DEEP)
    except ValueError:
        value, lines = parse_yaml(text)
    else:
        lines = {}
    if isinstance(value, dict | list):
        _check(value)
    return Document(value, lines)


def lines_of(content: bytes) -> Mapping[str, int]:
    """The lines of a JSON text's paths, as far as a reader of YAML finds them."""
    try:
        return parse_yaml(content.decode("utf-8-sig"))[1]
    except (BadFile, UnicodeDecodeError):
        return {}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        refuse(f"The key {twice!r} stands twice in one object. Leave one of them out.")
    return found


def _not_json(constant: str) -> NoReturn:
    raise ValueError


def _check(value: Any, place: _Place = ()) -> None:
    """Refuse too much depth, and what escapes can say but no database holds."""
    if len(place) >= MAX_DEPTH:
        refuse(TOO_DEEP, path=_path(place))
    if isinstance(value, dict):
        # A key that can't be stored can't be shown either: its mapping stands for it.
        for reason in filter(None, map(_unstorable, value)):
            refuse(reason, path=_path(place))
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict | list):
            _check(item, (*place, key))
        elif reason := _unstorable(item):
            refuse(reason, path=_path((*place, key)))


def _unstorable(item: Any) -> str:
    """What keeps a single value from being stored."""
    if isinstance(item, str):
        if not item.isascii() and _has_half_a_pair(item):
            return "A text holds half of a surrogate pair."
        if "\0" in item:
            return "A text holds a NUL character."
    elif isinstance(item, float) and not math.isfinite(item):
        return "A number is too large."
    return ""


def _has_half_a_pair(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _path(place: _Place) -> str:
    return functools.reduce(child, place, "")
