"""The form of an auth config: what every config has, and the fields of its method alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict

from authconfigs import origins
from authconfigs.methods.base import AuthMethod, Change
from authconfigs.methods.fields import Declared, Url
from authconfigs.methods.pairs import Pairs
from authconfigs.models import AuthConfig
from authconfigs.saving import ConfigDraft, current_credential
from tenants.badges import ago
from tenants.choices import EnvironmentChoice, RowChoice
from tenants.dressing import dress
from tenants.models import Environment, User
from tenants.permissions import environments_for
from tenants.scope import active_tenant_id

# A stored secret is dropped by ticking a box of this name, with the secret's after it.
CLEAR = "clear-"


class DetailsForm(forms.Form):
    """What every config has. `environment` is asked for once, `drop_grant` only where a person's consent is stored.

    `confirm_origins` is there where somebody else decided where the secrets may go.
    """

    name = forms.CharField(
        max_length=50, help_text=AuthConfig._meta.get_field("name").help_text, label="Name"
    )
    description = forms.CharField(
        max_length=500,
        required=False,
        label="Description",
        help_text="What colleagues should know, e.g. read-only account of the finance team.",
    )
    rotate_by = forms.DateField(
        required=False,
        label="Rotate by",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="When the secret should be replaced at the latest, e.g. on the day it expires at the provider.",
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)
    drop_grant = forms.BooleanField(
        required=False,
        label="Drop the connection if this change needs it. Somebody has to connect again then.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        user: User,
        config: AuthConfig | None,
        holds_consent: bool,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial={**(initial or {}), **_initial(config)})
        owner_id = config.owner_id if config is not None else None
        members = Q(memberships__tenant_id=active_tenant_id()) | Q(id=owner_id)
        self.fields["owner"] = RowChoice(
            queryset=User.objects.filter(members).distinct(),
            required=False,
            label="Owner",
            help_text="Who is asked when this credential needs attention.",
        )
        if config is None:
            allowed = environments_for(user, "authconfigs.add_authconfig")
            self.initial["environment"] = self.initial.get("environment") or allowed.first()
            self.fields["environment"] = EnvironmentChoice(
                user=user,
                perm="authconfigs.add_authconfig",
                help_text="It can't be changed later. Use a config of its own where credentials differ.",
            )
        if not holds_consent:
            del self.fields["drop_grant"]
        unknown = origins.unconfirmed(config) if config is not None else []
        if unknown:
            places = ", ".join(f"{row.origin} (added by {row.added_by})" for row in unknown)
            self.fields["confirm_origins"] = forms.BooleanField(
                required=False, label=f"A new secret may go to {places}."
            )
        dress(self)


def _initial(config: AuthConfig | None) -> dict[str, Any]:
    if config is None:
        return {}
    columns = ("name", "description", "owner", "rotate_by", "revision")
    return {column: getattr(config, column) for column in columns}


@dataclass(frozen=True)
class Row:
    """One field of a method as it is drawn. `state` describes a stored secret; `effect` says what a change does to a token.

    `stored_names` describe each part of a stored secret that is a mapping.
    """

    field: forms.BoundField
    secret: bool
    state: str
    stored: bool
    stored_names: Mapping[str, str]
    clearable: bool
    cleared: bool
    effect: str

    @property
    def clear_name(self) -> str:
        return f"{CLEAR}{self.field.name}"

    @property
    def is_pairs(self) -> bool:
        return isinstance(self.field.field, Pairs)

    @property
    def secrets_of(self) -> str:
        """The field whose rows this one's are drawn among."""
        return getattr(self.field.field, "beside", "")

    @property
    def is_set(self) -> bool:
        """Whether something is stored, or isn't what the field begins with."""
        value, initial = self.field.value(), self.field.field.initial
        is_blank = value in (None, "", {}, [])
        return self.stored or not (value == initial or (is_blank and not initial))

    @property
    def to_type_again(self) -> list[str]:
        """The names whose values were typed into a form that was refused: they aren't drawn again."""
        if not (self.is_pairs and self.secret and self.field.value()):
            return []
        return [
            name
            for name, value in json.loads(self.field.value()).items()
            if name and value is not None
        ]

    @property
    def stored_names_json(self) -> str:
        return json.dumps(self.stored_names)


