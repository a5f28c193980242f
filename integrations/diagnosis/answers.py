"""What an API's answer means: an ordered table of rules, the first that fits is the finding."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from authconfigs.symptoms import Symptom
from integrations.diagnosis.challenges import Challenge, parse_challenges
from integrations.diagnosis.sent import KNOWN, Sent, canonical

LONGEST_TOLD = 200
# Schemes of which we know that they exclude each other; another one says nothing about ours.
_TELLING = frozenset({"apikey", "basic", "bearer", "digest", "dpop", "hawk", "negotiate", "ntlm"})


def symptom_of(status: int) -> Symptom | None:
    """What an API's answer alone says; None for 2xx."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Symptom.BLOCKED_BY_POLICY
    if status in _STATUSES:
        return _STATUSES[status]
    return Symptom.REQUEST_REFUSED if 400 <= status < 500 else Symptom.PROVIDER_ERROR


_STATUSES = {
    401: Symptom.WRONG_OR_MISSING_CREDENTIAL,
    403: Symptom.INSUFFICIENT_PERMISSION,
    415: Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
    429: Symptom.PROVIDER_RATE_LIMITED,
}


@dataclass(frozen=True)
class Answer:
    """An answer that isn't what was wanted, and what is known of the request.

    `challenge`: its WWW-Authenticate as received. `worked_before`: a test of the same state of config and connection was
    green. `renewed`: the token was obtained anew because of a refusal, and this is the answer to it.
    """

    status: int
    challenge: str = field(default="", repr=False)
    sent: Sent = field(default_factory=Sent)
    worked_before: bool = False
    renewed: bool = False

    @property
    def challenges(self) -> tuple[Challenge, ...]:
        return parse_challenges(self.challenge)

    def has_error(self, code: str) -> bool:
        return any(challenge.error == code for challenge in self.challenges)


@dataclass(frozen=True)
class Finding:
    """A symptom, the case of it that the table of words knows, and what the answer adds to the facts."""

    symptom: Symptom
    case: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def diagnose(answer: Answer) -> Finding | None:
    """What is wrong; None for 2xx."""
    symptom = symptom_of(answer.status)
    if symptom is None:
        return None
    for symptom_found, case, fits in _RULES:
        if fits(answer):
            return Finding(symptom_found, case, _facts(answer))
    return Finding(symptom, "", _facts(answer))


def _expired(answer: Answer) -> bool:
    return any(
        challenge.error == "invalid_token"
        and "expire" in challenge.params.get("error_description", "").lower()
        for challenge in answer.challenges
    )


def _other_scheme(answer: Answer) -> bool:
    """RFC 9110 §11.6.1: a 401 names the schemes that the server takes, and ours isn't among them."""
    offered = {canonical(challenge.scheme) for challenge in answer.challenges}
    return bool(offered) and offered <= _TELLING and answer.sent.kind not in offered


def _other_place(answer: Answer) -> bool:
    """OpenAPI's words for an API key, which some servers put into their challenge: `in` and `name`."""
    wanted = [c.params for c in answer.challenges if canonical(c.scheme) == "apikey"]
    return any("name" in params for params in wanted) and not any(
        _is_place(answer.sent, params) for params in wanted
    )


def _is_place(sent: Sent, params: Mapping[str, str]) -> bool:
    name = params.get("name")
    if name is None:
        return True
    if params.get("in", sent.placement).lower() != sent.placement:
        return False
    if sent.placement == "header":
        return name.lower() == sent.name.lower()
    return name == sent.name


_401 = frozenset({401})
_REFUSED = frozenset({400, 401, 403})
_Rule = tuple[Symptom, str, Callable[[Answer], bool]]
_RULES: tuple[_Rule, ...] = (
    # Symptom, case, and when. What worked before isn't in the wrong place, whatever the challenge says.
    (Symptom.INSUFFICIENT_PERMISSION, "scope", lambda a: a.status in _REFUSED and a.has_error("insufficient_scope")),
    (Symptom.WRONG_OR_MISSING_CREDENTIAL, "none", lambda a: a.status in _401 and not a.sent.placement),
    (Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY, "expired", lambda a: a.status in _401 and _expired(a)),
    (Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY, "before", lambda a: a.status in _401 and a.worked_before),
    (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "prefix", lambda a: a.status in _REFUSED and bool(a.sent.inside)),
    (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "scheme", lambda a: a.status in _401 and _other_scheme(a)),
    (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "place", lambda a: a.status in _401 and _other_place(a)),
    (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "malformed", lambda a: a.status in _REFUSED and a.has_error("invalid_request")),
    (Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY, "renewed", lambda a: a.status in _401 and a.renewed),
    (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "media_type", lambda a: a.status == 415),
    (Symptom.BLOCKED_BY_POLICY, "redirect", lambda a: 300 <= a.status < 400),
    (Symptom.REQUEST_REFUSED, "not_found", lambda a: a.status in {404, 410}),
    (Symptom.REQUEST_REFUSED, "method", lambda a: a.status == 405),
)  # fmt: skip


def _facts(answer: Answer) -> dict[str, str]:
    facts = {"sent": str(answer.sent)}
    schemes = dict.fromkeys(
        challenge.scheme.capitalize()
        for challenge in answer.challenges
        if challenge.scheme in KNOWN
    )
    if schemes:
        facts["offered"] = " or ".join(schemes)
    if answer.sent.inside:
        facts["inside"] = answer.sent.inside.capitalize()
    for challenge in answer.challenges:
        if scope := _plain(challenge.params.get("scope", "")):
            facts.setdefault("needed_scope", scope)
        if name := _plain(challenge.params.get("name", "")):
            in_query = challenge.params.get("in") == "query"
            where = "query parameter" if in_query else "header"
            facts.setdefault("wanted", f"the {where} {name}")
    return facts


def _plain(text: str) -> str:
    """A server's words, short and printable."""
    return "".join(character for character in text if character.isprintable())[:LONGEST_TOLD]
