"""The failures that the switches name, put into place: before the endpoint answers, and onto its answer."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from integrations.demo.provider.messages import Answer, Received, html_answer, json_answer
from integrations.demo.provider.resources import CHALLENGES, refused, root_of
from integrations.demo.provider.switches import Switches
from integrations.demo.provider.tokens import oauth_error

ABSENT = object()
PAGE = "<!doctype html><html lang=en><title>Demo</title><h1>This page isn't what you asked for</h1></html>"
HUGE = 10**400
API_BIG, TOKEN_BIG = 12 * 2**20, 5_000_000

STATUSES = {
    "403": (403, {"error": "forbidden", "message": "You may not do this."}),
    "404": (404, {"error": "not_found", "message": "There is nothing here."}),
    "415": (415, {"error": "unsupported_media_type", "message": "Send another media type."}),
    "429": (429, {"error": "too_many_requests", "message": "Slow down."}),
    "500": (500, {"error": "server_error", "message": "Something broke."}),
    "503": (503, {"error": "temporarily_unavailable", "message": "Come back later."}),
}
OAUTH_ERRORS = {
    "error_in_200": ("invalid_client", 200),
    "invalid_client": ("invalid_client", 401),
    "invalid_grant": ("invalid_grant", 400),
    "invalid_scope": ("invalid_scope", 400),
    "unauthorized_client": ("unauthorized_client", 400),
    "unsupported_grant_type": ("unsupported_grant_type", 400),
}


def before(
    received: Received, failures: frozenset[str], *, switches: Switches, base_url: str
) -> Answer | None:
    """The answer that a failure gives in the endpoint's place, or None."""
    for name in sorted(failures):
        if name == "401":
            challenge = CHALLENGES.get(root_of(received.endpoint) or "", 'Bearer realm="demo"')
            return refused(challenge, "Refused, as the switch says.")
        if name in STATUSES:
            status, document = STATUSES[name]
            retry = (("Retry-After", switches.retry_after),) if name in {"429", "503"} else ()
            return json_answer(document, status, headers=retry)
        if name in OAUTH_ERRORS:
            error, status = OAUTH_ERRORS[name]
            return oauth_error(error, "As the switch says.", status=status, received=received)
        if name == "redirect":
            return Answer(307, headers=(("Location", f"{base_url}/elsewhere?from=demo"),))
        if name in {"html", "html_500"}:
            return html_answer(PAGE, 500 if name == "html_500" else 200)
        if name == "array":
            return json_answer(["not", "an", "object"])
        if name == "empty":
            return Answer(200, headers=(("Content-Type", "application/json"),))
        if name == "close":
            return Answer(0, pace="close")
    return None


def onto(answer: Answer, failures: frozenset[str], *, received: Received, is_token: bool) -> Answer:
    """The endpoint's answer, spoilt as the failures say."""
    if is_token and answer.status == 200 and answer.document is not None:
        answer = _spoilt_token(answer, answer.document, failures)
    if "echo" in failures:
        answer = _echoed(answer, received)
    if "big" in failures:
        answer = replace(
            answer, body=b'{"filler": "' + b"x" * (TOKEN_BIG if is_token else API_BIG) + b'"}'
        )
    if "garbled" in failures:
        answer = answer.with_headers(("Content-Encoding", "gzip"))
    for pace in ("slow", "drip"):
        if pace in failures:
            answer = replace(answer, pace=pace)
    return replace(answer, pace="close") if "lost" in failures else answer


def _spoilt_token(answer: Answer, document: dict[str, Any], failures: frozenset[str]) -> Answer:
    lifetime = float(document.get("expires_in", 0))
    scopes = str(document.get("scope", "")).split()
    spoilt: dict[str, dict[str, Any]] = {
        "expires_missing": {"expires_in": ABSENT},
        "expires_null": {"expires_in": None},
        "expires_string": {"expires_in": "300"},
        "expires_float": {"expires_in": 299.5},
        "expires_zero": {"expires_in": 0},
        "expires_negative": {"expires_in": -1},
        "expires_huge": {"expires_in": HUGE},
        "expires_junk": {"expires_in": "soon"},
        "expires_nan": {"expires_in": float("nan")},
        "expires_bool": {"expires_in": True},
        "expires_milliseconds": {"expires_in": lifetime * 1000},
        "expires_iso8601": {
            "expires_in": datetime.fromtimestamp(time.time() + lifetime, UTC).isoformat()
        },
        "expires_epoch": {"expires_in": time.time() + lifetime},
        "refresh_null": {"refresh_token": None},
        "refresh_empty": {"refresh_token": ""},
        "refresh_absent": {"refresh_token": ABSENT},
        "refresh_extra": {"refresh_token": "refresh-nobody-asked-for"},
        "scope_narrower": {"scope": " ".join(scopes[:-1])},
        "scope_reordered": {"scope": " ".join(reversed(scopes))},
        "type_missing": {"token_type": ABSENT},
        "type_foreign": {"token_type": "mac"},
    }
    for name in failures & set(spoilt):
        document.update(spoilt[name])
    document = {name: value for name, value in document.items() if value is not ABSENT}
    if "nested" in failures:
        document = {"ok": True, "data": {"token": document}}
    if "form_encoded" in failures:
        content_type = ("Content-Type", "application/x-www-form-urlencoded")
        headers = tuple(pair for pair in answer.headers if pair[0] != "Content-Type")
        return replace(answer, body=urlencode(document).encode(), headers=(content_type, *headers))
    return replace(answer, body=json.dumps(document).encode())


def _echoed(answer: Answer, received: Received) -> Answer:
    headers = dict(received.headers)
    sent = {
        "path": received.path,
        "headers": headers,
        "body": received.body.decode("utf-8", "replace"),
    }
    reflected = tuple(
        (f"X-Echo-{name}", value)
        for name, value in headers.items()
        if name.lower() in {"authorization", "x-api-key", "cookie"}
    )
    document = answer.document
    if document is None:
        body = answer.body + b"\n" + json.dumps(sent).encode()
        return replace(answer, body=body).with_headers(*reflected)
    if "error" in document:
        document["error_description"] = (
            f"You sent {sent['body']} {headers.get('Authorization', '')}"
        )
    document["you_sent"] = sent
    return replace(answer, body=json.dumps(document).encode()).with_headers(
        *reflected, ("X-Echo-Path", received.path)
    )
