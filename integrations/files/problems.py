"""What is wrong with a file: each problem has a path and a reason, never a value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

MAX_DEPTH = 30
MAX_PROBLEMS = 200
TOO_DEEP = f"The file is nested more than {MAX_DEPTH} levels deep."


@dataclass(frozen=True)
class Problem:
    """`path` is where it stands, as in `tenants[0].auth_configs[2].options.key`; `line` where that is known."""

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.path} (line {self.line})" if self.line and self.path else self.path
        if not place and self.line:
            place = f"line {self.line}"
        return f"{place}: {self.message}" if place else self.message


class BadFile(Exception):
    """The file can't be applied; nothing was changed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def cut(problems: Sequence[Problem]) -> list[Problem]:
    """As many as somebody reads."""
    more = len(problems) - MAX_PROBLEMS
    rest = [Problem("", f"There are {more} problems more. Mend these first.")] if more > 0 else []
    return [*problems[:MAX_PROBLEMS], *rest]


def child(path: str, key: str | int) -> str:
    """The path of a member: `a.b` of a mapping, `a[0]` of a list."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def refuse(message: str, *, line: int | None = None, path: str = "") -> NoReturn:
    """Raises BadFile for this one reason."""
    raise BadFile([Problem(path, message, line)]) from None