class ConfigForms:
    """The forms of one page. Secrets are never drawn: a blank one keeps what is stored."""

    def __init__(
        self,
        method: AuthMethod,
        *,
        user: User,
        config: AuthConfig | None = None,
        holds_consent: bool = False,
        has_token: bool = False,
        renewable: bool = False,
        data: QueryDict | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.method = method
        self.config = config
        self.data = data
        # What somebody else's faster change makes of this one.
        self.conflict = ""
        self._has_token = has_token
        # Without that an access token stays, whatever is changed of what it was got with.
        self._renewable = renewable
        self._states: Mapping[str, Mapping[str, Any]] = {}
        options: Mapping[str, Any] = {}
        if config is not None:
            credential = current_credential(config)
            options = credential.options
            # Of another method nothing is kept, also where a secret has the same name.
            self._states = credential.secret_state if config.method == method.code else {}
        self.details = DetailsForm(
            data, user=user, config=config, holds_consent=holds_consent, initial=initial
        )
        names = method.Form.base_fields
        self.cleared = frozenset(n for n in self._states if data and f"{CLEAR}{n}" in data)
        self.fields = method.Form(
            None if data is None else {name: data.get(name) for name in names},
            stored_secrets=self._states,
            cleared=self.cleared,
            initial=options,
        )
        dress(self.fields)

    def draft(self) -> ConfigDraft:
        """What was typed; the details must be valid."""
        typed = self.details.cleaned_data
        data = self.fields.data
        secret = set(self.method.secret_names)
        rotate_by: date | None = typed["rotate_by"]
        return ConfigDraft(
            name=typed["name"],
            method=self.method.code,
            options={name: data[name] for name in data if name not in secret},
            secrets={name: data[name] for name in data if name in secret and data[name]},
            cleared=self.cleared,
            description=typed["description"],
            owner=typed["owner"],
            rotate_by=rotate_by,
            disabled=self.config is not None and self.config.disabled_at is not None,
        )

    def refuse(self, errors: Mapping[str, list[str]]) -> None:
        """Put the save path's refusals beside the fields that they name."""
        for name, messages in errors.items():
            form: forms.Form = self.fields if name in self.fields.fields else self.details
            field = name if name in form.fields else None
            known = list(form.errors.get(field or "__all__", ()))
            form.add_error(field, [text for text in messages if text not in known])
        dress(self.fields)
        dress(self.details)

    @property
    def environment(self) -> Environment | None:
        chosen: Environment | None = self.details.cleaned_data.get("environment")
        return chosen

    def main_rows(self) -> Iterator[Row]:
        peculiar = {name for names in self.fields.peculiarities.values() for name in names}
        return (row for row in self._rows() if row.field.name not in peculiar)

    def peculiarities(self) -> list[tuple[str, list[Row]]]:
        """What only peculiar providers need, by heading."""
        rows = {row.field.name: row for row in self._rows()}
        return [
            (heading, [rows[name] for name in names])
            for heading, names in self.fields.peculiarities.items()
        ]

    def peculiarities_are_open(self) -> bool:
        """Whether they are to be seen at once: one is wrong, or is set."""
        rows = (row for _, rows in self.peculiarities() for row in rows)
        return any(row.field.errors or row.is_set for row in rows)

    def peculiarities_set(self) -> int:
        """How many of them are set; what is drawn together counts once."""
        rows = (row for _, rows in self.peculiarities() for row in rows)
        return len({row.secrets_of or row.field.name for row in rows if row.is_set})

    def _rows(self) -> Iterator[Row]:
        if self.fields.is_bound:
            # The value that was typed into a secret isn't drawn again, whatever its widget.
            _ = self.fields.errors
            declared, typed = self.fields.declared(), self.fields.data
            blank = {n: declared[n].drawn_again(typed.get(n)) for n in self.method.secret_names}
            self.fields.data = {**typed, **blank}
        for name in self.fields.fields:
            field = self.fields.declared()[name]
            state = self._states.get(name)
            yield Row(
                field=self.fields[name],
                secret=field.secret,
                state=told(state) if field.secret and self.config is not None else "",
                stored=state is not None,
                stored_names={
                    key: told(known) for key, known in (state or {}).get("keys", {}).items()
                },
                clearable=state is not None and getattr(field, "optional", True),
                cleared=name in self.cleared,
                effect=self._effect(field) if self._has_token else "",
            )

    def _effect(self, field: Declared) -> str:
        again = "somebody has to connect again" if self._needs_person else "the next call gets one"
        if field.change is Change.NEW_GRANT:
            return "" if field.seed else f"A change drops the stored token: {again}."
        if isinstance(field, Url):
            renews = field.change and self._renewable
            here = "Another path gets a new access token. " if renews else ""
            return f"{here}Another host drops the stored token: {again}."
        if field.change is Change.NEW_ACCESS_TOKEN and self._renewable:
            return "A change gets a new access token."
        return ""

    @property
    def _needs_person(self) -> bool:
        return "drop_grant" in self.details.fields


def told(state: Mapping[str, Any] | None) -> str:
    """What may be said of a stored secret: when it was set, and by whom."""
    if state is None:
        return "Not set"
    try:
        who = f" by {state['by_name']}" if state.get("by_name") else ""
        return f"Set {ago(datetime.fromisoformat(state['set_at']))}{who}"
    except (AttributeError, KeyError, TypeError, ValueError):
        # Written by hand, and not well.
        return "Set, unknown when"
