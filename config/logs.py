"""What may stand in a log: a filter on the handlers masks what looks like a credential.

It is the second line of defence. The first is that nobody hands a secret to a logger.
"""

import logging
import re
from typing import Any

MASK = "••••"

_TELLING_NAME = (
    # The name of a header, parameter or field whose value is likely to be secret.
    r"(?<![\w./-])(?=[\w.-]*?(?:secret|token|passw(?:or)?d|authorization|api[_-]?key|cookie|credential"
    r"|assertion|code_verifier|signature))[\w.-]++"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # https://user:password@host
    (re.compile(r"(?<=://)[^\s/@'\"]+@"), f"{MASK}@"),
    # /path?query: keys travel there, and so do OAuth's code and state.
    (re.compile(r"\?[^\s'\"<>?]*=[^\s'\"<>]*"), f"?{MASK}"),
    # Bearer abc and Basic abc, wherever they stand; after Authorization any scheme.
    (re.compile(r"\b(Bearer|Basic)\s+[^\s'\",]{4,}", re.IGNORECASE), rf"\1 {MASK}"),
    (
        re.compile(r"(authorization['\"]?\s*[:=]\s*b?['\"]?\w+)\s+[^\s'\",]+", re.IGNORECASE),
        rf"\1 {MASK}",
    ),
    # "client_secret": "abc", X-API-Key: abc, password=abc
    (
        re.compile(
            rf"(?P<name>{_TELLING_NAME})(?P<mark>['\"]?\s*[:=]\s*)(?P<value>b?'[^']*'|b?\"[^\"]*\"|[^\s,;&'\"]+)",
            re.IGNORECASE,
        ),
        rf"\g<name>\g<mark>{MASK}",
    ),
)


def masked(text: str) -> str:
    """The text with whatever looks like a credential replaced by dots."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class MaskingFilter(logging.Filter):
    """Masks the message and the traceback of a record, whichever handler comes after it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:
            message = f"{record.msg} (its arguments don't fit)"
        record.msg, record.args = masked(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = masked(record.exc_text)
        if record.stack_info:
            record.stack_info = masked(record.stack_info)
        return True


def logging_settings(level: int) -> dict[str, Any]:
    """Django's LOGGING: all to stderr through the filter, the root logger at `level`.

    The pinned loggers show whole requests, token answers or values below INFO, so they never go there.
    """
    pinned = ("requests_oauthlib", "oauthlib", "urllib3", "django.db.backends")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"masking": {"()": MaskingFilter}},
        "formatters": {
            "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["masking"],
                "formatter": "line",
            },
            "mail_admins": {
                "class": "django.utils.log.AdminEmailHandler",
                "filters": ["masking"],
                "level": "ERROR",
            },
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            **{name: {"level": max(level, logging.INFO)} for name in pinned},
            # Django gives these handlers of their own, which don't mask.
            "django": {"handlers": ["mail_admins"], "level": "NOTSET", "propagate": True},
            "django.server": {"handlers": [], "level": "NOTSET", "propagate": True},
            # So does gunicorn, and it doesn't let its loggers propagate.
            "gunicorn.error": {"handlers": ["stderr"], "propagate": False},
            "gunicorn.access": {"handlers": ["stderr"], "propagate": False},
        },
    }
