"""Secrets in somebody else's text: a server may reflect what was sent, in whatever form.

What is stored or shown of an answer goes through here first. The text is compared as it is and with its escapes undone, and
what is found there is masked where it came from. So it doesn't matter which characters somebody chose to escape, and how.
"""

import base64
import html
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import Self
from urllib.parse import quote_plus

from authconfigs.outgoing import DOTS

# Shorter ones occur in any text by chance.
SHORTEST = 4
# So much of a secret in a row is no chance any more.
PIECE = 8
# Escapes within escapes, such as a form's field in HTML in a JSON document.
DEEPEST = 3
# What a byte of a secret takes at most in an answer: \uXXXX, its backslash percent-encoded.
LONGEST_ESCAPE = 8

# Percent (RFC 3986 §2.1), JSON (RFC 8259 §7) with pairs of surrogates, other languages' \xXX, and HTML.
_ESCAPE = re.compile(
    rb"%[0-9a-f]{2}|\\u(?:d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|[0-9a-f]{4})"
    rb"|\\x[0-9a-f]{2}|\\[\"'/\\]|&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});",
    re.IGNORECASE,
)
# No difference is made between cases (a host has none), the two base64 alphabets, and the two blanks of forms.
_ALIKE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ+-_", b"abcdefghijklmnopqrstuvwxyz  /")


class Reflections:
    """The forms in which secrets may come back: as they are, in UTF-8 or Latin-1 or the one read as the other, in hex, and in
    base64 at any alignment, which covers a Basic pair.

    Of secrets that are shorter than `shortest` nothing is looked for.
    """

    def __init__(self, secrets: Iterable[str], *, shortest: int = SHORTEST) -> None:
        sought = [secret for secret in secrets if len(secret) >= max(shortest, 1)]
        self._sought = sought
        longest = max((len(_bytes(secret)) for secret in sought), default=0)
        self._reach = LONGEST_ESCAPE * longest

    def masked(self, text: str) -> str:
        """The text with dots for each of them."""
        return self._masked(_bytes(text)) or text

    def masked_start(self, text: str, length: int, *, is_cut: bool) -> str:
        """What the first `length` characters hold, masked; `is_cut`: the text once went on.

        Nothing is shown of where a secret may begin that isn't there to its end.
        """
        window = text[: length + self._reach]
        if is_cut:
            length = min(length, max(len(text) - self._reach, 0))
        shown = window[:length]
        return self._masked(_bytes(window), shown=len(_bytes(shown))) or shown

    def found_in(self, text: str) -> bool:
        """Whether one of them is in the text, or any 8 bytes of one."""
        views = [view.data.translate(_ALIKE) for view in _views(_bytes(text))]
        if any(form in view for view in views for form in self._forms):
            return True
        return any(piece in self._form_pieces for view in views for piece in _pieces(view))

    @cached_property
    def _forms(self) -> set[bytes]:
        return {form.translate(_ALIKE) for one in self._sought for form in _forms_of(one)}

    @cached_property
    def _form_pieces(self) -> set[bytes]:
        return {piece for form in self._forms for piece in _pieces(form)}

    def _masked(self, data: bytes, shown: int | None = None) -> str | None:
        """None when nothing is found in what is shown."""
        end = len(data) if shown is None else shown
        spans = sorted(span for span in self._spans(data) if span[0] < end)
        if not spans:
            return None
        parts, after = list[str](), 0
        for begin, behind in spans:
            if not parts or begin > after:
                parts += [data[after:begin].decode("utf-8", "replace"), DOTS]
            after = max(after, behind)
        return "".join([*parts, data[after:end].decode("utf-8", "replace")])

    def _spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        for view in _views(data):
            alike = view.data.translate(_ALIKE)
            for form in self._forms:
                at = alike.find(form)
                while at >= 0:
                    yield view.span(at, at + len(form))
                    at = alike.find(form, at + len(form))


def mask_text(text: str, secrets: Iterable[str]) -> str:
    """The text with dots for each secret of 4 characters or more, in the forms in which it may come back."""
    return Reflections(secrets).masked(text)


@dataclass(frozen=True)
class _View:
    """A text with its escapes undone; `origin` tells for each byte, and for the end, where it began in the text itself."""

    data: bytes
    origin: list[int]

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Where these bytes are in the text; escapes belong to it as a whole."""
        while end < len(self.data) and self.origin[end] == self.origin[end - 1]:
            end += 1
        return self.origin[begin], self.origin[end]

    def undone(self) -> Self:
        data, origin, after = bytearray(), list[int](), 0
        for escape in _ESCAPE.finditer(self.data):
            begin, end = escape.span()
            plain = _plain(escape.group())
            data += self.data[after:begin] + plain
            origin += self.origin[after:begin]
            origin += self.origin[begin : begin + 1] * len(plain)
            after = end
        return type(self)(bytes(data + self.data[after:]), origin + self.origin[after:])


def _views(data: bytes) -> Iterator[_View]:
    view = _View(data, list(range(len(data) + 1)))
    yield view
    for _ in range(DEEPEST):
        deeper = view.undone()
        if deeper.data == view.data:
            return
        yield deeper
        view = deeper


@lru_cache(maxsize=4096)
def _plain(escape: bytes) -> bytes:
    text = escape.decode("ascii")
    if text[0] == "&":
        return _bytes(html.unescape(text))
    if text[0] == "%" or text[1] in "xX":
        return bytes.fromhex(text[-2:])
    if text[1] in "uU":
        units = bytes.fromhex(text[2:6] + text[8:])
        return _bytes(units.decode("utf-16-be", "surrogatepass"))
    return escape[1:]


def _forms_of(secret: str) -> Iterator[bytes]:
    raw = _bytes(secret)
    yield raw
    if len(secret) < SHORTEST:
        return
    yield raw.hex().encode("ascii")
    for text in (raw, quote_plus(raw).encode("ascii")):
        yield from (_in_base64(text, shift) for shift in range(3))
    texts = [raw, _bytes(raw.decode("latin-1"))]
    with suppress(UnicodeEncodeError):
        texts.append(secret.encode("latin-1"))
    # The secret may look escaped by itself, and the text have that undone, too.
    for view in chain.from_iterable(map(_views, texts)):
        if len(view.data) >= SHORTEST:
            yield view.data


def _in_base64(raw: bytes, shift: int) -> bytes:
    """What base64 makes of the bytes behind `shift` other ones (a user name, say), whatever surrounds them.

    The digits at either end that depend on the neighbours stay out.
    """
    begin = (0, 2, 3)[shift]
    end = (shift + len(raw)) * 8 // 6
    return base64.b64encode(b"." * shift + raw)[begin:end]


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + PIECE] for at in range(len(data) - PIECE + 1))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
