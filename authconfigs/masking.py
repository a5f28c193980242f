"""Secrets in somebody else's text: a server may reflect what was sent, in whatever form.

What is stored or shown of an answer goes through here first. The text is compared as it is and with its escapes undone, and
what is found there is masked where it came from. So it doesn't matter which characters somebody chose to escape, and how.
"""

import base64
import html
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
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
# Up to so many pieces of a text are looked for one by one. More are all at once, which takes as long as so many.
FEW = 64
# So many times each byte of the secrets is compared: a long text with 32 KiB of them, a short one with more.
MOST_COMPARED = FEW * 32 * 2**10
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
        sought = {secret for secret in secrets if len(secret) >= max(shortest, 1)}
        sizes = [len(_bytes(secret)) for secret in sought]
        self._sought, self._size = sought, sum(sizes)
        self._reach = LONGEST_ESCAPE * max(sizes, default=0)

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

    def found_in(self, *texts: str) -> bool:
        """Whether one of them is in one of the texts, or any 8 bytes of one."""
        return len(self.missing_from(texts)) < len(texts)

    def missing_from(self, texts: Sequence[str]) -> list[str]:
        """Those of the texts that have none of them, nor any 8 bytes of one.

        Where the texts are long and the secrets together, too, nobody looks, and none is given.
        """
        if not self._sought:
            return list(texts)
        views = [[data.translate(_ALIKE) for data in _undone(_bytes(text))] for text in texts]
        pieces = [{piece for view in those for piece in _pieces(view)} for those in views]
        found = self._found(set().union(*pieces))
        return [
            text
            for text, those, parts in zip(texts, views, pieces, strict=True)
            if found.isdisjoint(parts)
            and not any(form in view for form in self._short_forms for view in those)
        ]

    def _found(self, pieces: set[bytes]) -> set[bytes]:
        """Those of the pieces that a form has; all of them where it would take too long to look."""
        if min(len(pieces), FEW) * self._size > MOST_COMPARED:
            return pieces
        if len(pieces) <= FEW:
            return {piece for piece in pieces if piece in self._joined_forms}
        # As numbers of 8 bytes, so that nothing is made of each place of the forms: these may have millions.
        numbers = {int.from_bytes(piece, sys.byteorder): piece for piece in pieces}
        forms = memoryview(self._joined_forms)
        found = set[int]()
        for begin in range(min(PIECE, len(forms))):
            row = forms[begin : len(forms) - (len(forms) - begin) % PIECE]
            found |= numbers.keys() & row.cast("Q")
        return {numbers[number] for number in found}

    @cached_property
    def _forms(self) -> set[bytes]:
        return {form.translate(_ALIKE) for one in self._sought for form in _forms_of(one)}

    @cached_property
    def _short_forms(self) -> list[bytes]:
        return [form for form in self._forms if len(form) < PIECE]

    @cached_property
    def _joined_forms(self) -> bytes:
        # No text has a capital after the translation, so that no piece of one is found across two forms.
        return b"A".join(self._forms)

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


def _undone(data: bytes) -> Iterator[bytes]:
    """The data of the views, without the origins that cost most of their time."""
    yield data
    for _ in range(DEEPEST):
        deeper = _ESCAPE.sub(lambda escape: _plain(escape.group()), data)
        if deeper == data:
            return
        yield deeper
        data = deeper


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
    for data in chain.from_iterable(map(_undone, texts)):
        if len(data) >= SHORTEST:
            yield data


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
