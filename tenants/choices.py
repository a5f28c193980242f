"""Form fields whose choices are rows."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tenants.models import Environment, User
from tenants.permissions import environments_for

if TYPE_CHECKING:
    _Choice = forms.ModelChoiceField[Any]
else:
    _Choice = forms.ModelChoiceField


class RowChoice(_Choice):
    """Django's, but an id that can't be one is answered as one that isn't there."""

    default_error_messages = {"invalid_choice": "Choose one of the list."}  # noqa: RUF012

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice"
            ) from None


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
