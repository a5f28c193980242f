from collections.abc import Callable, Mapping

import requests
from requests.adapters import BaseAdapter
from requests.utils import default_headers

from authconfigs.errors import ConfigInvalid

Headers = tuple[tuple[str, str | bytes], ...]
Send = Callable[[requests.PreparedRequest, Headers, bytes | None], requests.Response]

# The transport counts the body itself.
_FRAMING = frozenset({"connection", "content-length"})


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
    """The session, with no way out but `send`."""
    session.trust_env = False
    session.proxies = {}
    session.max_redirects = 0
    # oauthlib's session asks for redirects in some calls.
    session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
    for name, value in default_headers().items():
        if session.headers.get(name) == value:
            del session.headers[name]
    session.adapters.clear()
    # For every scheme: requests would quote a URL that it has no adapter for.
    session.mount("", DoorAdapter(send))
    _prepare_faithfully(session)
    return session


def _prepare_faithfully(session: requests.Session) -> None:
    prepare = session.prepare_request

    def prepare_request(request: requests.Request) -> requests.PreparedRequest:
        try:
            prepared = prepare(request)
        except requests.RequestException:
            # Its text quotes the URL with its query, or the value of a header.
            raise ConfigInvalid("The URL or a header of the request isn't valid.") from None
        if not request.params:
            # requests rewrites percent-escapes.
            prepared.url = request.url
        return prepared

    session.prepare_request = prepare_request  # type: ignore[method-assign]
