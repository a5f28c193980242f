"""Secrets in somebody else's text: an API may reflect what was sent, in whatever form.

What is stored or shown of an answer goes through here first.
"""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

DOTS = "••••"
# Shorter ones occur in any text by chance.
SHORTEST = 4


def mask_text(text: str, secrets: Iterable[str]) -> str:
    """The text with dots for each secret of 4 characters or more, in the forms in which it may come back.

    These are: as it is, percent-encoded, escaped for JSON or HTML, UTF-8 that was read as Latin-1, and base64 at any
    alignment, which covers a Basic pair.
    """
    forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms_of(secret)}
    if not forms:
        return text
    longest_first = sorted(forms, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), DOTS, text)


def _forms_of(secret: str) -> set[str]:
    plain = {secret, secret.encode("utf-8", "surrogatepass").decode("latin-1")}
    escaped = {
        form
        for text in plain
        for form in (
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            json.dumps(text)[1:-1].replace("/", "\\/"),
            html.escape(text),
            html.escape(text, quote=False),
        )
    }
    encoded = {
        form
        for text in (secret, html.escape(secret))
        for once in (quote(text, safe="", errors="replace"), quote(text, errors="replace"))
        for form in (once, _lower_hex(once), quote(once, safe=""))
    }
    spaced = quote_plus(secret, errors="replace")
    encoded |= {spaced, _lower_hex(spaced)}
    in_base64 = {
        form for text in (secret, spaced) for shift in range(3) for form in _in_base64(text, shift)
    }
    return {form for form in plain | escaped | encoded | in_base64 if len(form) >= SHORTEST}


def _lower_hex(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), text)


def _in_base64(text: str, shift: int) -> set[str]:
    """What base64 makes of the text behind `shift` other bytes (a user name, say), whatever surrounds it.

    The digits at either end that depend on the neighbours stay out.
    """
    raw = b"." * shift + text.encode("utf-8", "replace")
    begin = (0, 2, 3)[shift]
    end = len(raw) * 8 // 6
    forms = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        inner = encode(raw).decode()[begin:end]
        forms |= {inner, quote(inner, safe=""), inner.replace("/", "\\/")}
    return forms
