"""The form field for names and their values: a JSON object in a browser, a mapping in a file."""

import json
import math
from collections.abc import Collection
from typing import Any

from django import forms

from authconfigs.methods.fields import Declared
from authconfigs.outgoing import refuse_bad_header
from authconfigs.paths import UNSENDABLE

LONGEST = 20_000


class Pairs(Declared):
    """Values are text, numbers or booleans, or lists of them (RFC 8707 §2 repeats `resource`).

    `taken`: names that are refused, because something else sets them.
    """

    def __init__(self, *, taken: Collection[str] = (), **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"})
        super().__init__(required=False, widget=widget, **kwargs)
        self.taken = frozenset(taken)

    def prepare_value(self, value: object) -> object:
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False, indent=2) if value else ""
        return value

    def to_python(self, value: object) -> dict[str, Any]:
        if value is None or (isinstance(value, str) and not value.strip()):
            return {}
        if isinstance(value, str):
            value = _from_json(value)
        if not isinstance(value, dict):
            raise forms.ValidationError(
                'This isn\'t a mapping of names to values, as in {"resource": "https://api.example.com"}.'
            )
        return value

    def validate(self, value: dict[str, Any]) -> None:
        for name, item in value.items():
            if not isinstance(name, str) or not name or UNSENDABLE.search(name):
                raise forms.ValidationError(
                    "A name is empty, isn't text or has a control character: write it in quotes."
                )
            if name.lower() in self.taken:
                raise forms.ValidationError(
                    f"{name} is set by the grant itself or has a field of its own: leave it out here."
                )
            self.validate_item(name, item)
        if len(json.dumps(value)) > LONGEST:
            raise forms.ValidationError(f"This is longer than {LONGEST} characters: shorten it.")

    def validate_item(self, name: str, item: object) -> None:
        """Raises ValidationError for a value that can't be sent."""
        for one in item if isinstance(item, list) else [item]:
            is_number = isinstance(one, int | float) and math.isfinite(one)
            if not (isinstance(one, str) or is_number):
                raise forms.ValidationError(
                    f"The value of {name} isn't text, a number, true or false, or a list of those: write it in quotes."
                )
            if isinstance(one, str) and UNSENDABLE.search(one):
                raise forms.ValidationError(
                    f"The value of {name} has a control character, such as a line break: write it without."
                )

    def shown(self, value: Any) -> str:
        # The names alone: nobody can know what providers want to have here.
        return ", ".join(value)


class HeaderPairs(Pairs):
    """Headers of a request: their values are text."""

    def validate_item(self, name: str, item: object) -> None:
        if not isinstance(item, str):
            raise forms.ValidationError(f"The value of {name} isn't text: write it in quotes.")
        try:
            refuse_bad_header(name, item)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def _from_json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise forms.ValidationError(
            'This isn\'t JSON: write it with double quotes, as in {"resource": "https://api.example.com"}.'
        ) from None


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise forms.ValidationError("A name is there twice: write its values as a list.")
    return found
