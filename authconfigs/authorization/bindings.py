"""What ties a trip to the browser that began it: the session of a login, or the cookie of a consent link.

The browser holds a secret, the trip its hash, so that an answer that is delivered by anybody else's browser counts for nothing
(RFC 6749 §10.12).
"""

import hashlib

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from authconfigs.oauth import new_secret

COOKIE = "consent"
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


def set_cookie(response: HttpResponse, value: str, *, seconds: float) -> None:
    """Give the browser the cookie that the callback of a consent link demands."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(seconds),
        path=COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        # With Strict the browser wouldn't send it when it comes back from the provider.
        samesite="Lax",
    )


def cookie_binding(request: HttpRequest) -> str | None:
    """The binding that the browser's cookie proves, or None where it has none."""
    held = request.COOKIES.get(COOKIE)
    return _of_cookie(held) if held else None


def _of_session(held: str, request: HttpRequest) -> str:
    return hashed(f"session {request.user.pk} {held}")


def _of_cookie(held: str) -> str:
    return hashed(f"cookie {held}")
