"""PATH of a call below a connection's base URL, as it goes out."""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

# Control characters, and halves of surrogate pairs, which have no UTF-8.
UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# RFC 3986 §2.2 and §2.3, `%` for the escapes that are there already, and what servers take though it is in neither.
_AS_WRITTEN = "!$&'()*+,;=:@/?%[]|^`{}\"<>~-._\\"
# Behind a proxy that undoes escapes may stand another, and a server.
MOST_DECODED = 3
_BEFORE_PATH = re.compile(r"[^:/?#]+://[^/?#]*")


def join_path(base_url: str, path: str) -> str:
    """The URL of `path` below `base_url`, joined by exactly one slash.

    Sent as written; what can't stand in a URL is percent-encoded as UTF-8, existing escapes stay. Only what comes before
    the query is judged. Raises ValueError, with a sentence that quotes nothing, for a path that isn't below the base URL.
    """
    bare, mark, query = path.partition("?")
    _refuse(bare)
    origin = before_path(base_url)
    base = base_url.removeprefix(origin)
    base = base.rstrip("/") if bare else base
    return origin + _as_written(base + bare) + mark + _as_written(query)


def before_path(url: str) -> str:
    """Scheme and authority of a URL, as they are written; empty when it has none."""
    found = _BEFORE_PATH.match(url)
    return found.group() if found else ""


def _as_written(text: str) -> str:
    try:
        return quote(text, safe=_AS_WRITTEN)
    except UnicodeEncodeError:
        # Half of a surrogate pair, or bytes of the command line that aren't UTF-8.
        raise ValueError("The path isn't valid text: write other bytes as %XX.") from None


def _refuse(bare: str) -> None:
    if bare and not bare.startswith("/"):
        raise ValueError(
            "The path begins with something else than / or ?: leave scheme and host out, and write it as in /invoices."
        )
    if bare.startswith("//"):
        raise ValueError(
            "The path begins with two slashes, which would name another host: write one."
        )
    if "\\" in bare:
        raise ValueError(
            "The path has a backslash, which some servers take for a slash: write / or %5C."
        )
    if re.search(r"\s", bare) or UNSENDABLE.search(bare):
        raise ValueError("The path has a blank or a control character: write a blank as %20.")
    if "#" in bare:
        raise ValueError("The path has a fragment (#), which is never sent: write %23.")
    if _leaves(bare):
        raise ValueError(
            "The path leaves the base URL by its dot segments (..): write the whole path without them."
        )


def _leaves(path: str) -> bool:
    return any(_is_above(reading) for reading in _readings(path))


def _readings(path: str) -> Iterator[str]:
    """As a server, and one behind it, may read it before dot segments are resolved: escapes undone, those of slashes or not."""
    for _ in range(MOST_DECODED + 1):
        dots = re.sub("%2e", ".", path, flags=re.IGNORECASE)
        yield dots
        yield re.sub("%2f|%5c", "/", dots, flags=re.IGNORECASE)
        path = unquote(path)


def _is_above(path: str) -> bool:
    depth = 0
    for segment in path.replace("\\", "/").split("/"):
        # Some take away what stands behind a semicolon first, and some take two slashes for one.
        depth += {"..": -1, ".": 0, "": 0}.get(segment.partition(";")[0], 1)
        if depth < 0:
            return True
    return False
