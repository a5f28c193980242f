"""Plain Django forms in the clothes of the admin theme."""

from django import forms
from unfold import widgets

from tenants.wording import word

_CLASSES: tuple[tuple[type[forms.Widget], list[str]], ...] = (
    (forms.CheckboxInput, widgets.CHECKBOX_CLASSES),
    (forms.Textarea, widgets.TEXTAREA_CLASSES),
    (forms.Select, widgets.SELECT_CLASSES),
    (forms.Widget, widgets.INPUT_CLASSES),
)


def dress(form: forms.BaseForm) -> None:
    """Give every widget of the form the theme's classes, tie it to its errors for screen readers, and word those."""
    word(form)
    for name, field in form.fields.items():
        classes = next(classes for kind, classes in _CLASSES if isinstance(field.widget, kind))
        field.widget.attrs.setdefault("class", " ".join(classes))
        if form.is_bound and name in form.errors:
            field.widget.attrs["aria-invalid"] = "true"
