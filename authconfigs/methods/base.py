"""What an auth method is. A method is one file that derives from AuthMethod, and one line in METHODS."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django import forms

from authconfigs.methods.fields import Change, Declared, Secret
from authconfigs.outgoing import OutgoingRequest, origin_of

__all__ = ["AuthMethod", "Change", "Fields", "MethodForm"]

Fields = Mapping[str, Any]


class MethodForm(forms.Form):
    """The only schema of a method's options and secrets, for browsers and files alike.

    `data` holds the typed options and secrets by name; what is absent or None takes its default. A blank secret keeps the
    stored one; a name in `cleared` drops it. After `is_valid()`: `options` whole, `secrets` the typed ones, `notes` for whoever
    typed them.
    """

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

    def declared(self) -> dict[str, Declared]:
        return {n: field for n, field in self.fields.items() if isinstance(field, Declared)}

    def full_clean(self) -> None:
        super().full_clean()
        for name in self.unknown:
            known = ", ".join(self.base_fields)
            message = f"There is no such field here. Known are: {known}."
            self.errors[name] = self.error_class([message])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, field in self.declared().items():
            typed = self.data.get(name)
            if field.trims and isinstance(typed, str) and typed != typed.strip():
                label = str(field.label).lower()
                self.notes += (f"White space around the {label} was removed.",)
            if isinstance(field, Secret) and name in cleaned:
                self._demand(name, field, cleaned[name])
        return cleaned

    def _demand(self, name: str, field: Secret, typed: str) -> None:
        kept = name in self.stored_secrets and name not in self.cleared
        if not (typed or kept or field.optional):
            self.add_error(name, f"The {str(field.label).lower()} is needed: type it.")

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

    `fields` are a config's options and secrets in plain text. `authenticate` and `decoy` are pure: no database, no I/O.
    `version` grows when stored options need a conversion.
    """

    code: ClassVar[str]
    label: ClassVar[str]
    group: ClassVar[str]
    version: ClassVar[int] = 1
    best_for: ClassVar[str]
    security_level: ClassVar[str]
    complexity: ClassVar[str]
    security_notes: ClassVar[tuple[str, ...]]
    uses_token: ClassVar[bool] = False
    Form: ClassVar[type[MethodForm]]

    def authenticate(
        self, request: OutgoingRequest, fields: Fields, token: str | None
    ) -> OutgoingRequest:
        """The request with the credential in its place."""
        raise NotImplementedError

    def decoy(self, fields: Fields, token: str | None) -> tuple[Fields, str | None]:
        """The same form with invented values, for the negative control; never a real user name."""
        raise NotImplementedError

    def summary(self, fields: Fields) -> dict[str, str]:
        """What a person may see: the label of each option that has a value, with it."""
        form = self.Form()
        return {
            str(field.label): str(field.prepare_value(fields[name]))
            for name, field in form.declared().items()
            if not field.secret and fields.get(name)
        }

    def available(self) -> bool:
        """Whether the operator's settings allow the method."""
        return True

    def warnings(self, fields: Fields) -> tuple[str, ...]:
        """What is allowed with these options, but not good."""
        urls = (value for name, value in fields.items() if name.endswith("_url"))
        if any(str(url).startswith("http://") for url in urls):
            return ("A URL begins with http://: the client secret and tokens travel unencrypted.",)
        return ()

    @property
    def secret_names(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.Form().declared().items() if field.secret)

    @property
    def option_names(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.Form().declared().items() if not field.secret)

    def change(self, old: Fields, new: Fields) -> Change:
        """What replacing the options does to a stored token: the greatest of what its fields declare."""
        declared = self.Form().declared()
        effects = (
            declared[name].effect(old.get(name), new.get(name)) for name in self.option_names
        )
        return max(effects, default=Change.NOTHING)

    def change_of_secret(self, name: str) -> Change:
        """What another value of this secret does to a stored token."""
        return self.Form().declared()[name].change

    def token_origins(self, options: Fields) -> frozenset[str]:
        """The origins that the secrets go to in order to get a token."""
        names = ("token_url", "refresh_url", "revocation_url")
        return frozenset(origin_of(options[name]) for name in names if options.get(name))
