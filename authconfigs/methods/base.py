"""What an auth method is. A method is one file that derives from AuthMethod, and one line in METHODS."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

from django import forms

from authconfigs.errors import ConfigInvalid
from authconfigs.methods.fields import Change, Declared, Url
from authconfigs.outgoing import OutgoingRequest, origin_of

__all__ = ["AuthMethod", "Change", "Fields", "MethodForm"]

# Options and secrets of a config, in plain text.
Fields = Mapping[str, Any]


class MethodForm(forms.Form):
    """The only schema of a method's options and secrets, for browsers and files alike.

    `data` holds the typed options and secrets by name; what is absent or None takes its default. A blank secret keeps the
    stored one; a name in `cleared` drops it, unless another one is typed. After `is_valid()`: `options` whole, `secrets` the
    typed ones, `notes` for whoever typed them. `peculiarities` are the fields that only peculiar providers need, by heading.
    """

    peculiarities: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        stored_secrets: Collection[str] = frozenset(),
        cleared: Collection[str] = frozenset(),
        **kwargs: Any,
    ) -> None:
        self.stored_secrets = frozenset(stored_secrets)
        self.cleared = frozenset(cleared)
        self.notes: tuple[str, ...] = ()
        self.unknown: tuple[str, ...] = ()
        if data is not None:
            self.unknown = tuple(name for name in data if name not in self.base_fields)
            defaults = {name: field.initial for name, field in self.base_fields.items()}
            typed = {name: value for name, value in data.items() if value is not None}
            data = {**defaults, **typed}
        super().__init__(data, **kwargs)

    @classmethod
    @cache
    def declared(cls) -> Mapping[str, Declared]:
        """Every field, by its name."""
        return {n: field for n, field in cls.base_fields.items() if isinstance(field, Declared)}

    def full_clean(self) -> None:
        self.notes = ()
        super().full_clean()
        for name in self.unknown:
            known = ", ".join(self.base_fields)
            message = f"{name} isn't a field of this method. Known are: {known}. Use one of those, or leave it out."
            self.errors[name] = self.error_class([message])

    def clean(self) -> dict[str, Any]:
        super().clean()
        for name, field in self.declared().items():
            if field.was_trimmed(self.data.get(name)):
                self.notes += (f"White space around the {field.name_in_text} was removed.",)
            kept = name in self.stored_secrets and name not in self.cleared
            if field.secret and not (self.cleaned_data.get(name, True) or kept or field.optional):
                self.add_error(
                    name, f"{field.label} is missing, and this method needs it: type it."
                )
        return self.cleaned_data

    @property
    def options(self) -> dict[str, Any]:
        """Every option, defaults filled in."""
        return {n: self.cleaned_data[n] for n, field in self.declared().items() if not field.secret}

    @property
    def secrets(self) -> dict[str, Any]:
        """The secrets that were typed."""
        return {
            name: self.cleaned_data[name]
            for name, field in self.declared().items()
            if field.secret and self.cleaned_data[name]
        }


class AuthMethod:
    """How a request is authenticated.

    `authenticate` and `decoy` are pure: no database, no I/O. `version` grows when stored options need a conversion.
    `long_lived` is the word for the secret that goes out with every request and that nothing ends by itself.
    """

    code: str
    label: str
    group: ClassVar[str]
    version: ClassVar[int] = 1
    best_for: ClassVar[str]
    security_level: ClassVar[str]
    complexity: ClassVar[str]
    security_notes: ClassVar[tuple[str, ...]]
    uses_token: ClassVar[bool] = False
    long_lived: ClassVar[str] = ""
    Form: ClassVar[type[MethodForm]]

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        """The request with the credential in its place. Raises ConfigInvalid when the fields can't make one."""
        raise NotImplementedError

    def decoy(self, fields: Fields, token: str | None) -> tuple[dict[str, Any], str | None]:
        """The same form with invented values, for the negative control; never a real user name."""
        raise NotImplementedError

    def available(self) -> bool:
        """Whether the operator's settings allow the method."""
        return True

    def warnings(self, fields: Fields) -> tuple[str, ...]:
        """What is allowed with these options, but not good."""
        open_to_read = [
            field.name_in_text
            for name, field in self.Form.declared().items()
            if isinstance(field, Url) and str(fields.get(name)).lower().startswith("http://")
        ]
        if not open_to_read:
            return ()
        *others, last = open_to_read
        subject = f"{', '.join(others)} and {last} begin" if others else f"{last} begins"
        return (f"The {subject} with http://: what is sent there can be read on the way.",)

    def summary(self, fields: Fields) -> dict[str, str]:
        """What a person may see: the label of each option that has a value, with it."""
        return {
            str(field.label): field.shown(fields[name])
            for name, field in self.Form.declared().items()
            if not field.secret and fields.get(name)
        }

    def secret_values(self, fields: Fields, token: str | None) -> tuple[str, ...]:
        """Every secret text of the fields, and the token: what has to be masked wherever it is reflected."""
        values = (fields.get(name) for name in self.secret_names)
        return (*(text for value in values for text in _texts(value)), *([token] if token else []))

    @property
    def secret_names(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.Form.declared().items() if field.secret)

    @property
    def seed_names(self) -> frozenset[str]:
        """The secrets that a stored token begins with."""
        return frozenset(name for name, field in self.Form.declared().items() if field.seed)

    @property
    def option_names(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.Form.declared().items() if not field.secret)

    def change(self, old: Fields, new: Fields) -> Change:
        """What replacing the options does to a stored token: the greatest of what their fields declare."""
        declared = self.Form.declared()
        effects = (declared[name].effect(name, old, new) for name in self.option_names)
        return max(effects) if self.uses_token else Change.NOTHING

    def change_of_secret(self, name: str) -> Change:
        """What another value of this secret does to a stored token."""
        return self.Form.declared()[name].change if self.uses_token else Change.NOTHING

    def seed(self, secrets: Fields) -> str | None:
        """The refresh token among these secrets that a stored token begins with."""
        given = (str(secrets[name]) for name in self.seed_names if secrets.get(name))
        return next(given, None)

    def token_origins(self, options: Fields) -> frozenset[str]:
        """The origins that the secrets go to in order to get, renew or revoke a token. Raises ConfigInvalid for what is no URL."""
        urls = (
            options.get(name)
            for name, field in self.Form.declared().items()
            if isinstance(field, Url) and field.takes_secrets
        )
        try:
            return frozenset(origin_of(url) for url in urls if url)
        except ValueError as error:
            raise ConfigInvalid(str(error)) from None

    def option(self, fields: Fields, name: str) -> Any:
        """An option, or its default where the config was stored without it."""
        return self.Form.declared()[name].value_in(fields, name)

    def needed(self, fields: Fields, name: str) -> str:
        """A field that the request can't be made without. Raises ConfigInvalid when it isn't there."""
        value = fields.get(name)
        if not isinstance(value, str) or not value:
            label = self.Form.declared()[name].name_in_text
            raise ConfigInvalid(f"The auth config has no {label}: type it and save.")
        return value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
