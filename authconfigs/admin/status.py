from dataclasses import dataclass

from django.utils.safestring import SafeString

from tenants.badges import Tone, pill


@dataclass(frozen=True)
class Status:
    """A state in words and colour; `sentence` says what it means, to who points at it."""

    text: str
    tone: Tone
    sentence: str = ""

    @property
    def pill(self) -> SafeString:
        return pill(self.text, self.tone, title=self.sentence)
