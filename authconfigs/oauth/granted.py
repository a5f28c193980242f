"""The scope in an answer (RFC 6749 §3.3). It is kept in plain text, so no name that repeats a secret is, nor names without end."""

import re
from typing import Any

from authconfigs.masking import Reflections
from authconfigs.scopes import SEPARATORS, names

MOST_NAMES = 200
LONGEST = 4096

# RFC 6749 §3.3: what a name is made of.
NAME = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")


def scope_in(value: Any, *, asked: str, hidden: Reflections) -> tuple[str | None, int]:
    """The names that an answer gives, as one text, and how many of them are left out; None where it gives no scope.

    What was asked for is in the clear already: these names are always kept.
    """
    if isinstance(value, list):
        value = " ".join(one for one in value if isinstance(one, str))
    if not isinstance(value, str):
        return None, 0
    given, wanted = list(dict.fromkeys(filter(None, SEPARATORS.split(value)))), names(asked)
    others, room = list[str](), LONGEST
    for name in [one for one in given if one not in wanted][:MOST_NAMES]:
        room -= len(name) + 1
        if room >= 0 and NAME.fullmatch(name):
            others.append(name)
    # All at once: where nothing is found in the whole, nothing is in a name.
    if others and hidden.found_in(" ".join(others)):
        others = hidden.missing_from(others)
        if others and hidden.found_in(" ".join(others)):
            others = []
    allowed = wanted.union(others)
    kept = [name for name in given if name in allowed]
    separator = "," if "," in value and len(value.split()) == 1 else " "
    return separator.join(kept), len(given) - len(kept)
