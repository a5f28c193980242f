"""The diagnosis, without a network: challenges, the rules for answers, and the table of words."""

import pytest

from authconfigs import methods
from authconfigs.errors import TokenFailed
from authconfigs.outgoing import OutgoingRequest
from authconfigs.symptoms import Stage, Symptom
from integrations.diagnosis import (
    Answer,
    Sent,
    diagnose,
    explain,
    explain_failure,
    facts_of_options,
    sent_in,
    symptom_of,
)
from integrations.diagnosis.challenges import parse_challenges
from integrations.diagnosis.explaining import placeholders, row_for
from integrations.diagnosis.words import GENERIC, ROWS
from integrations.diagnosis.words.row import FORBIDDEN, INTERMITTENT, OAUTH, POSTMAN, REFUSED

BEARER = Sent("header", "Authorization", "bearer")
BASIC = Sent("header", "Authorization", "basic")
KEY = Sent("header", "X-API-Key")

# Challenges (RFC 9110 §11.6.1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        ("Negotiate a87421000492aa874209af8bc028==", [("negotiate", {})]),
        ("Negotiate, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        (
            'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
            [
                ("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
                ("basic", {"realm": "simple"}),
            ],
        ),
        (
            'Bearer realm="a, Basic realm=b", error="invalid_token"',
            [("bearer", {"realm": "a, Basic realm=b", "error": "invalid_token"})],
        ),
        ('Bearer REALM = "x" , scope="a b"', [("bearer", {"realm": "x", "scope": "a b"})]),
        (', ,Bearer realm="x",,', [("bearer", {"realm": "x"})]),
        ("Bearer error=a, error=b", [("bearer", {"error": "a"})]),
        (
            'OAuth "Facebook Platform" "invalid_token" "Cannot parse"',
            [("oauth", {})],
        ),
        ('Bearer realm="unfinished', [("bearer", {})]),
    ],
)
def test_challenges_are_taken_apart(text: str, found: list[tuple[str, dict[str, str]]]) -> None:
    parsed = [(one.scheme, dict(one.params)) for one in parse_challenges(text)]
    assert parsed[: len(found)] == found


@pytest.mark.parametrize("text", ["=", '"', "a=b", 'x "', "\\", "Bearer ,=,", "ä ö=ü", "," * 5000])
def test_what_is_no_challenge_breaks_nothing(text: str) -> None:
    parse_challenges(text)


def test_hostile_challenge_takes_no_time() -> None:
    for hostile in ('Bearer a="' + "\\" * 50_000, "a " * 30_000, "Bearer " + 'a="b' * 20_000):
        parse_challenges(hostile)


# What an answer means


@pytest.mark.parametrize(
    ("answer", "symptom", "case"),
    [
        (Answer(200), None, ""),
        (Answer(307), Symptom.BLOCKED_BY_POLICY, "redirect"),
        (Answer(401), Symptom.WRONG_OR_MISSING_CREDENTIAL, "none"),
        (Answer(401, sent=BEARER), Symptom.WRONG_OR_MISSING_CREDENTIAL, ""),
        (Answer(401, "Bearer", BEARER), Symptom.WRONG_OR_MISSING_CREDENTIAL, ""),
        (Answer(401, "Token", BEARER), Symptom.WRONG_OR_MISSING_CREDENTIAL, ""),
        (Answer(401, "Basic, Bearer", BEARER), Symptom.WRONG_OR_MISSING_CREDENTIAL, ""),
        (Answer(401, "Strange, Basic", BEARER), Symptom.WRONG_OR_MISSING_CREDENTIAL, ""),
        (Answer(401, "Basic", BEARER), Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "scheme"),
        (Answer(401, "Bearer", BASIC), Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "scheme"),
        (Answer(401, "Bearer", KEY), Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "scheme"),
        (Answer(401, "ApiKey", KEY), Symptom.WRONG_OR_MISSING_CREDENTIAL, ""),
        (
            Answer(401, 'ApiKey in="header", name="x-api-key"', KEY),
            Symptom.WRONG_OR_MISSING_CREDENTIAL,
            "",
        ),
        (
            Answer(401, 'ApiKey in="query", name="key"', KEY),
            Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
            "place",
        ),
        (
            Answer(401, "Basic", BEARER, worked_before=True),
            Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY,
            "before",
        ),
        (
            Answer(401, "Bearer", BEARER, renewed=True),
            Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY,
            "renewed",
        ),
        (
            Answer(401, "Basic", BEARER, renewed=True),
            Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
            "scheme",
        ),
        (
            Answer(401, 'Bearer error="invalid_token", error_description="Token Expired"', BEARER),
            Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY,
            "expired",
        ),
        (
            Answer(401, 'Bearer error="invalid_token", error_description="unknown"', BEARER),
            Symptom.WRONG_OR_MISSING_CREDENTIAL,
            "",
        ),
        (
            Answer(401, 'Bearer error="insufficient_scope", scope="a"', BEARER),
            Symptom.INSUFFICIENT_PERMISSION,
            "scope",
        ),
        (
            Answer(403, 'Bearer error="insufficient_scope"', BEARER, worked_before=True),
            Symptom.INSUFFICIENT_PERMISSION,
            "scope",
        ),
        (
            Answer(400, 'Bearer error="invalid_request"', BEARER),
            Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
            "malformed",
        ),
        (
            Answer(401, "Bearer", Sent("header", "Authorization", "bearer", inside="token")),
            Symptom.PLACEMENT_OR_FORMAT_MISMATCH,
            "prefix",
        ),
        (Answer(403, "Basic", BEARER), Symptom.INSUFFICIENT_PERMISSION, ""),
        (Answer(404, sent=KEY), Symptom.REQUEST_REFUSED, "not_found"),
        (Answer(405, sent=KEY), Symptom.REQUEST_REFUSED, "method"),
        (Answer(418, sent=KEY), Symptom.REQUEST_REFUSED, ""),
        (Answer(415, sent=KEY), Symptom.PLACEMENT_OR_FORMAT_MISMATCH, "media_type"),
        (Answer(429, sent=KEY), Symptom.PROVIDER_RATE_LIMITED, ""),
        (Answer(503, sent=KEY), Symptom.PROVIDER_ERROR, ""),
    ],
)
def test_answer_means(answer: Answer, symptom: Symptom | None, case: str) -> None:
    finding = diagnose(answer)
    if symptom is None:
        assert finding is None
        return
    assert finding is not None
    assert (finding.symptom, finding.case) == (symptom, case)


