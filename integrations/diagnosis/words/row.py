"""The form of a row of the table, and what rows share."""

from dataclasses import dataclass

from authconfigs.symptoms import Symptom as S


@dataclass(frozen=True)
class Row:
    """`case` is empty for the symptom's own row, else a stage or a case of the diagnosis."""

    symptom: S
    case: str
    matrix: str
    summary: str
    cause: str
    checks: tuple[str, ...]


REFUSED = "401 Unauthorized"
FORBIDDEN = "403 Forbidden"
POSTMAN = "Works in Postman, fails here"
OAUTH = "OAuth token errors"
INTERMITTENT = "Intermittent failures"

# What a sentence says where a fact isn't known. Checks don't use these.
GENERIC = {
    "auth_config": "the auth config",
    "base_url": "the API",
    "connection": "the connection",
    "environment": "its environment",
    "expected": "what the test expects",
    "inside": "prefix",
    "limit": "the limit",
    "method": "its method",
    "offered": "another scheme",
    "sent": "the credential",
    "since": "before",
    "status": "with an error",
    "wanted": "another place",
}

# The credential's own fields, for whoever compares them with the provider's documentation.
PLACE = (
    "The key is sent as {placement} {key}: compare that name and place with the provider's documentation, letter by letter.",
    "The token is sent in the header {header}, prefix {prefix}: compare both with the provider's documentation.",
    "The token is sent in the header {header}, prefix {header_prefix}: compare both with the provider's documentation.",
)
CLIENT = (
    "Client ID {client_id} and its secret: are both of this application, and of {environment}?",
    "Client authentication is {client_auth}: does the provider want the other way (Basic header or body)?",
)
TOKEN_HOST = "Is the token URL right: {token_url}?"  # noqa: S105 - a sentence
