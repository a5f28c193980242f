"""YAML 1.2 by its core schema (§10.3), built from the parser's events.

Aliases are counted at the size that they stand for, and nesting is limited, so a hostile file costs bounded time and
memory. Equal keys are refused.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from integrations.files.problems import MAX_DEPTH, TOO_DEEP, child, refuse

MAX_VALUES = 2_000_000

_TAG = "tag:yaml.org,2002:"
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


@dataclass
class _Open:
    """A mapping or list whose end hasn't come yet."""

    path: str
    value: Any
    anchor: str | None
    key: str | None = None
    size: int = 1


class _Builder:
    """Takes YAML events in order; the stack is ours, so depth never becomes recursion."""

    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.lines: dict[str, int] = {}
        self.root: Any = None
        self.documents = 0
        self._anchors: dict[str, tuple[Any, int]] = {}

    def take(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                refuse(
                    "The file holds more than one document. Keep one, without --- in between.",
                    line=_line(event),
                )
        elif isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._start(event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            done = self.stack.pop()
            if done.anchor:
                self._anchors[done.anchor] = (done.value, done.size)
            if self.stack:
                self._count(done.size, event)
        elif isinstance(event, AliasEvent):
            self._alias(event)

    def _start(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        is_mapping = isinstance(event, MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
            refuse("Tags of this kind aren't allowed. Write the plain value.", line=_line(event))
        if len(self.stack) >= MAX_DEPTH:
            refuse(TOO_DEEP, line=_line(event), path=self.stack[-1].path)
        value: Any = {} if is_mapping else []
        path = self._put(value, event)
        self.stack.append(_Open(path, value, event.anchor))

    def _scalar(self, event: ScalarEvent) -> None:
        value = _resolved(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            if not isinstance(value, str):
                refuse("A key must be text: put it in quotes.", line=_line(event), path=top.path)
            if value in top.value:
                refuse(
                    f"The key {value!r} stands twice in one mapping. Leave one of them out.",
                    line=_line(event),
                    path=top.path,
                )
            top.key = value
            return
        self._put(value, event)
        self._count(1, event)

    def _alias(self, event: AliasEvent) -> None:
        if event.anchor not in self._anchors:
            refuse(
                "An alias names no anchor that is complete by here. Write the value in its place.",
                line=_line(event),
            )
        value, size = self._anchors[event.anchor]
        self._put(value, event)
        self._count(size, event)

    def _put(self, value: Any, event: Event) -> str:
        """Give a value its place; its path."""
        if not self.stack:
            self.root = value
            return ""
        top = self.stack[-1]
        if isinstance(top.value, list):
            path = child(top.path, len(top.value))
            top.value.append(value)
        elif top.key is None:
            refuse("A key must be text. Write it in quotes.", line=_line(event), path=top.path)
        else:
            path = child(top.path, top.key)
            top.value[top.key] = value
            top.key = None
        self.lines[path] = _line(event)
        return path

    def _count(self, size: int, event: Event) -> None:
        if not self.stack:
            return
        self.stack[-1].size += size
        if self.stack[-1].size > MAX_VALUES:
            refuse(
                f"With its aliases the file stands for more than {MAX_VALUES:,} values. Write it with fewer aliases.",
                line=_line(event),
            )


def parse_yaml(text: str) -> tuple[Any, dict[str, int]]:
    """The value of a YAML text, and the line of every path in it. Raises BadFile."""
    builder = _Builder()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        refuse(
            "There is a character that YAML doesn't allow. Write it as an escape in double quotes.",
            line=line,
        )
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        reason = _without_content(problem.problem or problem.context or "")
        refuse(
            f"The file is neither JSON nor YAML: {reason}. Mend that line.",
            line=mark.line + 1 if mark is not None else None,
        )
    except YAMLError:
        refuse("The file is neither JSON nor YAML. Look at its line breaks and indents.")
    return builder.root, builder.lines


def _without_content(reason: str) -> str:
    """A parser's words without its quotations: they may be part of a secret. A single character stays."""
    return re.sub(r"""(['"])(.*?)\1""", _quotation, reason) or "it can't be read"


def _quotation(match: re.Match[str]) -> str:
    return match[0] if len(match[2]) == 1 or match[2] == "<stream end>" else "…"


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _resolved(event: ScalarEvent) -> Any:
    """The value of a scalar by the core schema."""
    text: str = event.value
    if event.tag is None:
        return _finite(resolve_plain(text), event) if event.implicit[0] else text
    if event.tag in ("!", _TAG + "str"):
        return text
    value = _finite(resolve_plain(text), event)
    wanted = {"null": type(None), "bool": bool, "int": int, "float": float}.get(
        event.tag.removeprefix(_TAG)
    )
    if wanted is None or not event.tag.startswith(_TAG):
        refuse("Tags of this kind aren't allowed. Write the plain value.", line=_line(event))
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        refuse("A value doesn't fit its tag. Leave the tag out.", line=_line(event))
    return value


def resolve_plain(text: str) -> Any:
    """What text without quotes and tag stands for: null, true or false, a number, or itself."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _finite(value: Any, event: ScalarEvent) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        refuse("A number must be finite. Write it in digits.", line=_line(event))
    return value
