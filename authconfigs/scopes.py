"""What a token may do against what was asked for (RFC 6749 §3.3). Names only: no model, no secret."""

import re
from dataclasses import dataclass

# Blanks by the standard; some providers write commas.
SEPARATORS = re.compile(r"[\s,]+")
# A sentence with more isn't read.
MOST_LISTED = 20
# Answered with a refresh token, often without being named again (OpenID Connect Core §11).
_OFFLINE = "offline_access"


def names(text: str) -> frozenset[str]:
    """The names in a scope, whatever their order and separators."""
    return frozenset(filter(None, SEPARATORS.split(text)))


@dataclass(frozen=True)
class Comparison:
    """The names of a token: `missing` were asked for and not given, `extra` given and not asked for; all in order.

    `left_out` counts those that were given and aren't kept.
    """

    granted: tuple[str, ...]
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of the difference, a sentence each."""
        told = []
        if self.missing:
            told.append(
                f"The provider granted fewer scopes than were asked for: {_listed(self.missing)}"
                f" {'is' if len(self.missing) == 1 else 'are'} missing. Calls that need"
                f" {'it' if len(self.missing) == 1 else 'them'} will be refused."
            )
        if self.extra:
            told.append(
                "For review: the provider granted more scopes than were asked for:"
                f" {_listed(self.extra)}."
            )
        if self.left_out:
            told.append(
                f"The provider named {self.left_out:,} more that {'is' if self.left_out == 1 else 'are'} left out here:"
                " too many, no name of a scope, or one that repeats a secret."
            )
        return tuple(told)


def _listed(scopes: tuple[str, ...]) -> str:
    shown = ", ".join(scopes[:MOST_LISTED])
    more = len(scopes) - MOST_LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def compare(
    granted: str, requested: str, *, has_refresh_token: bool, left_out: int = 0
) -> Comparison:
    """What was granted next to what was requested; nothing granted means: as requested (§5.1).

    Where nothing was requested, the provider's default is what was meant: none of it is extra.
    """
    given, wanted = names(granted), names(requested)
    if not given:
        return Comparison(tuple(sorted(wanted)), left_out=left_out)
    missing = wanted - given - ({_OFFLINE} if has_refresh_token else frozenset())
    extra = given - wanted if wanted else frozenset()
    return Comparison(tuple(sorted(given)), tuple(sorted(missing)), tuple(sorted(extra)), left_out)
