"""Makes `requests.Response` out of an answer, as users of requests know it."""

import http.client
import re
from datetime import timedelta

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse

_FOLD = re.compile(r"[ \t]*\r?\n[ \t]*|\r")


class FramedAnswer(http.client.HTTPResponse):
    """http.client's answer, with the chunk sizes that it takes though no chunk has them (RFC 9112 §7.1) refused.

    It would read less than nothing as "whatever comes until the end", past every limit.
    """

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:
            raise http.client.HTTPException("negative chunk size")
        return size


def response_of(
    answer: http.client.HTTPResponse,
    body: bytes,
    *,
    request: requests.PreparedRequest,
    seconds: float,
) -> requests.Response:
    """The answer with its body read. Repeated headers are joined; `raw.headers.getlist()` has them one by one.

    Raises urllib3's InvalidHeader for two lengths that differ: where the answer ends isn't known then (RFC 9112 §6.3).
    """
    headers = HTTPHeaderDict()
    for name, value in answer.headers.items():
        headers.add(name, _FOLD.sub(" ", value))
    response = requests.Response()
    response.status_code = answer.status
    response.reason = answer.reason
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.request = request
    response.elapsed = timedelta(seconds=seconds)
    response.raw = HTTPResponse(
        headers=headers,
        status=answer.status,
        reason=answer.reason,
        version=answer.version,
        preload_content=False,
    )
    response._content = body
    response._content_consumed = True  # type: ignore[attr-defined]
    return response
