"""The form of the credential that was sent: where it was and under which scheme. Never the credential."""

from dataclasses import dataclass
from urllib.parse import unquote

from authconfigs.outgoing import OutgoingRequest

# Names that mean the same: what servers write in a challenge, and what callers write before a token.
_SAME = {
    "access_token": "bearer",
    "api-key": "apikey",
    "api_key": "apikey",
    "jwt": "bearer",
    "key": "apikey",
    "oauth": "bearer",
    "oauth2": "bearer",
    "token": "bearer",
    "x-api-key": "apikey",
    "xbasic": "basic",
}
# Words that begin a header's value, in front of the credential (IANA's authentication schemes, and common others).
KNOWN = frozenset(
    {*_SAME, "apikey", "basic", "bearer", "digest", "dpop", "hawk", "hoba", "negotiate", "ntlm"}
)


def canonical(scheme: str) -> str:
    """One name for schemes that mean the same."""
    return _SAME.get(scheme.lower(), scheme.lower())


@dataclass(frozen=True)
class Sent:
    """How a credential was sent. `placement`: header, query, or empty for none at all; `name` is that of header or parameter.

    `scheme`: the word before it, in lower case, or empty. `inside`: such a word inside of the credential itself,
    where it was pasted along.
    """

    placement: str = ""
    name: str = ""
    scheme: str = ""
    inside: str = ""

    @property
    def kind(self) -> str:
        """The canonical scheme; a credential outside of Authorization is an API key to whoever reads challenges."""
        return canonical(self.scheme) if self.is_authorization else "apikey"

    @property
    def is_authorization(self) -> bool:
        return self.placement == "header" and self.name.lower() == "authorization"

    def __str__(self) -> str:
        if not self.placement:
            return "no credential"
        if self.placement == "query":
            return f"the query parameter {self.name}"
        behind = f", behind the word {self.scheme.capitalize()}" if self.scheme else ""
        return f"the header {self.name}{behind}"


def sent_in(request: OutgoingRequest) -> Sent:
    """The form of the credential in a request."""
    prefixes = dict(request.prefixes)
    for name, value in request.headers:
        lower = name.lower()
        if lower not in request.credential_headers:
            continue
        scheme = prefixes.get(lower, "")
        value = value.removeprefix(f"{scheme} ") if scheme else value
        if not scheme and lower == "authorization":
            scheme, value = _split(value)
        return Sent("header", name, scheme.lower(), inside=_split(value)[0])
    for name in sorted(request.credential_params):
        # It was put at the end.
        value = unquote(request.url.rpartition("=")[2])
        return Sent("query", name, inside=_split(value)[0])
    return Sent()


def _split(value: str) -> tuple[str, str]:
    """A known word and what follows; an unknown word may be part of a secret and isn't told."""
    word, blank, rest = value.partition(" ")
    scheme = word.rstrip(":").lower()
    return (scheme, rest.strip()) if blank and scheme in KNOWN else ("", value)
