"""The base of model forms for tenant-owned rows."""

from typing import TYPE_CHECKING, Any

from django import forms

from tenants.scope import active_tenant_id
from tenants.wording import Worded

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class TenantForm(Worded, _ModelForm):
    """Checks unique names also over the columns that no form shows: the tenant, and what never changes.

    Django leaves out a constraint when one of its columns isn't in the form; the database would answer with an error page.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.tenant_id is None:
            self.instance.tenant_id = active_tenant_id()

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        unique = {
            name
            for constraint in self.instance._meta.constraints
            for name in getattr(constraint, "fields", ())
        }
        return excluded - (unique - self.fields.keys())
