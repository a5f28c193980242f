"""What ties a trip to the browser that began it: the session of a login, or the cookie of a consent link.

The browser holds a secret, the trip its hash, so that an answer that is delivered by anybody else's browser counts for nothing
(RFC 6749 §10.12).
"""

import hashlib
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from authconfigs.oauth import new_secret

# The trip's id follows: consents that run at the same time in one browser don't replace each other's.
_COOKIE = "consent-"
# The pages of a trip, and no others.
COOKIE_PATH = "/oauth/"
_SESSION_KEY = "consent"


def hashed(text: str) -> str:
    """SHA-256, in hex: of what is too long to be guessed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def bind_session(request: HttpRequest) -> str:
    """The binding of a trip that somebody begins who is logged in: to this session and this person."""
    if _SESSION_KEY not in request.session:
        request.session[_SESSION_KEY] = new_secret()
    return _of_session(request.session[_SESSION_KEY], request)


def session_binding(request: HttpRequest) -> str | None:
    """The binding that trips of this session have, or None where it has begun none."""
    held = request.session.get(_SESSION_KEY)
    return _of_session(held, request) if held and request.user.is_authenticated else None


def new_cookie() -> tuple[str, str]:
    """The value of a cookie, and the binding that it proves."""
    value = new_secret()
    return value, _of_cookie(value)


def set_cookie(response: HttpResponse, trip_id: UUID, value: str, *, seconds: float) -> None:
    """Give the browser the cookie that the callback of a consent link demands."""
    response.set_cookie(
        f"{_COOKIE}{trip_id.hex}",
        value,
        max_age=int(seconds),
        path=COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        # With Strict the browser wouldn't send it when it comes back from the provider.
        samesite="Lax",
    )


def cookie_bindings(request: HttpRequest) -> list[str]:
    """The bindings that the browser's cookies prove: one for each consent link that it opened lately."""
    return [_of_cookie(held) for name, held in request.COOKIES.items() if name.startswith(_COOKIE)]


def _of_session(held: str, request: HttpRequest) -> str:
    return hashed(f"session {request.user.pk} {held}")


def _of_cookie(held: str) -> str:
    return hashed(f"cookie {held}")
