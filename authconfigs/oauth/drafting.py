"""A token request as it would go out: the exchange itself prepares it, and nobody sends it."""

from collections.abc import Callable

from requests import PreparedRequest, Response, Session

from authconfigs.outgoing import OutgoingRequest
from authconfigs.transport import Deadline, Guards
from authconfigs.transport.guard import Headers, guarded


class _Prepared(Exception):
    def __init__(self, request: OutgoingRequest) -> None:
        super().__init__("The request is prepared and stays here.")
        self.request = request


class _ClosedDoor:
    def guard(self, session: Session, *, deadline: Deadline, max_bytes: int) -> Session:
        def keep(prepared: PreparedRequest, headers: Headers, body: bytes | None) -> Response:
            texts = tuple(
                (name, value.decode() if isinstance(value, bytes) else value)
                for name, value in headers
            )
            raise _Prepared(
                OutgoingRequest(
                    prepared.method or "",
                    prepared.url or "",
                    texts,
                    body,
                    credential_headers=frozenset({"authorization"}),
                    prefixes=(("authorization", "Basic"),),
                )
            )

        return guarded(session, keep)


def drafted(ask: Callable[[Guards, Deadline], object]) -> OutgoingRequest:
    """The request that `ask`, one of the grants, would send through a door. Raises TokenFailed where none can be made."""
    try:
        ask(_ClosedDoor(), Deadline.after(1))
    except _Prepared as kept:
        return kept.request
    raise RuntimeError("A grant has ended without a request.")
