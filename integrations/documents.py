"""What `call --json` prints, and the words for an answer that isn't a success."""

import base64
from dataclasses import replace
from email.message import Message
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from authconfigs.errors import OutboundError
from authconfigs.masking import Reflections
from authconfigs.symptoms import Stage, Symptom
from integrations.calls import CallResult
from integrations.diagnosis import Explanation, explain, explain_failure
from integrations.targets import Target


def document_of(result: CallResult, told: Explanation | None) -> dict[str, Any]:
    """The document for an answer; `told` is what `explained` made of it, None for a success."""
    response = result.response
    return {
        "ok": told is None,
        "status": response.status_code,
        "headers": headers_of(response),
        **body_of(response),
        "symptom": result.symptom,
        "stage": Stage.API if result.failure is None else Stage.TOKEN,
        "token_refreshed": result.token_refreshed,
        "elapsed_ms": round(result.elapsed_ms),
        **_words(told),
    }


def failure_document(
    error: OutboundError, told: Explanation, *, elapsed_ms: float
) -> dict[str, Any]:
    """The document for a call without an answer."""
    return {
        "ok": False,
        # Of another server than the API nothing is known to the caller but the summary.
        "status": error.status if error.stage is Stage.API else None,
        "headers": {},
        "body": None,
        "symptom": error.symptom,
        "stage": error.stage,
        "token_refreshed": error.token_refreshed,
        "elapsed_ms": round(elapsed_ms),
        **_words(told),
    }


def explained(result: CallResult, target: Target) -> Explanation | None:
    """Why an answer isn't a success, and what to check; None for 2xx. What the API reflected of a secret is masked."""
    if result.failure is not None:
        return explained_error(result.failure, target)
    finding = result.finding
    if finding is None:
        return None
    secrets = Reflections(result.secrets)
    reflected = {name: secrets.masked(text) for name, text in finding.facts.items()}
    told = explain(
        finding.symptom,
        stage=Stage.API,
        status=result.response.status_code,
        facts={**target.facts, **reflected},
        case=finding.case,
    )
    if finding.symptom is Symptom.BLOCKED_BY_POLICY:
        return replace(told, summary=secrets.masked(redirect_summary(result.response)))
    return told


def explained_error(error: OutboundError, target: Target) -> Explanation:
    """The same for a call that got no answer; the error's own sentence is the summary."""
    return explain_failure(error, facts=target.facts)


def headers_of(response: requests.Response) -> dict[str, str | list[str]]:
    """The headers as received: repeated ones joined, the cookies one by one."""
    headers: dict[str, str | list[str]] = dict(response.headers)
    for name in headers:
        if name.lower() == "set-cookie":
            headers[name] = response.raw.headers.getlist(name)
    return headers


def body_of(response: requests.Response) -> dict[str, str]:
    """`body` when the bytes are text in their charset (default UTF-8), else `body_base64`."""
    content = response.content
    try:
        text = content.decode(_charset(response))
        # Some charsets can spell what no text may hold.
        text.encode()
    except (UnicodeError, LookupError):
        return {"body_base64": base64.b64encode(content).decode()}
    return {"body": text}


def redirect_summary(response: requests.Response) -> str:
    """Where a redirect leads: origin and path, no query, which may hold a credential."""
    place = redirect_place(response)
    where = f" to {place}" if place else ""
    return f"The API redirects{where} ({response.status_code}), and a redirect is never followed."


def redirect_place(response: requests.Response) -> str:
    """Origin and path of where a redirect leads; empty when that can't be told."""
    try:
        parts = urlsplit(urljoin(response.url, response.headers.get("Location", "")))
    except ValueError:
        return ""
    if "Location" not in response.headers or not parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _charset(response: requests.Response) -> str:
    message = Message()
    message["Content-Type"] = response.headers.get("Content-Type", "")
    charset = message.get_param("charset")
    return charset if isinstance(charset, str) and charset else "utf-8"


def _words(told: Explanation | None) -> dict[str, Any]:
    if told is None:
        return {}
    return {
        "summary": told.summary,
        "likely_cause": told.likely_cause,
        "checks": list(told.checks),
    }
