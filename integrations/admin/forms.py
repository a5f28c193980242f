"""The forms of integrations and connections: plain ones, judged by the save path."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse

from authconfigs import methods
from authconfigs.admin.forms import told
from authconfigs.models import AuthConfig
from authconfigs.saving import current_credential
from integrations.admin import lines
from integrations.models import Connection, Integration
from integrations.saving import ConnectionDraft, IntegrationDraft
from tenants.choices import SearchedChoice
from tenants.dressing import dress
from tenants.models import Environment

# The auth config's secrets, typed again for a new address, come under names that begin so.
SECRET = "secret-"  # noqa: S105 - a prefix of field names
# In characters. Of what is posted, a form takes DATA_UPLOAD_MAX_MEMORY_SIZE.
LONGEST_BODY = 100_000
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Refusable(forms.Form):
    """A form whose fields the save path judges, too."""

    # What somebody else's faster change makes of this one.
    conflict = ""

    def refuse(self, errors: Mapping[str, list[str]]) -> None:
        """Put the save path's refusals beside the fields that they name."""
        for name, messages in errors.items():
            known = name.removesuffix("_id")
            self.add_error(known if known in self.fields else None, messages)
        dress(self)


class IntegrationForm(Refusable):
    name = forms.CharField(
        max_length=200, label="Name", help_text="What people call the API, e.g. Billing API."
    )
    slug = forms.CharField(
        max_length=50,
        label="Slug",
        help_text="For commands and code, e.g. billing. Lower-case letters, digits and hyphens. It can't be changed later.",
    )
    headers = lines.headers(
        "Headers sent always",
        help_text="One a line, e.g. Accept: application/json. No credentials: those belong in an auth config.",
    )
    query = lines.query(
        "Query sent always",
        help_text="One name=value a line, e.g. version=2. No credentials here either.",
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None = None, *, integration: Integration | None = None
    ) -> None:
        initial = {}
        if integration is not None:
            head = integration.head
            initial = {
                "name": integration.name,
                "headers": head.headers if head else {},
                "query": head.query if head else {},
                "seen": str(integration.head_id),
            }
        super().__init__(data, initial=initial)
        if integration is not None:
            del self.fields["slug"]
        self._integration = integration
        dress(self)

    @property
    def is_outdated(self) -> bool:
        """Whether the integration has another head than the one that the form was drawn from."""
        seen = self.cleaned_data["seen"]
        return self._integration is not None and seen not in ("", str(self._integration.head_id))

    def draft(self) -> IntegrationDraft:
        """What was typed; the form must be valid."""
        typed = self.cleaned_data
        slug = self._integration.slug if self._integration is not None else typed["slug"]
        return IntegrationDraft(
            slug=slug, name=typed["name"], headers=typed["headers"], query=typed["query"]
        )


class _ConfigChoice(SearchedChoice):
    def label_from_instance(self, obj: AuthConfig) -> str:
        return f"{obj.name} ({obj.get_method_display()})"


