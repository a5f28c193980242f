"""Form fields whose choices are rows."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tenants.models import Environment, User
from tenants.permissions import environments_for

if TYPE_CHECKING:
    _Choice = forms.ModelChoiceField[Any]
else:
    _Choice = forms.ModelChoiceField

# Of more rows than these a list is slow to draw, and to read.
LISTED = 50
_NOT_FOUND = "There is none of this name. Type its whole name, or choose one that is suggested."


class RowChoice(_Choice):
    """Django's, but an id that can't be one is answered as one that isn't there."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice"
            ) from None


class SearchedChoice(RowChoice):
    """One of many rows, which is typed by its name; of a few, one of a list.

    `by` is the column of the name, one that no two of the rows share. `suggest_url` answers with the names that contain `q`.
    """

    default_error_messages = {"not_found": _NOT_FOUND}  # noqa: RUF012

    def __init__(
        self, queryset: "QuerySet[Any]", *, by: str, suggest_url: str, **kwargs: Any
    ) -> None:
        rows = list(queryset[: LISTED + 1])
        self._rows, self._by, self._is_typed = queryset, by, len(rows) > LISTED
        if self._is_typed:
            told = "Type a part of its name, and choose."
            kwargs["help_text"] = " ".join(filter(None, (told, kwargs.get("help_text"))))
            attrs = {"data-suggest": suggest_url, "autocomplete": "off", "spellcheck": "false"}
            kwargs["widget"] = forms.TextInput(attrs=attrs)
        super().__init__(queryset, **kwargs)
        if not self._is_typed:
            # Read once: Django would ask for them again.
            empty = [] if self.empty_label is None else [("", self.empty_label)]
            named = [(self.prepare_value(row), self.label_from_instance(row)) for row in rows]
            self.choices = [*empty, *named]

    def prepare_value(self, value: Any) -> Any:
        if not self._is_typed or not value:
            return super().prepare_value(value)
        row = value if isinstance(value, Model) else self._found(value)
        return value if row is None else getattr(row, self._by)

    def to_python(self, value: Any) -> Any:
        if not self._is_typed or value in self.empty_values:
            return super().to_python(value)
        row = self._found(value)
        if row is None:
            raise ValidationError(self.error_messages["not_found"], code="not_found")
        return row

    def _found(self, value: Any) -> Any:
        """The row of that name; links name theirs by its id."""
        typed = str(value).strip()
        if "\0" in typed:
            # No name has one, and PostgreSQL takes it in no comparison.
            return None
        wanted = Q(**{self._by: typed})
        with suppress(ValueError):
            wanted |= Q(pk=UUID(typed))
        found = self._rows.filter(wanted)
        return min(found, key=lambda row: getattr(row, self._by) != typed, default=None)


class EnvironmentChoice(RowChoice):
    """The environments in which the user may do `perm`; where there is none, the help says how to get one."""

    def __init__(self, *, user: User, perm: str, help_text: str = "") -> None:
        allowed = environments_for(user, perm)
        help_text = why_no_environment(user, perm) or help_text
        super().__init__(queryset=allowed, label="Environment", help_text=help_text)


def why_no_environment(user: User, perm: str) -> SafeString | str:
    """What to do where the user may do `perm` in no environment; empty where there is one."""
    if environments_for(user, perm).exists():
        return ""
    if Environment.objects.exists():
        return "Every environment here is protected. Ask an admin of this tenant to do it, or for an environment of your own."
    if user.has_perm("tenants.add_environment"):
        return format_html(
            'There is no environment yet. <a class="c-link" href="{}">Make one first</a>, such as staging or production.',
            reverse("admin:tenants_environment_add"),
        )
    return "There is no environment yet. Ask an admin of this tenant to make one, such as staging or production."
