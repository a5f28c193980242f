import logging
import sys
import time

import pytest

from config.logs import MaskingFilter, masked


@pytest.mark.parametrize(
    "line",
    [
        'http://api.example:80 "GET /invoices?api_key=planted-secret HTTP/1.1" 200 2',
        "/oauth/callback/?state=planted-secret&code=planted-secret",
        "Authorization: Bearer planted-secret",
        "Authorization: Basic planted-secret==",
        "{'Authorization': 'Bearer planted-secret'}",
        "{'Authorization': 'Token planted-secret'}",
        "proxy-authorization: Digest planted-secret",
        "{'X-API-Key': 'planted-secret', 'Accept': 'text/html'}",
        "{'X-API-Key': b'planted-secret planted-secret'}",
        '{"access_token": "planted-secret", "expires_in": 3600}',
        "grant_type=password&password=planted-secret&client_secret=planted-secret",
        "Connected to redis://:planted-secret@127.0.0.1:6379/0",
        "postgres://console:planted-secret@db/console",
        "client_secret=planted-secret",
        "set-cookie: sessionid=planted-secret; Path=/",
    ],
)
def test_what_looks_like_a_credential_is_masked(line: str) -> None:
    assert "planted-secret" not in masked(line)


@pytest.mark.parametrize(
    "line",
    [
        "Watching for file changes with StatReloader",
        '127.0.0.1 "GET /admin/" 200 512 bytes 13 ms',
        "Bad Request: /admin/authconfigs/",
        "Is it due? Not yet.",
        "The authorization code expired; connect again.",
        "No token for acme/old-client-secret: the token endpoint refuses (401 invalid_client).",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    assert masked(line) == line


def test_long_line_is_masked_in_no_time() -> None:
    begin = time.perf_counter()
    for text in (
        "a" * 200_000,
        "?" * 200_000,
        "token" * 40_000,
        "://" * 60_000,
        "Bearer " * 30_000,
    ):
        masked(text)
    assert time.perf_counter() - begin < 2


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("name", logging.ERROR, __file__, 1, message, args, info)


def formatted(made: logging.LogRecord) -> str:
    assert MaskingFilter().filter(made)
    return logging.Formatter("%(message)s").format(made)


def test_arguments_are_masked_after_they_are_filled_in() -> None:
    assert "planted-secret" not in formatted(record("headers: %s", {"X-Api-Key": "planted-secret"}))


def test_traceback_and_its_causes_are_masked() -> None:
    try:
        try:
            raise ValueError("GET https://api.example/?key=planted-secret")
        except ValueError as cause:
            raise RuntimeError("password=planted-secret") from cause
    except RuntimeError as error:
        text = formatted(record("failed", error=error))
    assert "RuntimeError" in text
    assert "planted-secret" not in text


def test_arguments_that_do_not_fit_lose_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "only %s of %s" in formatted(record("only %s of %s", 1))
    assert capsys.readouterr().err == ""
    assert sys.stderr is not None