class ConnectionForm(Refusable):
    """A connection whose integration and environment are known."""

    base_url = forms.CharField(
        max_length=1000,
        label="Base URL",
        widget=forms.TextInput(
            attrs={"inputmode": "url", "placeholder": "https://api.example.com/v1"}
        ),
        help_text="What every path is appended to, e.g. https://api.example.com/v1.",
    )
    test_method = forms.ChoiceField(
        choices=[(name, name) for name in METHODS],
        initial="GET",
        label="Test request: method",
        help_text="GET and HEAD change nothing at the API. Others are really sent.",
    )
    test_path = forms.CharField(
        max_length=2000,
        required=False,
        strip=False,
        label="Test request: path",
        widget=forms.TextInput(attrs={"placeholder": "/ping"}),
        help_text="Something that needs the credential and changes nothing, e.g. /me. Empty is the base URL itself.",
    )
    test_expect = lines.Statuses(
        required=False,
        label="Expected statuses",
        widget=forms.TextInput(attrs={"placeholder": "any 2xx"}),
        help_text="What a good answer may have, e.g. 200, 204. Empty: any 2xx.",
    )
    negative_control = forms.BooleanField(
        required=False,
        initial=True,
        label="Also send the test request with a wrong credential, which the API has to refuse",
        help_text="Proves that the API looks at the credential at all. Only with GET and HEAD; never with a real user name.",
    )
    name = forms.CharField(
        max_length=50,
        initial="default",
        label="Name",
        help_text="default, unless the integration has several connections here, e.g. one a region: eu.",
    )
    timeout = forms.IntegerField(
        required=False,
        label="Timeout in seconds",
        min_value=1,
        help_text="For one whole call, e.g. 5. May lower the console's own limit.",
    )
    test_headers = lines.headers(
        "Test request: headers", help_text="One a line, e.g. Accept: application/json."
    )
    test_body = forms.CharField(
        required=False,
        max_length=LONGEST_BODY,
        error_messages={
            "max_length": "The body has %(show_value)s characters, and a test sends %(limit_value)s at most."
        },
        strip=False,
        label="Test request: body",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text='Sent as it is, in UTF-8, e.g. {"limit": 1}. Say its Content-Type above.',
    )
    newest = forms.BooleanField(required=False, label="Use the newest headers and query")
    revision_number = forms.IntegerField(required=False, widget=forms.HiddenInput)

    MORE = ("name", "timeout", "test_headers", "test_body")

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        integration: Integration,
        environment: Environment,
        connection: Connection | None = None,
        config: AuthConfig | None = None,
    ) -> None:
        initial: dict[str, Any] = {"auth_config": config}
        if connection is not None:
            columns = {*self.base_fields, "auth_config"} - {"newest"}
            initial = {column: getattr(connection, column) for column in columns}
        super().__init__(data, initial=initial)
        self.integration = integration
        self._connection = connection
        self.fields["auth_config"] = _ConfigChoice(
            AuthConfig.objects.filter(environment=environment),
            by="name",
            suggest_url=f"{reverse('suggest_configs')}?environment={environment.id}",
            required=False,
            label="Auth config",
            empty_label="No authentication",
            help_text="Only those of this environment. Empty: no authentication.",
        )
        self.order_fields(("base_url", "auth_config"))
        head = integration.head
        if connection is None or head is None or connection.revision_id == head.id:
            del self.fields["newest"]
        else:
            self.fields["newest"].label = (
                f"Send the newest headers and query from now on (revision {head.number};"
                f" now it is revision {connection.revision.number})"
            )
        self._typed = {} if data is None else _typed_secrets(data)
        dress(self)

    def draft(self) -> ConnectionDraft:
        """What was typed; the form must be valid."""
        typed = self.cleaned_data
        return ConnectionDraft(
            name=typed["name"],
            base_url=typed["base_url"],
            auth_config=typed["auth_config"],
            timeout=typed["timeout"],
            test_method=typed["test_method"],
            test_path=typed["test_path"],
            test_headers=typed["test_headers"],
            test_body=typed["test_body"] or None,
            test_expect=typed["test_expect"],
            negative_control=typed["negative_control"],
            revision=self.integration.head if typed.get("newest") else None,
            secrets=self._typed,
        )

    def refuse(self, errors: Mapping[str, list[str]]) -> None:
        """The same; errors of the auth config's secrets bring fields to type them into."""
        config = self.cleaned_data.get("auth_config")
        if config is not None:
            self._ask_for_secrets(config, errors)
        super().refuse(
            {
                f"{SECRET}{name}" if f"{SECRET}{name}" in self.fields else name: messages
                for name, messages in errors.items()
            }
        )

    def _ask_for_secrets(self, config: AuthConfig, errors: Mapping[str, list[str]]) -> None:
        declared = methods.stored(config.method).Form().declared()
        states = current_credential(config).secret_state
        wanted = [name for name, field in declared.items() if field.secret and name in states]
        if not set(wanted) & set(errors):
            return
        for name in wanted:
            self.fields[f"{SECRET}{name}"] = forms.CharField(
                required=False,
                label=f"{declared[name].label} of {config.name}",
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
                help_text=f"{told(states[name])}. {declared[name].help_text}",
            )

    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.MORE and not field.is_hidden]

    def more_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.MORE]

    def more_is_open(self) -> bool:
        """Whether the lesser options are to be seen at once: one is wrong, or isn't its default."""
        return any(
            field.errors or field.value() not in (field.field.initial, None, "", {})
            for field in self.more_fields()
        )


def _typed_secrets(data: QueryDict) -> dict[str, str]:
    return {
        name.removeprefix(SECRET): str(value)
        for name, value in data.items()
        if name.startswith(SECRET) and value
    }
