"""Where a new connection is to be: its integration and environment."""

from collections.abc import Mapping
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.urls import reverse

from authconfigs.models import AuthConfig
from integrations.models import Integration
from tenants.choices import EnvironmentChoice, RowChoice, SearchedChoice
from tenants.dressing import dress
from tenants.models import User
from tenants.permissions import environments_for


class PlaceForm(forms.Form):
    """Where a new connection is: asked for first, because the auth configs to choose from hang on it."""

    def __init__(self, asked: Mapping[str, str], *, user: User) -> None:
        perm = "integrations.add_connection"
        configs = AuthConfig.objects.filter(environment__in=environments_for(user, perm))
        self.attached = _found(configs, asked.get("config"))
        names = ("integration", "environment", "config")
        known = {name: asked[name] for name in names if asked.get(name)}
        if self.attached is not None:
            known["environment"] = str(self.attached.environment_id)
        # What a link leaves open is asked for, without a word of what is missing.
        super().__init__(known if {"integration", "environment"} <= known.keys() else None)
        self.initial = known
        self.fields["integration"] = SearchedChoice(
            Integration.objects.all(),
            by="slug",
            suggest_url=reverse("suggest_integrations"),
            label="Integration",
            help_text="The API that is called.",
        )
        self.fields["environment"] = EnvironmentChoice(
            user=user, perm=perm, help_text="Auth configs of this environment can be attached."
        )
        self.fields["config"] = RowChoice(
            queryset=configs,
            required=False,
            widget=forms.HiddenInput,
            error_messages={
                "invalid_choice": "The auth config that the link names isn't there any more, or not for you to attach."
                " Go on without it, and choose one on the next page."
            },
        )
        if self.attached is not None:
            self.fields["environment"].widget = forms.HiddenInput()
        dress(self)


def _found(configs: QuerySet[AuthConfig], typed_id: str | None) -> AuthConfig | None:
    try:
        return configs.filter(id=UUID(typed_id or "")).first()
    except ValueError:
        return None
