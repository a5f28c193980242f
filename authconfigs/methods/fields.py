"""Form fields of auth methods. Each says whether it is a secret, and what a change of it does to a stored token.

They judge values from a browser and from a file alike: text from both, mappings as JSON text or as they are. Messages name
the problem and the fix, never the value.
"""

import json
import re
from collections.abc import Collection
from enum import IntEnum
from typing import Any
from urllib.parse import urlsplit

from django import forms

from authconfigs.outgoing import RESERVED_HEADERS, origin_of

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# What describes the message rather than who sends it (RFC 9110 §8): a credential there would break the request.
NOT_FOR_CREDENTIALS = RESERVED_HEADERS | {
    "accept-encoding",
    "content-encoding",
    "content-type",
    "user-agent",
}


class Change(IntEnum):
    """What a change of a field does to a stored token; of several, the greatest holds."""

    NOTHING = 0
    NEW_ACCESS_TOKEN = 1
    NEW_GRANT = 2


class Declared(forms.Field):
    """`secret`: sealed, write-only. `change`: see Change. `trims`: blanks at the ends are taken off."""

    secret = False
    trims = False
    change = Change.NEW_GRANT

    def effect(self, old: object, new: object) -> Change:
        """What replacing the one value by the other does to a stored token."""
        return Change.NOTHING if old == new else self.change


class Text(Declared, forms.CharField):
    trims = True

    def __init__(self, *, change: Change = Change.NEW_GRANT, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 2000)
        super().__init__(**kwargs)
        self.change = change
        self.trims = self.strip

    def to_python(self, value: object) -> str:
        if value is not None and not isinstance(value, str):
            raise forms.ValidationError("Write this as text, in quotes.")
        return str(super().to_python(value))

    def validate(self, value: str) -> None:
        super().validate(value)
        if CONTROL.search(value):
            raise forms.ValidationError(
                "There is a control character, such as a line break, inside: type it without."
            )


class Secret(Text):
    """A secret of one line. It may be left blank in a form, where that keeps what is stored.

    `optional`: the method works without it.
    """

    secret = True

    def __init__(self, *, optional: bool = False, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        super().__init__(required=False, max_length=20_000, widget=widget, **kwargs)
        self.optional = optional


class HeaderName(Text):
    """A header that may carry a credential (RFC 9110 §5.1)."""

    def __init__(self, *, change: Change = Change.NOTHING, **kwargs: Any) -> None:
        super().__init__(change=change, max_length=200, **kwargs)

    def validate(self, value: str) -> None:
        super().validate(value)
        refuse_header_name(value)


def refuse_header_name(name: str) -> None:
    """Raises ValidationError for what can't be the name of a header with a credential."""
    if not HEADER_NAME.fullmatch(name):
        raise forms.ValidationError(
            "A header name has no blanks and no colon, only letters, digits and hyphens, as in X-API-Key."
        )
    if name.lower() in NOT_FOR_CREDENTIALS:
        raise forms.ValidationError(
            "That header is set by the request itself: choose the one the provider names for the credential."
        )


class Url(Text):
    """An absolute http(s) URL. A change of its origin is a new grant, one of path or query is `change`."""

    def __init__(self, *, first: Change = Change.NEW_GRANT, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "url"}), **kwargs)
        self.first = first

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            _refuse_url(value)

    def effect(self, old: object, new: object) -> Change:
        if old == new:
            return Change.NOTHING
        if not old:
            return self.first
        same = bool(new) and origin_of(str(old)) == origin_of(str(new))
        return self.change if same else Change.NEW_GRANT


def _refuse_url(value: str) -> None:
    if re.search(r"[\s\\]", value):
        raise forms.ValidationError("The URL has a blank or a backslash: write a blank as %20.")
    try:
        parts = urlsplit(value)
        origin_of(value)
    except ValueError:
        raise forms.ValidationError(
            "Give a whole URL with https:// and a host, as in https://auth.example.com/oauth/token."
        ) from None
    if parts.username is not None or parts.password is not None:
        raise forms.ValidationError(
            "The URL has a user name or password in it: use the fields for those."
        )
    if "#" in value:
        raise forms.ValidationError(
            "The URL has a fragment (#...), which is never sent: leave it out."
        )


class Choice(Declared, forms.ChoiceField):
    def __init__(self, *, change: Change = Change.NOTHING, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.change = change


class Pairs(Declared, forms.CharField):
    """Names and their values: a JSON object in a form, a mapping in a file. Values are text, or lists of text if `lists`.

    `taken`: names that the grant sets itself, so that they are refused here.
    """

    def __init__(
        self,
        *,
        change: Change = Change.NEW_ACCESS_TOKEN,
        taken: Collection[str] = (),
        lists: bool = False,
        headers: bool = False,
        **kwargs: Any,
    ) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
        super().__init__(required=False, widget=widget, **kwargs)
        self.change = change
        self.taken = frozenset(taken)
        self.lists = lists
        self.headers = headers

    def prepare_value(self, value: object) -> object:
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False, indent=2) if value else ""
        return value

    def to_python(self, value: object) -> dict[str, Any]:  # type: ignore[override]
        if value in (None, ""):
            return {}
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise forms.ValidationError(
                    'This isn\'t a JSON object: write it as in {"resource": "https://api.example.com"}.'
                ) from None
        if not isinstance(value, dict):
            raise forms.ValidationError("This isn't a mapping of names to values.")
        return value

    def validate(self, value: dict[str, Any]) -> None:  # type: ignore[override]
        for name, item in value.items():
            if not isinstance(name, str) or not name or CONTROL.search(name):
                raise forms.ValidationError("A name is empty or has a control character.")
            if name in self.taken:
                raise forms.ValidationError(
                    f"{name} is set by the grant itself: leave it out here."
                )
            if self.headers:
                refuse_header_name(name)
            items = item if self.lists and isinstance(item, list) else [item]
            if not all(isinstance(one, str) for one in items):
                kinds = "text or a list of texts" if self.lists else "text"
                raise forms.ValidationError(f"The value of {name} isn't {kinds}.")
            if any(CONTROL.search(one) for one in items):
                raise forms.ValidationError(f"The value of {name} has a control character.")

    def run_validators(self, value: object) -> None:
        """A mapping is judged whole by `validate`; what CharField would check is for text."""
