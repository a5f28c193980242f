"""What is kept or shown of a request and its answer: enough for a support ticket, and no secret, whoever reflected it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import requests

from authconfigs.masking import Reflections
from authconfigs.outgoing import DOTS, OutgoingRequest, as_text
from integrations.documents import body_of

KEPT_CHARACTERS = 2000


class Mask:
    """Masks whatever a run keeps or tells, by the secrets that it has used."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = Reflections(secrets)

    def text(self, text: str) -> str:
        return _storable(self._secrets.masked(text))

    def first_part(
        self, text: str, *, characters: int = KEPT_CHARACTERS, is_cut: bool = False
    ) -> str:
        """The beginning, with no part of a secret left at its end; `is_cut`: so much was read, and more came."""
        return _storable(self._secrets.masked_start(text, characters, is_cut=is_cut))


def request_evidence(request: OutgoingRequest | None, mask: Mask) -> dict[str, Any]:
    """The request as it went out, dots for its credential; empty when none was built."""
    if request is None:
        return {}
    shown: OutgoingRequest = request.masked()
    body = shown.body.decode("utf-8", "replace") if shown.body is not None else None
    return {
        "method": shown.method,
        "url": mask.text(shown.url),
        "headers": [[name, mask.text(value)] for name, value in shown.headers],
        "body": None if body is None else mask.first_part(body),
    }


def response_evidence(
    response: requests.Response | None,
    mask: Mask,
    *,
    is_cut: bool,
    characters: int = KEPT_CHARACTERS,
) -> dict[str, Any]:
    """Status, headers and so many characters of the body; empty when there was no answer. `is_cut`: more came than was read."""
    if response is None:
        return {}
    text = body_of(response).get("body")
    length = len(response.content)
    return {
        "status": response.status_code,
        "headers": [
            # A session that the API opened is a credential, too.
            [mask.text(name), DOTS if name.lower() == "set-cookie" else mask.first_part(value)]
            for name, value in response.raw.headers.iteritems()
        ],
        "body": None
        if text is None
        else mask.first_part(text, characters=characters, is_cut=is_cut),
        "bytes": length,
        "truncated": is_cut or (text is not None and len(text) > characters),
    }


def request_text(request: Mapping[str, Any]) -> str:
    """The masked request as HTTP shows it."""
    if not request:
        return ""
    return as_text(
        request["method"],
        request["url"],
        request.get("headers") or (),
        body=request.get("body"),
    )


def response_text(response: Mapping[str, Any]) -> str:
    """The masked answer, with the first part of its body."""
    if not response:
        return ""
    lines = [str(response["status"]), *_headers(response.get("headers") or ())]
    if response.get("body"):
        lines += ["", response["body"]]
    elif response.get("bytes"):
        lines += ["", f"({response['bytes']} bytes that aren't text)"]
    if response.get("truncated"):
        lines += ["(cut off here)"]
    return "\n".join(lines)


def _storable(text: str) -> str:
    # PostgreSQL takes no NUL, not in JSON either.
    return text.replace("\x00", "\ufffd")


def _headers(headers: Sequence[Sequence[str]]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers]
