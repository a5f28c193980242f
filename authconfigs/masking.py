"""Secrets in somebody else's text: an API may reflect what was sent, in whatever form.

What is stored or shown of an answer goes through here first.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from authconfigs.outgoing import DOTS

# Shorter ones occur in any text by chance.
SHORTEST = 4
_LENIENT = "!$&'()*+,;=:@/?[]~"  # what some encoders leave as it is (RFC 3986 §2.2)


def mask_text(text: str, secrets: Iterable[str]) -> str:
    """The text with dots for each secret of 4 characters or more, in the forms in which it may come back.

    These are: as it is, percent-encoded, escaped for JSON or HTML, UTF-8 that was read as Latin-1, and base64 at any
    alignment, which covers a Basic pair.
    """
    forms = {
        form
        for secret in secrets
        if len(secret) >= SHORTEST
        for form in _forms_of(secret)
        if len(form) >= SHORTEST
    }
    if not forms:
        return text
    longest_first = sorted(forms, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), DOTS, text)


def _forms_of(secret: str) -> Iterator[str]:
    for text in (secret, secret.encode("utf-8", "surrogatepass").decode("latin-1")):
        yield from (text, html.escape(text, quote=False))
        yield from (html.escape(text), html.escape(text).replace("&#x27;", "&#39;"))
        for ascii_only in (True, False):
            in_json = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
            yield from (in_json, in_json.replace("/", "\\/"))
    for text in (secret, html.escape(secret)):
        yield from _percent_encoded(text)
    for text in (secret, quote(secret, safe="", errors="replace").replace("%20", "+")):
        for shift in range(3):
            yield from _in_base64(text, shift)


def _percent_encoded(text: str) -> Iterator[str]:
    whole = quote(text, safe="", errors="replace")
    for once in (
        whole,
        whole.replace("%20", "+"),
        quote(text, _LENIENT, errors="replace"),
        quote(text, errors="replace"),
    ):
        yield from (once, re.sub("%..", lambda escape: escape[0].lower(), once))
    yield quote(whole, safe="")


def _in_base64(text: str, shift: int) -> Iterator[str]:
    """What base64 makes of the text behind `shift` other bytes (a user name, say), whatever surrounds it.

    The digits at either end that depend on the neighbours stay out.
    """
    raw = b"." * shift + text.encode("utf-8", "replace")
    begin = (0, 2, 3)[shift]
    end = len(raw) * 8 // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        inner = encode(raw).decode()[begin:end]
        yield from (inner, inner.replace("/", "\\/"), *_percent_encoded(inner))
