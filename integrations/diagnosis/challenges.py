"""`WWW-Authenticate` (RFC 9110 §11.6.1): a list of challenges, whose parameters are separated by commas, too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAM = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))(?=[ \t]*(?:,|$))')
_SCHEME = re.compile(rf"({_WORD})(?=[ \t]*(?:,|$)|[ \t]+)")
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))")
_SEPARATORS = re.compile(r"[ \t,]*")
_JUNK = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^,"])+')


@dataclass(frozen=True)
class Challenge:
    """One scheme that a server offers, in lower case as its parameters' names; of repeated ones the first counts."""

    scheme: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def error(self) -> str:
        """The error code of RFC 6750 §3.1, or empty."""
        return self.params.get("error", "")


def parse_challenges(text: str) -> tuple[Challenge, ...]:
    """The challenges of a header, or of several that were joined by commas. What isn't one is passed over; never raises."""
    found: list[tuple[str, dict[str, str]]] = []
    at = _SEPARATORS.match(text, 0).end()  # type: ignore[union-attr]
    while at < len(text):
        if found and (param := _PARAM.match(text, at)):
            name, quoted, plain = param.groups()
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            found[-1][1].setdefault(name.lower(), value)
            at = param.end()
        elif scheme := _SCHEME.match(text, at):
            found.append((scheme[1].lower(), {}))
            at = scheme.end()
            if token68 := _TOKEN68.match(text, at):
                at = token68.end()
        else:
            junk = _JUNK.match(text, at)
            at = junk.end() if junk else at + 1
        at = _SEPARATORS.match(text, at).end()  # type: ignore[union-attr]
    return tuple(Challenge(scheme, params) for scheme, params in found)
