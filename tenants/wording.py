"""What forms say of a wrong value: which field it is, and what to type instead. Django's own words name neither.

A field that has words of its own keeps them.
"""

from collections.abc import Collection, Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst

_WORDS = {
    "invalid_choice": "{label} isn't one of those on offer. Choose one of the list.",
    "max_length": "{label} has %(show_value)s characters, and %(limit_value)s at most fit: shorten it.",
    "max_value": "{label} is %(limit_value)s at most: write a smaller number.",
    "min_value": "{label} is %(limit_value)s at least: write a larger number.",
    "null_characters_not_allowed": "{label} has a NUL character inside: type it without.",
    "required": "{label} is missing: fill it in.",
}
# What a value isn't, by the kind of field; the first that fits.
_INVALID: tuple[tuple[type[forms.Field], str], ...] = (
    (forms.EmailField, "{label} isn't complete: write it as in ann.lee@example.com."),
    (forms.IntegerField, "{label} isn't a whole number: write it in digits, as in 30."),
    (forms.DateField, "{label} isn't a date: write year, month and day, as in 2027-01-31."),
)
# Nobody types it: the page was changed on its way, or a link has grown old.
_HIDDEN = "Something that this page keeps for itself came back changed. Open the page again, and fill it in anew."

# The same faults, as the columns of a row name them.
_OF_COLUMNS = {
    "blank": _WORDS["required"],
    "invalid_choice": _WORDS["invalid_choice"],
    "max_length": _WORDS["max_length"],
    "null": _WORDS["required"],
}

_OF_PASSWORDS = {
    "password_entirely_numeric": "The password has digits alone, which is soon guessed: put letters in, too.",
    "password_incorrect": "The old password is another one: type it again. Capital and small letters count.",
    "password_mismatch": "The two passwords differ: type the same in both fields.",
    "password_too_common": "Many people use this password, so it is guessed first: choose another one.",
    "password_too_short": "The password is shorter than %(min_length)d characters: make it longer.",
    "password_too_similar": "The password is too much like the %(verbose_name)s: choose another one.",
}


class Worded(forms.BaseForm):
    """A form that is declared whole, so that its words can be put in when it is made."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        word(self)


class WordedPasswords(Worded):
    """The same for forms that judge passwords: those of Django's rules are told what to do about it."""

    def add_error(self, field: str | None, error: Any) -> None:
        for each in error.error_list if isinstance(error, ValidationError) else ():
            each.message = _OF_PASSWORDS.get(each.code or "", each.message)
        super().add_error(field, error)


def word(form: forms.BaseForm) -> None:
    """Give the fields of the form words in place of Django's."""
    for name, field in form.fields.items():
        label = str(field.label or form[name].label)
        for code, text in _words_for(field):
            if _is_djangos(field, code):
                field.error_messages[code] = text.format(label=label)


def column_errors(row: models.Model, names: Collection[str]) -> dict[str, list[str]]:
    """What these columns of a row refuse by themselves: length, slugs, choices."""
    skipped = {field.name for field in row._meta.fields} - set(names)
    try:
        row.clean_fields(exclude=skipped)
    except ValidationError as refused:
        for name, errors in refused.error_dict.items():
            for each in errors:
                _word_column(row._meta.get_field(name), each)
        return refused.message_dict
    return {}


def _word_column(column: Any, error: ValidationError) -> None:
    text = _OF_COLUMNS.get(error.code or "", "")
    if isinstance(column, models.EmailField) and error.code == "invalid":
        text = _INVALID[0][1]
    if text:
        error.message = text.format(label=capfirst(column.verbose_name))


def _words_for(field: forms.Field) -> Iterator[tuple[str, str]]:
    words = dict(_WORDS)
    if invalid := next((text for kind, text in _INVALID if isinstance(field, kind)), ""):
        words["invalid"] = invalid
    if isinstance(field, forms.ChoiceField):
        words["required"] = "{label} is missing: choose one of the list."
    for code, text in words.items():
        yield code, _HIDDEN if field.widget.is_hidden else text


def _is_djangos(field: forms.Field, code: str) -> bool:
    """Whether a field says nothing of its own: nothing at all, or what Django's class has for it."""
    if code not in field.error_messages:
        return True
    theirs = (
        vars(kind).get("default_error_messages", {}).get(code)
        for kind in type(field).__mro__
        if kind.__module__.startswith("django.")
    )
    return field.error_messages[code] in theirs
