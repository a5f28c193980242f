"""Form fields for numbers: text in a browser, numbers in a file."""

import re
from typing import Any

from django import forms

from authconfigs.methods.fields import Declared


class Whole(Declared):
    """A whole number from `least` to `most`, or None. `unit` is what it counts."""

    def __init__(self, *, least: int, most: int, unit: str, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "inputmode": "numeric"}
        super().__init__(required=False, widget=forms.TextInput(attrs=attrs), **kwargs)
        self.least, self.most, self.unit = least, most, unit

    def to_python(self, value: object) -> int | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        number = _whole(value)
        if number is None or not self.least <= number <= self.most:
            raise forms.ValidationError(
                f"This isn't a whole number of {self.unit} from {self.least} to {self.most}: write it in digits."
            )
        return number

    def shown(self, value: Any) -> str:
        return f"{value} {self.unit}"


class Statuses(Declared):
    """A list of HTTP statuses that mean a refusal (RFC 9110 §15.4 to §15.6); with commas between in a browser."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "spellcheck": "false"}
        super().__init__(required=False, widget=forms.TextInput(attrs=attrs), **kwargs)

    def prepare_value(self, value: object) -> object:
        return self.shown(value) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[int]:
        if value is None:
            return []
        given = re.findall(r"[^\s,;]+", value) if isinstance(value, str) else value
        if not isinstance(given, list):
            raise forms.ValidationError("This isn't a list of statuses: write it as in 403, 419.")
        numbers = [_whole(one) for one in given]
        if not all(number is not None and 300 <= number <= 599 for number in numbers):
            raise forms.ValidationError(
                "A status is a whole number from 300 to 599. Where the API answers 200, name the text that it answers."
            )
        return list(dict.fromkeys(number for number in numbers if number is not None))

    def shown(self, value: Any) -> str:
        return ", ".join(map(str, value))


def _whole(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,15}\s*", value):
        return int(value)
    return value if type(value) is int else None
