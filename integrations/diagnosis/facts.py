"""The values of a connection and its config that checks may name."""

from collections.abc import Mapping
from typing import Any

from authconfigs.methods.base import AuthMethod

NOTHING = "(empty)"


def facts_of_options(method: AuthMethod, options: Mapping[str, Any]) -> dict[str, str]:
    """The options of a method that are one line of text, by their names; URLs without their query, and no secret."""
    known = {name: options.get(name, "") for name in method.option_names}
    # Paths in an answer, short ones and no secret.
    if isinstance(paths := known.get("token_response", ""), Mapping):
        known["token_response"] = ", ".join(f"{name}: {path}" for name, path in paths.items())
    return {
        name: without_query(value) if name.endswith("_url") else value or NOTHING
        for name, value in known.items()
        if isinstance(value, str)
    }


def without_query(url: str) -> str:
    """Origin and path of a URL: its query and user name may hold a credential."""
    bare = url.partition("?")[0].partition("#")[0]
    scheme, mark, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" or NOTHING
