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

    `taken`: names that are refused, because something else sets them. `known`: the only ones that there are, if it says so.
    """

    known: tuple[str, ...] = ()

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
                'This isn\'t a mapping of names to values: write one as in {"resource": "https://api.example.com"}.'
            )
        return value

    def validate(self, value: dict[str, Any]) -> None:
        for name, item in value.items():
            if not isinstance(name, str):
                raise forms.ValidationError("A name isn't text: write it in quotes.")
            if not name:
                raise forms.ValidationError(
                    "A value has no name: type one, or leave the value out."
                )
            if UNSENDABLE.search(name):
                raise forms.ValidationError(
                    "A name has a control character, such as a line break: type it without."
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
            is_finite = isinstance(one, float) and math.isfinite(one)
            if not (isinstance(one, str | int) or is_finite):
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


class SecretPairs(Pairs):
    """Parameters whose values are secret: text, or lists of text. None as a value keeps the one that is stored.

    In a form it may be left blank, which keeps all that is stored. `beside`: the field of those that aren't secret.
    """

    secret = True
    optional = True
    trims = True

    def __init__(self, *, beside: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.beside = beside
        self.widget = SecretTextarea(attrs=self.widget.attrs)

    def to_python(self, value: object) -> dict[str, Any]:
        return {name: _trimmed(item) for name, item in super().to_python(value).items()}

    def validate_item(self, name: str, item: object) -> None:
        if item is None:
            return
        texts = item if isinstance(item, list) else [item]
        if not all(isinstance(one, str) for one in texts):
            raise forms.ValidationError(f"The value of {name} isn't text: write it in quotes.")
        if not texts or not all(texts):
            raise forms.ValidationError(
                f"The value of {name} is empty: type it, or leave the name out."
            )
        super().validate_item(name, item)

    def drawn_again(self, typed: object) -> str:
        return names_alone(typed)

    def was_trimmed(self, typed: object) -> bool:
        try:
            return any(_trimmed(item) != item for item in super().to_python(typed).values())
        except forms.ValidationError:
            return False


class SecretTextarea(forms.Textarea):
    """A text area that shows no value that it is given, as a password field; their names aren't secret."""

    render_value = False

    def format_value(self, value: object) -> str:
        return names_alone(value)


def names_alone(typed: object) -> str:
    """The names in a JSON object, blanks in place of values; null stays, and nothing is said of what is no such object."""
    try:
        pairs = _from_json(typed) if isinstance(typed, str) else typed
    except forms.ValidationError:
        return ""
    if not isinstance(pairs, dict) or not pairs:
        return ""
    blanks = {name: _blank(item) for name, item in pairs.items()}
    return json.dumps(blanks, ensure_ascii=False, indent=2)


class AnswerPaths(Pairs):
    """Where an answer has what we know by these names: dotted paths into it."""

    def __init__(self, *, known: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = known

    def validate_item(self, name: str, item: object) -> None:
        if name not in self.known:
            raise forms.ValidationError(
                f"{name} isn't one of the names that are read: use one of {', '.join(self.known)}."
            )
        if not isinstance(item, str) or not all(item.split(".")):
            raise forms.ValidationError(
                f"The value of {name} isn't a path in the answer: write one as in data.access_token."
            )
        super().validate_item(name, item)

    def shown(self, value: Any) -> str:
        return ", ".join(f"{name} from {path}" for name, path in value.items())


class HeaderPairs(Pairs):
    """Headers of a request: their values are text."""

    def validate_item(self, name: str, item: object) -> None:
        if not isinstance(item, str):
            raise forms.ValidationError(f"The value of {name} isn't text: write it in quotes.")
        try:
            refuse_bad_header(name, item)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def _blank(item: object) -> object:
    if isinstance(item, list):
        return [""] * len(item)
    return None if item is None else ""


def _trimmed(item: object) -> object:
    if isinstance(item, list):
        return [_trimmed(one) for one in item]
    return item.strip() if isinstance(item, str) else item


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
