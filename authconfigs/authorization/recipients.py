"""Who gets something of a consent: whoever gives it reads their addresses before.

All tenants and configs share one redirect URI, so that a provider can't tell them apart: only the person sees whether the
config that asks sends the code where it belongs.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from authconfigs.errors import ConfigInvalid
from authconfigs.methods.base import AuthMethod, Fields
from authconfigs.outgoing import origin_of
from authconfigs.scopes import names


@dataclass(frozen=True)
class Recipients:
    """Origins (RFC 6454): the consent page's, those that get the code and the tokens, and those that get the access token."""

    provider: str
    token_endpoints: tuple[str, ...]
    apis: tuple[str, ...]
    scopes: tuple[str, ...]

    @classmethod
    def of(cls, method: AuthMethod, fields: Fields, *, apis: Collection[str]) -> Self:
        """Those of a config with these fields. Raises ConfigInvalid where an address is missing or is none."""
        try:
            provider = origin_of(method.needed(fields, "authorization_url"))
        except ValueError as error:
            raise ConfigInvalid(str(error)) from None
        return cls(
            provider=provider,
            token_endpoints=tuple(sorted(method.token_origins(fields))),
            apis=tuple(sorted(apis)),
            scopes=tuple(sorted(names(fields.get("scope") or ""))),
        )

    @property
    def foreign_token_endpoints(self) -> tuple[str, ...]:
        """Those that aren't the provider's own."""
        return tuple(origin for origin in self.token_endpoints if origin != self.provider)

    @property
    def foreign_apis(self) -> tuple[str, ...]:
        return tuple(origin for origin in self.apis if origin != self.provider)
