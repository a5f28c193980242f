"""Secrets that are known again wherever they turn up, and the search for them."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote


def canary(name: str, odd: str = "") -> str:
    """A secret that nobody else has: two runs of letters and digits around what encoders change."""
    return f"{_run(name, 'head')}{odd}{_run(name, 'tail')}"


def _run(name: str, end: str) -> str:
    # Encoders and escapers leave letters and digits alone, so that each end is found in any of their outputs.
    return "Zq" + hashlib.sha256(f"{name} {end}".encode()).hexdigest()[:14]


@dataclass
class Evidence:
    """All that anybody but the owner of a secret can read, by the place where it stands."""

    found: list[tuple[str, bytes]] = field(default_factory=list)

    def add(self, place: str, content: str | bytes) -> None:
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogatepass")
        self.found.append((place, content))

    def add_all(self, places: Iterable[tuple[str, str | bytes]]) -> None:
        for place, content in places:
            self.add(place, content)

    def leaks(self, secrets: Iterable[str]) -> list[str]:
        """Where which form of which secret stands."""
        forms = {form: secret for secret in secrets for form in forms_of(secret)}
        return sorted(
            f"{secret!r} in {place}: ...{content[max(0, content.find(form) - 60) :][:160]!r}"
            for place, content in self.found
            for form, secret in forms.items()
            if form in content
        )


def forms_of(secret: str) -> Iterator[bytes]:
    """What to look for: the whole and each end of it, as it is, URL-encoded, in hex, UTF-16 and base64 at any alignment."""
    ends = [secret[:16], secret[-16:]] if len(secret) >= 32 else [secret]
    yield quote(secret, safe="").encode()
    for end in ends:
        raw = end.encode()
        yield from (raw, raw.hex().encode(), raw.hex().upper().encode(), end.encode("utf-16-le"))
        for shift in range(3):
            padded = b"." * shift + raw
            begin, stop = (0, 2, 3)[shift], len(padded) * 8 // 6
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                yield encode(padded)[begin:stop]