@pytest.mark.parametrize(
    ("status", "symptom"),
    [(204, None), (302, "blocked_by_policy"), (422, "request_refused"), (599, "provider_error")],
)
def test_status_alone_means(status: int, symptom: str | None) -> None:
    assert symptom_of(status) == symptom


# The form of a credential


@pytest.mark.parametrize(
    ("name", "value", "prefix", "sent"),
    [
        ("Authorization", "abc", "Bearer", Sent("header", "Authorization", "bearer")),
        (
            "Authorization",
            "bearer abc",
            "Bearer",
            Sent("header", "Authorization", "bearer", "bearer"),
        ),
        ("Authorization", "Bearer abc", "", Sent("header", "Authorization", "bearer")),
        ("Authorization", "secret words", "", Sent("header", "Authorization")),
        ("X-Key", "abc", "", Sent("header", "X-Key")),
        ("X-Key", "Bearer abc", "", Sent("header", "X-Key", inside="bearer")),
        ("X-Key", "abc", "Bearer", Sent("header", "X-Key", "bearer")),
    ],
)
def test_form_of_a_credential_in_a_header(name: str, value: str, prefix: str, sent: Sent) -> None:
    request = OutgoingRequest("GET", "https://a/").with_credential_header(
        name, value, prefix=prefix
    )
    assert sent_in(request) == sent


def test_form_of_a_credential_in_the_query() -> None:
    request = OutgoingRequest("GET", "https://a/?x=1").with_credential_param("key", "Bearer abc=")
    assert sent_in(request) == Sent("query", "key", inside="bearer")
    assert "abc" not in repr(sent_in(request))


# The table of words

FACTS_OF_ANSWERS = {
    "connection",
    "content_type",
    "expected",
    "inside",
    "limit",
    "location",
    "needed_scope",
    "offered",
    "request",
    "sent",
    "since",
    "status",
    "wait",
    "wanted",
}
FACTS_OF_CONNECTIONS = {"auth_config", "base_url", "environment", "method"}


def test_every_symptom_has_a_row_of_its_own() -> None:
    assert {row.symptom for row in ROWS if not row.case} == set(Symptom)


def test_no_row_is_there_twice() -> None:
    assert len({(row.symptom, row.case) for row in ROWS}) == len(ROWS)


def test_every_row_of_the_troubleshooting_matrix_is_reached() -> None:
    assert {row.matrix for row in ROWS} - {""} == {REFUSED, FORBIDDEN, POSTMAN, OAUTH, INTERMITTENT}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.symptom}-{row.case}")
