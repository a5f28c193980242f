"""Names and values, one a line: what people paste from documentation and from curl."""

from collections.abc import Mapping
from typing import Any

from django import forms

_ROWS = {"rows": 3, "spellcheck": "false", "autocapitalize": "off"}


class Lines(forms.CharField):
    """A mapping, written as one `name separator value` a line. Messages name the line, never its value."""

    def __init__(self, *, separator: str, example: str, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={**_ROWS, "placeholder": example})
        super().__init__(required=False, widget=widget, **kwargs)
        self.separator = separator
        self.example = example

    def prepare_value(self, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        between = f"{self.separator} " if self.separator == ":" else self.separator
        return "\n".join(f"{name}{between}{each}" for name, each in value.items())

    def to_python(self, value: object) -> dict[str, str]:  # type: ignore[override]
        if isinstance(value, Mapping):
            return dict(value)
        found: dict[str, str] = {}
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            if not line.strip():
                continue
            name, separator, each = (part.strip() for part in line.partition(self.separator))
            if not separator or not name:
                raise forms.ValidationError(
                    f"Line {number} isn't a name and a value: write it as in {self.example}."
                )
            if name in found:
                raise forms.ValidationError(
                    f"Line {number}: {name} is there twice, leave one of them out."
                )
            found[name] = each
        return found

    def validate(self, value: dict[str, str]) -> None:
        """The save path judges names and values."""

    def run_validators(self, value: object) -> None:
        """A mapping is no text."""


def headers(label: str, *, help_text: str) -> Lines:
    return Lines(
        separator=":", example="Accept: application/json", label=label, help_text=help_text
    )


def query(label: str, *, help_text: str) -> Lines:
    return Lines(separator="=", example="version=2", label=label, help_text=help_text)


class Statuses(forms.CharField):
    """HTTP statuses with commas or blanks between; none means any 2xx."""

    def prepare_value(self, value: object) -> object:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: object) -> tuple[int, ...]:  # type: ignore[override]
        words = str(value or "").replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
            raise forms.ValidationError("Write statuses as numbers, such as 200, 204.")
        return tuple(int(word) for word in words)

    def validate(self, value: tuple[int, ...]) -> None:
        """The save path judges the numbers."""

    def run_validators(self, value: object) -> None:
        """Numbers are no text."""
