"""What a token may do against what was asked for (RFC 6749 §3.3). Names only: no model, no secret."""

import re
from dataclasses import dataclass

# Blanks by the standard; some providers write commas.
SEPARATORS = re.compile(r"[\s,]+")
# Answered with a refresh token, often without being named again (OpenID Connect Core §11).
_OFFLINE = "offline_access"


def names(text: str) -> frozenset[str]:
    """The names in a scope, whatever their order and separators."""
    return frozenset(filter(None, SEPARATORS.split(text)))


@dataclass(frozen=True)
class Comparison:
    """The names of a token: `missing` were asked for and not given, `extra` given and not asked for; all in order."""

    granted: tuple[str, ...]
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of the difference, a sentence each."""
        told = []
        if self.missing:
            told.append(
                f"The provider granted fewer scopes than were asked for: {', '.join(self.missing)}"
                f" {'is' if len(self.missing) == 1 else 'are'} missing. Calls that need"
                f" {'it' if len(self.missing) == 1 else 'them'} will be refused."
            )
        if self.extra:
            told.append(
                "For review: the provider granted more scopes than were asked for:"
                f" {', '.join(self.extra)}."
            )
        return tuple(told)


def compare(granted: str, requested: str, *, has_refresh_token: bool) -> Comparison:
    """What was granted next to what was requested; nothing granted means: as requested (§5.1).

    Where nothing was requested, the provider's default is what was meant: none of it is extra.
    """
    given, wanted = names(granted), names(requested)
    if not given:
        return Comparison(tuple(sorted(wanted)))
    missing = wanted - given - ({_OFFLINE} if has_refresh_token else frozenset())
    extra = given - wanted if wanted else frozenset()
    return Comparison(*(tuple(sorted(each)) for each in (given, missing, extra)))
