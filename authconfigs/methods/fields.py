"""Form fields of auth methods. Each says whether it is a secret, and what a change of it does to a stored token.

They judge values from a browser and from a file alike. Messages name the problem and the fix, never the value.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any
from urllib.parse import urlsplit

from django import forms

from authconfigs.errors import OutboundError
from authconfigs.outgoing import DOTS, RESERVED_HEADERS, TOKEN, origin_of
from authconfigs.paths import UNSENDABLE
from authconfigs.transport.target import split_url

# What says how the body is to be read (RFC 9110 §8): a credential there would break the request.
_OF_THE_BODY = frozenset({"accept-encoding", "content-encoding", "content-range", "content-type"})


class Change(IntEnum):
    """What a change of a field does to a stored token; of several, the greatest holds."""

    NOTHING = 0
    NEW_ACCESS_TOKEN = 1
    NEW_GRANT = 2


class Declared(forms.Field):
    """`secret`: sealed, write-only. `change`: see Change. `trims`: blanks at the ends are taken off.

    `optional`: the method works without this secret. An option says so by `required`. `seed`: this secret is the refresh token
    that a stored token begins with.
    """

    secret = False
    optional = False
    trims = False
    seed = False

    def __init__(self, *, label: str, change: Change = Change.NEW_GRANT, **kwargs: Any) -> None:
        self.change = change
        missing = {"required": f"{label} is missing, and this method needs it: fill it in."}
        kwargs["error_messages"] = missing | kwargs.pop("error_messages", {})
        super().__init__(label=label, **kwargs)

    @property
    def name_in_text(self) -> str:
        """The label, as it stands inside of a sentence."""
        label = str(self.label)
        return label[0].lower() + label[1:]

    def value_in(self, options: Mapping[str, Any], name: str) -> Any:
        """The stored value, or the default where the method got this field later."""
        value = options.get(name)
        return self.to_python(self.initial) if value is None else value

    def effect(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
        """What replacing the old options by the new does to a stored token, as far as this field is concerned."""
        same = self.value_in(old, name) == self.value_in(new, name)
        return Change.NOTHING if same else self.change

    def was_trimmed(self, typed: object) -> bool:
        """Whether blanks were taken off what was typed."""
        return self.trims and isinstance(typed, str) and typed != typed.strip()

    def drawn_again(self, typed: object) -> str:
        """What a form that was refused may show of a typed secret."""
        return ""

    def shown(self, value: Any) -> str:
        """The value of an option for people, also outside of the form."""
        return str(value)


class Text(Declared, forms.CharField):
    def __init__(self, *, max_length: int = 2000, **kwargs: Any) -> None:
        long = f"This is longer than {max_length} characters: check that only the value was pasted."
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
        )
        super().__init__(max_length=max_length, error_messages={"max_length": long}, **kwargs)
        self.trims = self.strip

    def to_python(self, value: object) -> str:
        if value is not None and not isinstance(value, str):
            raise forms.ValidationError("This isn't text: write it in quotes.")
        return str(super().to_python(value))

    def validate(self, value: str) -> None:
        super().validate(value)
        if UNSENDABLE.search(value):
            raise forms.ValidationError(
                "There is a control character inside, such as a line break or a tab: type it without."
            )


class Secret(Text):
    """A secret of one line. In a form it may be left blank, which keeps what is stored."""

    secret = True

    def __init__(self, *, optional: bool = False, seed: bool = False, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        super().__init__(required=False, max_length=20_000, widget=widget, **kwargs)
        self.optional = optional
        self.seed = seed


class HeaderName(Text):
    """A header that may carry a credential (RFC 9110 §5.1)."""

    def __init__(self, *, change: Change = Change.NOTHING, **kwargs: Any) -> None:
        super().__init__(change=change, max_length=200, **kwargs)

    def validate(self, value: str) -> None:
        super().validate(value)
        refuse_header_name(value)


def refuse_header_name(name: str) -> None:
    """Raises ValidationError for what can't be the name of a header with a credential."""
    if not TOKEN.fullmatch(name):
        raise forms.ValidationError(
            "A header name has no blanks and no colon, only letters, digits and hyphens: write it as in X-API-Key."
        )
    if name.lower() in RESERVED_HEADERS | _OF_THE_BODY:
        raise forms.ValidationError(
            "That header is reserved for the connection or the body: use the one that the provider names, such as X-API-Key."
        )


class Url(Text):
    """An absolute http(s) URL. A change of its origin is a new grant, one of path or query is `change`.

    `example`: what such an address looks like. `first`: what the first value does where there was none, and what taking it away does. `takes_secrets`: secrets are sent
    there. `stands_in_for`: the URL that is used where this one is empty. So a first value at its origin is no more than
    another path, and none brings nothing new.
    """

    def __init__(
        self,
        *,
        first: Change = Change.NEW_GRANT,
        takes_secrets: bool = False,
        stands_in_for: str = "",
        example: str = "https://auth.example.com/oauth/token",
        **kwargs: Any,
    ) -> None:
        attrs = {"autocomplete": "off", "inputmode": "url", "spellcheck": "false"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)
        self.first = first
        self.takes_secrets = takes_secrets
        self.stands_in_for = stands_in_for
        self.example = example

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            _refuse_url(value, example=self.example)

    def effect(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
        before, after = self.value_in(old, name), self.value_in(new, name)
        if before == after:
            return Change.NOTHING
        near = new.get(self.stands_in_for)
        if not before:
            return self.change if near and _share_origin(near, after) else self.first
        if not after:
            return self.change if self.stands_in_for else self.first
        return self.change if _share_origin(before, after) else Change.NEW_GRANT

    def shown(self, value: Any) -> str:
        bare, mark, _ = str(value).partition("?")
        return f"{bare}?{DOTS}" if mark else bare


def _share_origin(one: str, other: str) -> bool:
    try:
        return origin_of(one) == origin_of(other)
    except ValueError:
        return False


def _refuse_url(value: str, *, example: str) -> None:
    if re.search(r"[\s\\]", value):
        raise forms.ValidationError("The URL has a blank or a backslash: write a blank as %20.")
    if "#" in value:
        raise forms.ValidationError(
            "The URL has a fragment (#...), which is never sent: leave it out."
        )
    if "://" not in value:
        raise forms.ValidationError(f"This isn't a complete address: write it as in {example}.")
    try:
        has_user = "@" in urlsplit(value).netloc
    except ValueError:
        has_user = False
    if has_user:
        raise forms.ValidationError(
            "The URL has a user name or password in it: leave them out, there are fields for credentials."
        )
    try:
        split_url(value)
    except OutboundError as error:
        raise forms.ValidationError(f"{error.summary} Write it as in {example}.") from None


class Choice(Declared, forms.ChoiceField):
    def __init__(self, *, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        known = ", ".join(value for value, _ in choices)
        wrong = {"invalid_choice": f"There is no such choice: use another. Known are: {known}."}
        super().__init__(choices=choices, error_messages=wrong, **kwargs)
        self.labels = dict(choices)

    def shown(self, value: Any) -> str:
        return self.labels.get(value, str(value))
