"""Who asks at which token endpoint, and what it gave: frozen values whose repr shows no secret."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True)
class OAuthClient:
    """A registered client and the habits of its provider. The names are those of the config's fields.

    `audience` and the parameters go into first token and refresh requests, `refresh_params` into refreshes alone; their
    values may be lists (RFC 8707). With an `authorization_url` a consent has fixed the scope, so it isn't sent again.

    hidden: texts that no answer may repeat although this client doesn't send them, such as the stored tokens.
    """

    token_url: str = field(repr=False)
    client_id: str
    client_secret: str = field(default="", repr=False)
    client_auth: str = "basic"
    scope: str = ""
    audience: str = ""
    token_params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret_token_params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    token_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token_body: str = "form"  # noqa: S105 - a format
    authorization_url: str = field(default="", repr=False)
    authorize_params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    revocation_url: str = field(default="", repr=False)
    refresh_url: str = field(default="", repr=False)
    refresh_params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    token_response: Mapping[str, str] = field(default_factory=dict)
    expiry_format: str = "seconds"
    default_lifetime: float | None = None
    hidden: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_fields(cls, values: Mapping[str, Any], *, hidden: Iterable[str] = ()) -> Self:
        """The client that a config's options and secrets describe; what is absent or None takes its default."""
        known = (one.name for one in fields(cls))
        given = {name: values[name] for name in known if values.get(name) is not None}
        return cls(**given, hidden=tuple(hidden))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Its own secret texts, and what else no answer may repeat."""
        values = [
            one
            for value in self.secret_token_params.values()
            for one in (value if isinstance(value, list | tuple) else [value])
        ]
        return (
            self.client_secret,
            *(one for one in values if isinstance(one, str)),
            *self.hidden,
        )


@dataclass(frozen=True)
class TokenAnswer:
    """What a token endpoint gave (RFC 6749 §5.1).

    `expires_in` counts from the moment the request was sent: 0 means good for the call at hand alone, None that nobody
    knows. `refresh_token` None means that the old one stays; `unusable` says what is wrong with one that was given all the
    same. `scope` None means as asked for; `left_out` counts the names that it doesn't have of what was given.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: float | None
    scope: str | None
    token_type: str
    left_out: int = 0
    unusable: str = ""
