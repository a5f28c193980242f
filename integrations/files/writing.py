"""Plain values as YAML 1.2 that reads back as the same values, in the order that they come in."""

import json
import re
from collections.abc import Iterator
from typing import Any

from integrations.files.yaml12 import resolve_plain

_INDENT = "  "
# Text that needs no quotes wherever it stands.
_SIMPLE = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*")
# What JSON leaves as it is, and YAML either forbids or takes for the end of a line.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def write_yaml(value: dict[str, Any]) -> str:
    """The text of a mapping; lists and mappings in block style, one line per value."""
    return "".join(f"{line}\n" for line in _block(value, "")) or "{}\n"


def _block(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _member(f"{indent}{_scalar(key)}:", item, indent)
    else:
        for item in value:
            if isinstance(item, dict | list) and item:
                first, *rest = _block(item, indent + _INDENT)
                yield f"{indent}- {first.removeprefix(indent + _INDENT)}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(item)}"


def _member(start: str, item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, dict | list) and item:
        yield start
        yield from _block(item, indent + _INDENT)
    else:
        yield f"{start} {_scalar(item)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _SIMPLE.fullmatch(value) and resolve_plain(value) is value:
        return value
    # A JSON value is a YAML value.
    return _UNPRINTABLE.sub(
        lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False)
    )
