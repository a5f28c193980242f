"""The switches of the demo provider: what fails, how tokens live, what consent says. All can be turned while it runs."""

from dataclasses import asdict, dataclass, fields
from typing import Any

FAILURES = {
    "401": "401 with the endpoint's own challenge, whatever was sent",
    "403": "403, whatever was sent",
    "415": "415 Unsupported Media Type",
    "429": "429 with Retry-After (switch retry_after: seconds or an HTTP date)",
    "500": "500 with a JSON body",
    "503": "503 with Retry-After",
    "404": "404, as for a wrong address",
    "html": "200 with an HTML page instead of JSON",
    "html_500": "500 with an HTML page",
    "empty": "200 with no body",
    "array": "200 with a JSON array",
    "big": "a body of 5 MB (12 MiB for the API)",
    "garbled": "says gzip, but isn't",
    "redirect": "307 to /elsewhere: a client must not follow it with its credential",
    "close": "closes the connection without an answer",
    "slow": "waits slow_seconds before it answers",
    "drip": "sends the answer byte by byte, for slow_seconds at least",
    "echo": "reflects the credential in the body, in the error text and in a header",
}

TOKEN_FAILURES = {
    "expires_missing": "no expires_in",
    "expires_null": "expires_in is null",
    "expires_string": 'expires_in is the string "300"',
    "expires_float": "expires_in is 299.5",
    "expires_zero": "expires_in is 0",
    "expires_negative": "expires_in is -1",
    "expires_huge": "expires_in is 10 to the 400th",
    "expires_junk": 'expires_in is "soon"',
    "expires_nan": "expires_in is NaN",
    "expires_bool": "expires_in is true",
    "expires_milliseconds": "expires_in is in milliseconds",
    "expires_iso8601": "expires_in is a date and time",
    "expires_epoch": "expires_in is seconds since 1970",
    "refresh_null": "refresh_token is null",
    "refresh_empty": "refresh_token is empty",
    "refresh_absent": "no refresh_token, whatever the grant",
    "refresh_extra": "a refresh_token, also for client credentials",
    "scope_narrower": "grants one scope less than was asked for",
    "scope_reordered": "names the scopes in another order",
    "type_missing": "no token_type",
    "type_foreign": "token_type is mac",
    "form_encoded": "the answer is a form, not JSON",
    "nested": 'the answer is inside {"data": {"token": ...}}',
    "error_in_200": "invalid_client inside a 200",
    "invalid_client": "401 invalid_client",
    "invalid_grant": "400 invalid_grant",
    "invalid_scope": "400 invalid_scope",
    "unauthorized_client": "400 unauthorized_client",
    "unsupported_grant_type": "400 unsupported_grant_type",
    "lost": "makes the token, then closes the connection without an answer",
}

ALL_FAILURES = {**FAILURES, **TOKEN_FAILURES}

MEANINGS = {
    "api": "failures of all API endpoints, comma separated",
    "token": "failures of the token and revocation endpoint, comma separated",
    "rotated": "the key of /rotating was replaced, and the old one is refused",
    "refresh": "refresh tokens: strict rotates them and takes reuse as theft, grace lets the previous one be used again, keep never rotates",
    "consent": "ask shows the consent page, allow and deny answer for the person",
    "token_lifetime": "seconds that an access token lives",
    "code_lifetime": "seconds that an authorization code lives",
    "token_delay": "seconds before the token endpoint answers",
    "retry_after": "Retry-After of 429 and 503: seconds or an HTTP date",
    "slow_seconds": "seconds that slow and drip take",
    "consent_issuer": "the issuer that answers of the consent page name, if not the provider's own; none leaves it out",
    "metadata_issuer": "the issuer that the metadata name, if not the provider's own",
}

CHOICES = {"refresh": ("strict", "grace", "keep"), "consent": ("ask", "allow", "deny")}


@dataclass
class Switches:
    """Attributes may be set at any time; a value that makes no sense raises ValueError and changes nothing.

    MEANINGS says what each is.
    """

    api: str = ""
    token: str = ""
    rotated: bool = False
    refresh: str = "strict"
    consent: str = "ask"
    token_lifetime: float = 300
    code_lifetime: float = 60
    token_delay: float = 0
    retry_after: str = "30"
    slow_seconds: float = 30
    consent_issuer: str = ""
    metadata_issuer: str = ""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, _checked(name, value))

    def update(self, values: dict[str, Any]) -> None:
        """Set several at once, all or none. Raises ValueError for an unknown name or a value that makes no sense."""
        for name, value in {name: _checked(name, value) for name, value in values.items()}.items():
            super().__setattr__(name, value)

    def reset(self) -> None:
        """Back to how it started."""
        self.update(asdict(Switches()))


_TYPES = {field.name: field.type for field in fields(Switches)}


def _checked(name: str, value: Any) -> Any:
    kind = _TYPES.get(name)
    if kind is None:
        raise ValueError(f"There is no switch {name!r}. There are: {', '.join(_TYPES)}.")
    if kind is bool:
        if isinstance(value, str) and value.lower() in {"true", "on", "1", "false", "off", "0", ""}:
            return value.lower() in {"true", "on", "1"}
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false.")
        return value
    if kind is float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is a number of seconds.") from None
        if not 0 <= number <= 86400 * 365:
            raise ValueError(f"{name} is a number of seconds between 0 and a year.")
        return number
    text = str(value).strip()
    if name in CHOICES and text not in CHOICES[name]:
        raise ValueError(f"{name} is one of: {', '.join(CHOICES[name])}.")
    if name in {"api", "token"}:
        names(text, allowed=FAILURES if name == "api" else ALL_FAILURES)
    return text


def names(text: str, *, allowed: dict[str, str]) -> frozenset[str]:
    """The failures that a comma-separated text names. Raises ValueError for one that isn't allowed there."""
    found = frozenset(part.strip() for part in text.split(",") if part.strip())
    for name in sorted(found - set(allowed)):
        raise ValueError(f"There is no failure {name!r} here. There are: {', '.join(allowed)}.")
    return found
