"""The verdict on answers without a token, and that it repeats no secret."""

import base64
import json
import time
from typing import Any
from urllib.parse import quote_plus

import pytest

from authconfigs.errors import TokenFailed
from authconfigs.oauth.answer import document_of
from authconfigs.oauth.refusal import refusal_of, retry_after
from authconfigs.symptoms import Stage, Symptom

SECRET = "pl&nted sécret-9f2c"


def refusal(status: int, body: object = b"", **headers: str) -> TokenFailed:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal_of(
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        content=content,
        document=document_of(content),
        secrets=[SECRET, ""],
    )


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, "invalid_client"),
        (400, "invalid_client"),
        (400, "unauthorized_client"),
        (400, "unsupported_grant_type"),
        (400, "invalid_scope"),
        (400, "invalid_request"),
        (400, "invalid_target"),
        (400, "invalid_grant"),
        (403, "something_of_its_own"),
        (200, "invalid_client"),
        (200, "bad_verification_code"),
    ],
)
def test_oauth_error_is_permanent_and_named(status: int, error: str) -> None:
    failure = refusal(status, {"error": error})
    assert (failure.symptom, failure.stage) == (Symptom.TOKEN_ENDPOINT_CONFIG, Stage.TOKEN)
    assert (failure.permanent, failure.error, failure.status) == (True, error, status)
    assert f"{status} {error}" in failure.summary


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 415, 422])
@pytest.mark.parametrize("body", [b"", b"<html>", {"message": "no"}])
def test_refusal_that_is_not_oauths_is_permanent_too(status: int, body: object) -> None:
    failure = refusal(status, body)
    assert (failure.symptom, failure.permanent) == (Symptom.TOKEN_ENDPOINT_CONFIG, True)
    assert (failure.error, failure.status) == ("", status)
    assert ("token URL" in failure.summary) == (status in {404, 405, 410})
    assert ("web page" in failure.summary) == (body == b"<html>")
    assert failure.is_nameless
    assert not refusal(status, {"error": "of_its_own"}).is_nameless


@pytest.mark.parametrize("body", [b"", b"<html>", {"error": "invalid_grant"}])
@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 425])
def test_server_in_trouble_is_asked_again_and_no_grant_is_given_up(
    status: int, body: object
) -> None:
    failure = refusal(status, body)
    assert (failure.symptom, failure.permanent) == (Symptom.PROVIDER_ERROR, False)
    assert (failure.error, failure.status) == ("", status)


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable"])
@pytest.mark.parametrize("status", [200, 400])
def test_error_code_of_a_server_in_trouble_is_transient(status: int, error: str) -> None:
    failure = refusal(status, {"error": error})
    assert (failure.symptom, failure.permanent) == (Symptom.PROVIDER_ERROR, False)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "nothing"),
        (b"  \n", "nothing"),
        (b"<!doctype html>", "a web page"),
        (b"[1]", "something unreadable"),
        (b"soon", "something unreadable"),
        ({"token": "x"}, "a document without a usable access token"),
        ({"error": None}, "a document without a usable access token"),
        ({"error": False}, "a document without a usable access token"),
    ],
)
def test_success_without_token_is_a_provider_error(body: object, told: str) -> None:
    failure = refusal(200, body)
    assert (failure.symptom, failure.permanent) == (Symptom.PROVIDER_ERROR, False)
    assert failure.summary == f"The token endpoint answered {told} instead of a token (200)."


