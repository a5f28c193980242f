from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

import requests
from requests.adapters import BaseAdapter
from requests.utils import default_headers

from authconfigs.errors import ConfigInvalid
from authconfigs.transport.deadline import Deadline

Headers = tuple[tuple[str, str | bytes], ...]
Send = Callable[[requests.PreparedRequest, Headers, bytes | None], requests.Response]

# The transport counts the body itself.
_FRAMING = frozenset({"connection", "content-length"})


class Guards(Protocol):
    """What a session needs of a door; also one that lets nothing out."""

    def guard(
        self, session: requests.Session, *, deadline: Deadline, max_bytes: int
    ) -> requests.Session:
        """The session, all of whose requests go through here."""


class DoorAdapter(BaseAdapter):
    """Hands the requests of a session to the door. What requests offers to choose (verify, proxies, timeout) isn't heeded."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        body = request.body
        if isinstance(body, str):
            body = body.encode()
        if body is not None and not isinstance(body, bytes):
            raise TypeError("the body has to be there as a whole")
        headers = tuple(
            (name, value) for name, value in request.headers.items() if name.lower() not in _FRAMING
        )
        return self._send(request, headers, body)

    def close(self) -> None:
        """The door keeps its connections."""


def guarded(session: requests.Session, send: Send) -> requests.Session:
    """The session, with no way out but `send`: each request goes out as it was asked for, with the session's headers and auth."""
    session.trust_env = False
    session.proxies = {}
    for name, value in default_headers().items():
        if session.headers.get(name) == value:
            del session.headers[name]
    door = DoorAdapter(send)
    session.adapters.clear()
    # For every scheme: requests would quote a URL that it has no adapter for.
    session.mount("", door)
    session.request = partial(_request, session, door)  # type: ignore[method-assign]
    return session


def _request(
    session: requests.Session,
    door: DoorAdapter,
    method: str,
    url: str,
    *,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    headers: Mapping[str, str | bytes] | None = None,
    auth: Any = None,
    **_choices: Any,
) -> requests.Response:
    """Prepare it, and hand it to the door: what requests does besides is for redirects, cookies, proxies and the environment."""
    sent = {**session.headers, **(headers or {})}
    if isinstance(data, Mapping):
        # requests spends more time on a form than on all else of a request.
        data = urlencode(data, doseq=True)
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    request = requests.Request(
        method.upper(),
        url,
        headers=sent,
        params=params,
        data=data,
        json=json,
        auth=auth or session.auth,
    )
    try:
        prepared = request.prepare()
    except requests.RequestException:
        # Its text quotes the URL with its query, or the value of a header.
        raise ConfigInvalid("The URL or a header of the request isn't valid.") from None
    if not params:
        # requests rewrites percent-escapes.
        prepared.url = url
    return door.send(prepared)
