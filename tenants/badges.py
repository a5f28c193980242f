"""Small marks that mean the same on every page: environments in their colour, states in words and colour, ages."""

from datetime import datetime, timedelta
from math import ceil
from typing import Literal
from zlib import crc32

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from tenants.models import Environment

Tone = Literal["good", "bad", "warn", "quiet"]

# Colours of unprotected environments. Red belongs to the protected ones.
_HUES = 4


def environment_badge(environment: Environment) -> SafeString:
    """The environment's name in its colour; a protected one is solid red, with a lock and the word."""
    if environment.protected:
        return format_html(
            '<span class="c-env c-env-protected" title="{0}, protected: only admins change things here">'
            '<span class="material-symbols-outlined" aria-hidden="true">lock</span><span class="c-name">{0}</span>'
            '<span class="c-sr"> (protected)</span></span>',
            environment.name,
        )
    hue = crc32(environment.slug.encode()) % _HUES
    return format_html(
        '<span class="c-env c-env-{0}" title="{1}"><span class="c-name">{1}</span></span>',
        hue,
        environment.name,
    )


def pill(text: str, tone: Tone, *, title: str = "") -> SafeString:
    """A state in words and colour; `title` says more to who points at it."""
    return format_html('<span class="c-pill c-{}" title="{}">{}</span>', tone, title, text)


def ago(moment: datetime | None) -> str:
    """How long ago in one unit: 3 days ago."""
    if moment is None:
        return "never"
    now = timezone.now()
    if (now - moment).total_seconds() < 60:
        return "just now"
    return f"{timesince(moment, now, depth=1)} ago"


def time_of(moment: datetime) -> str:
    """The time of day, with the date where that isn't today's: 14:05, 3 Nov 14:05."""
    here = timezone.localtime(moment)
    if here.date() == timezone.localdate():
        return f"{here:%H:%M}"
    return f"{here.day} {here:%b %H:%M}"


def at(value: datetime) -> SafeString:
    """The time of day, which shows the exact one to who points at it."""
    return _exact(value, time_of(value))


def until(moment: datetime) -> str:
    """How long from now in one unit: in 3 minutes. A minute that has begun counts."""
    now = timezone.now()
    seconds = (moment - now).total_seconds()
    if seconds <= 0:
        return f"{timesince(moment, now, depth=1)} ago" if seconds <= -60 else "just now"
    if seconds < 60:
        return f"in {round(seconds)} seconds"
    end = now + timedelta(minutes=ceil(seconds / 60))
    return f"in {timesince(now, end, depth=1)}"


def due(value: datetime) -> SafeString:
    """When something is to happen: in 3 minutes; since when it is due where it should have happened."""
    late = (timezone.now() - value).total_seconds()
    if late < 0:
        return _exact(value, until(value))
    if late < 60:
        return _exact(value, "due now")
    return _exact(value, f"due since {timesince(value, depth=1)}")


def lasting(value: datetime) -> SafeString:
    """How long something has been so: for 4 hours."""
    seconds = (timezone.now() - value).total_seconds()
    words = f"for {timesince(value, depth=1)}" if seconds >= 60 else "since just now"
    return _exact(value, words)


def expiry(value: datetime) -> SafeString:
    """When something ends, or has ended: in 3 minutes, expired 2 hours ago."""
    ended = value <= timezone.now()
    return _exact(value, f"expired {ago(value)}" if ended else until(value))


def moment(value: datetime | None) -> SafeString:
    """An age that shows the exact time to who points at it."""
    if value is None:
        return format_html('<span class="c-subtle">{}</span>', "never")
    return _exact(value, ago(value))


def _exact(value: datetime, words: str) -> SafeString:
    exact = value.astimezone(timezone.get_current_timezone()).strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, words)