def test_429_is_rate_limited_with_its_wait() -> None:
    failure = refusal(429, b"<html>", Retry_After="17")
    assert (failure.symptom, failure.permanent) == (Symptom.PROVIDER_RATE_LIMITED, False)
    assert (failure.retry_after, failure.status) == (17.0, 429)
    assert "17 seconds" in failure.summary
    assert refusal(429).retry_after is None
    assert refusal(503, Retry_After="5").retry_after == 5.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 30 ", 30.0),
        ("0000000000000030", 30.0),
        ("9" * 5000, 31_536_000.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(text, now=1_700_000_000.0) == seconds


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_blocked_and_shown_without_query(status: int) -> None:
    failure = refusal(status, Location="https://b.example:8443/login?code=1#x")
    assert (failure.symptom, failure.permanent) == (Symptom.BLOCKED_BY_POLICY, True)
    assert failure.status == status
    assert "https://b.example:8443/login (" in failure.summary
    assert "code" not in failure.summary


@pytest.mark.parametrize(
    "location", ["", f"https://b.example/{SECRET}", "https://u:p@b.example/", "/x\r\n"]
)
def test_redirect_to_a_telling_address_is_not_shown(location: str) -> None:
    summary = refusal(302, Location=location).summary
    assert "b.example" not in summary
    assert SECRET not in summary
    assert "\n" not in summary


def test_description_is_quoted_short_and_plain() -> None:
    said = "Client\u202e <b>unknown</b>\r\n see https://b.example/help?id=7 " + "x" * 300
    failure = refusal(400, {"error": "invalid_client", "error_description": said})
    assert "“Client <b>unknown</b> see https://b.example/help xxx" in failure.summary
    assert failure.summary.endswith("…”")
    assert len(failure.summary) < 500


@pytest.mark.parametrize(
    "body",
    [
        {"error": "own", "message": "because"},
        {"error": {"code": "own", "message": "because"}},
        {"error": {"type": "own"}, "error_description": "because"},
    ],
)
def test_errors_in_other_shapes_are_understood(body: dict[str, Any]) -> None:
    failure = refusal(400, body)
    assert failure.error == "own"
    assert failure.summary.endswith("It says: “because”")


@pytest.mark.parametrize(
    "error", [True, 5, ["invalid_client"], {"nothing": 1}, "a\nb", "é", "x" * 99, SECRET]
)
def test_unprintable_error_code_is_still_an_error(error: object) -> None:
    failure = refusal(200, {"error": error})
    assert (failure.symptom, failure.permanent) == (Symptom.TOKEN_ENDPOINT_CONFIG, True)
    assert failure.error == ""


@pytest.mark.parametrize(
    "reflected",
    [
        SECRET,
        SECRET.upper(),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"client:{SECRET}".encode()).decode(),
        SECRET[:8] + "****",
        "pl&amp;nted sécret-9f2c",
        "".join(f"%{byte:02x}" for byte in SECRET.encode()),
        "".join(f"&#{ord(character)};" for character in SECRET),
        "\u200b".join(SECRET),
        "x" * 193 + SECRET,
    ],
)
def test_description_that_reflects_a_secret_is_dropped_whole(reflected: str) -> None:
    body = {"error": "invalid_client", "error_description": f"You sent {reflected}."}
    assert "It says" not in refusal(401, body).summary


@pytest.mark.parametrize("before", range(780, 800, 3))
def test_secret_at_the_edge_of_what_is_read_shows_nothing(before: int) -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in SECRET)
    for reflected in (SECRET, escaped):
        said = ("?" + "q" * 60 + " ") * (before // 62) + reflected
        said = " " * (before - (before // 62) * 62) + said
        assert "It says" not in refusal(401, {"error": "x", "error_description": said}).summary


def test_long_description_and_long_secrets_cost_no_time() -> None:
    document = {"error": "x", "error_description": "client sécret " * 70_000}
    secrets = [str(number) * 4000 for number in range(10, 14)]
    started = time.thread_time()
    failure = refusal_of(
        401, {"Location": "x" * 60_000}, content=b"", document=document, secrets=secrets
    )
    assert time.thread_time() - started < 2
    assert "It says: “client sécret client" in failure.summary


def test_known_code_survives_a_one_letter_secret() -> None:
    content = b'{"error": "invalid_grant", "error_description": "a"}'
    failure = refusal_of(400, {}, content=content, document=document_of(content), secrets=["a"])
    assert failure.error == "invalid_grant"
    assert "It says" not in failure.summary