def test_row_names_only_facts_that_there_are(row: object) -> None:
    options = {name for method in methods.METHODS for name in method.option_names}
    known = options | FACTS_OF_ANSWERS | FACTS_OF_CONNECTIONS
    for found in ROWS:
        if found is row:
            assert set(placeholders(found.summary)) <= set(GENERIC)
            assert set(placeholders(found.cause)) <= set(GENERIC)
            for check in found.checks:
                assert set(placeholders(check)) <= known


def test_check_is_about_a_field_rather_than_what_an_answer_said() -> None:
    facts = {"offered": "Bearer", "auth_config": "billing", "method": "Basic", "username": "demo"}
    told = explain(
        Symptom.PLACEMENT_OR_FORMAT_MISMATCH, stage=Stage.API, facts=facts, case="scheme"
    )
    assert told.checks[0].startswith("The API's challenge (WWW-Authenticate) names Bearer.")
    assert told.fields[:2] == ("auth_config", "username")
    assert len(told.fields) == len(told.checks)


@pytest.mark.parametrize("symptom", list(Symptom))
@pytest.mark.parametrize("stage", list(Stage))
def test_there_is_something_to_check_whatever_is_known(symptom: Symptom, stage: Stage) -> None:
    told = explain(symptom, stage=stage)

    assert told.summary
    assert told.likely_cause
    assert told.checks
    assert "{" not in str(told)


def test_checks_name_the_configs_own_values_only() -> None:
    facts = {"auth_config": "billing", "key": "X-Key", "placement": "header"}
    told = explain(Symptom.WRONG_OR_MISSING_CREDENTIAL, stage=Stage.API, status=401, facts=facts)

    assert "sent as header X-Key" in told.checks[0]
    assert not [check for check in told.checks if "User name" in check or "prefix" in check]


def test_value_with_braces_is_only_a_value() -> None:
    facts = {"key": "{status.__class__}", "placement": "header"}
    told = explain(Symptom.WRONG_OR_MISSING_CREDENTIAL, stage=Stage.API, status=401, facts=facts)

    assert "{status.__class__}" in told.checks[0]


def test_stage_picks_the_row_where_it_makes_a_difference() -> None:
    assert row_for(Symptom.NETWORK, stage=Stage.TOKEN).matrix == OAUTH
    assert row_for(Symptom.NETWORK, stage=Stage.TLS) == row_for(
        Symptom.NETWORK, stage=Stage.CONNECT
    )


OF_CLIENT = {"client_id": "c", "client_auth": "basic", "scope": "s", "audience": "a"}
OF_PASSWORD = {**OF_CLIENT, "username": "robin"}


@pytest.mark.parametrize(
    ("code", "facts", "cause", "first"),
    [
        ("invalid_grant", OF_PASSWORD, "user name or its password", "User name robin"),
        ("invalid_grant", OF_CLIENT, "token URL or a setting", "Client ID c and its secret"),
        ("invalid_client", OF_PASSWORD, "client ID", "Client ID c and its secret"),
        ("unauthorized_client", OF_CLIENT, "this grant type", "The grant type is that of Client"),
        (
            "unsupported_grant_type",
            OF_CLIENT,
            "this grant type",
            "The grant type is that of Client",
        ),
        ("invalid_scope", OF_CLIENT, "name in the scope", "Scope is s"),
        ("invalid_target", OF_CLIENT, "audience or resource", "Audience is a"),
        ("invalid_request", OF_CLIENT, "parameter of the token request", "Which parameters"),
        ("access_denied", OF_CLIENT, "doesn't grant", "Client ID c: is it switched on"),
        ("made_up", OF_CLIENT, "token URL or a setting", "Client ID c and its secret"),
        ("", OF_CLIENT, "token URL or a setting", "Client ID c and its secret"),
    ],
)
def test_what_the_token_endpoint_names_is_checked_first(
    code: str, facts: dict[str, str], cause: str, first: str
) -> None:
    refusal = TokenFailed(
        "Said so.", symptom=Symptom.TOKEN_ENDPOINT_CONFIG, permanent=True, error=code, status=400
    )
    told = explain_failure(refusal, facts={**facts, "environment": "staging", "method": "Client"})
    assert told.summary == "Said so."
    assert cause in told.likely_cause
    assert told.checks[0].startswith(first)


def test_facts_have_no_query_no_secret_and_say_what_is_empty() -> None:
    method = methods.by_code("oauth2_client_credentials")
    facts = facts_of_options(
        method,
        {
            "token_url": "https://user:pw@auth.test/token?key=hidden",
            "client_id": "c",
            "scope": "",
            "client_secret": "hidden",
            "token_params": {"resource": "hidden"},
        },
    )

    assert facts["token_url"] == "https://auth.test/token"
    assert (facts["client_id"], facts["scope"]) == ("c", "(empty)")
    assert "hidden" not in str(facts)
