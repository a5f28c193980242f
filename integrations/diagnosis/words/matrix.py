"""The troubleshooting matrix: what people see, why it usually happens, and what to look at. Each symptom leads to its rows."""

from dataclasses import dataclass

from integrations.diagnosis.words.row import FORBIDDEN, INTERMITTENT, OAUTH, POSTMAN, REFUSED


@dataclass(frozen=True)
class Line:
    """`seen` is what somebody comes with."""

    seen: str
    cause: str
    check: str


MATRIX = (
    Line(REFUSED,
        "The credential is wrong or missing.",
        "Placement in header or query, value of the key or token, chosen method."),
    Line(FORBIDDEN,
        "The credential is accepted, and a permission is missing.",
        "Scopes at the provider, role policy, access rights of the endpoint."),
    Line(POSTMAN,
        "The credential is placed otherwise, or the body has another format.",
        "Name of the header, key of the query, prefix of the token, content type."),
    Line(OAUTH,
        "The token URL or the client's settings don't match the provider's.",
        "Grant type, client ID and secret, scope, audience."),
    Line(INTERMITTENT,
        "A token has expired, or a key was rotated.",
        "How tokens are refreshed, how the new key is rolled out, old credentials that somebody has cached."),
)  # fmt: skip
