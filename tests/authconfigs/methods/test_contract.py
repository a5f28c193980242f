"""What every method keeps in its form, also one that is added later."""

import pytest
from django import forms
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from authconfigs import methods
from authconfigs.methods.base import AuthMethod, Change, MethodForm
from authconfigs.methods.pairs import SecretTextarea
from tests.authconfigs.methods.samples import (
    SAMPLES,
    every_method,
    fields_of,
    filled,
    secrets_of,
)


def messages(form: MethodForm) -> str:
    return str(form.errors.get_json_data())


@every_method
def test_form_gives_back_what_was_typed(method: AuthMethod) -> None:
    sample = SAMPLES[method.code]
    form = filled(method)
    assert form.secrets == sample["secrets"]
    assert sample["options"].items() <= form.options.items()
    assert set(form.options) == set(method.option_names)


@every_method
def test_options_go_through_the_form_again_unchanged(method: AuthMethod) -> None:
    form = filled(method)
    again = method.Form({**form.options, **form.secrets})
    assert again.is_valid(), again.errors
    assert again.options == form.options


@every_method
def test_blank_secret_keeps_what_is_stored(method: AuthMethod) -> None:
    sample = SAMPLES[method.code]
    form = method.Form(sample["options"], stored_secrets=frozenset(sample["secrets"]))
    assert form.is_valid(), form.errors
    assert form.secrets == {}


@every_method
def test_needed_secret_can_not_be_cleared(method: AuthMethod) -> None:
    sample = SAMPLES[method.code]
    needed = [
        name
        for name, field in method.Form().declared().items()
        if field.secret and not getattr(field, "optional", False)
    ]
    form = method.Form(
        sample["options"], stored_secrets=frozenset(sample["secrets"]), cleared=needed
    )
    assert form.is_valid() is (not needed)
    assert set(form.errors) == set(needed)


@every_method
def test_browser_form_says_the_same_as_a_file(method: AuthMethod) -> None:
    form = filled(method)
    shown = method.Form(initial=form.options)
    posted = QueryDict(mutable=True)
    for name in method.option_names:
        value = shown[name].value()
        posted[name] = "" if value is None else str(value)
    for name, secret in form.secrets.items():
        posted[name] = secret
    typed = method.Form(posted)
    assert typed.is_valid(), typed.errors
    assert (typed.options, typed.secrets) == (form.options, form.secrets)


@every_method
def test_null_and_absence_take_the_default(method: AuthMethod) -> None:
    sample = SAMPLES[method.code]
    rest = set(method.option_names) - set(sample["options"])
    form = method.Form({**sample["options"], **sample["secrets"], **dict.fromkeys(rest)})
    assert form.is_valid(), form.errors
    assert form.options == filled(method).options


@every_method
def test_missing_field_says_what_is_missing(method: AuthMethod) -> None:
    form = method.Form({})
    assert not form.is_valid()
    for name in form.errors:
        assert str(form.fields[name].label) in messages(form)
    needed = {name for name, field in form.fields.items() if field.required and not field.initial}
    assert needed <= set(form.errors)


@every_method
@given(data=st.data())
def test_whatever_is_typed_is_judged_and_not_quoted(
    method: AuthMethod, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from((*method.option_names, *method.secret_names)))
    canary = "canary-f00d"
    value = data.draw(
        st.one_of(
            st.text(max_size=20).map(lambda text: f"{text}{canary}{text}"),
            st.lists(st.just(canary), max_size=2),
            st.dictionaries(st.just("a"), st.sampled_from([f"{canary}\n", [canary], {canary: 1}])),
            st.sampled_from([f"https://{canary}@x", f"ftp://{canary}/", f"https://x/#{canary}"]),
            st.one_of(st.integers(), st.floats(), st.booleans()),
        )
    )
    sample = SAMPLES[method.code]
    form = method.Form({**sample["options"], **sample["secrets"], name: value})
    if form.is_valid():
        again = method.Form({**form.options, **form.secrets})
        assert again.is_valid(), again.errors
        assert again.options == form.options
    assert canary not in messages(form)


@every_method
def test_unknown_field_is_named(method: AuthMethod) -> None:
    form = method.Form({**SAMPLES[method.code]["options"], "no_such_option": "x"})
    assert not form.is_valid()
    assert "no_such_option" in form.errors


@every_method
def test_nothing_secret_is_summarised_or_rendered(method: AuthMethod) -> None:
    form = filled(method)
    shown = f"{method.summary(fields_of(method))} {form.as_div()} {form!r} {form.errors}"
    for secret in secrets_of(method):
        assert secret not in shown


@every_method
def test_error_never_quotes_a_secret(method: AuthMethod) -> None:
    for name in method.secret_names:
        form = method.Form({name: "canary\x00inside"})
        assert not form.is_valid()
        assert "canary" not in str(form.errors)
        assert name in form.errors


@every_method
def test_guidance_is_complete(method: AuthMethod) -> None:
    assert method.label
    assert method.group
    assert method.best_for
    assert method.security_level
    assert method.complexity
    assert method.security_notes
    for text in (method.best_for, method.security_level, method.complexity):
        assert text == text[0].upper() + text[1:]
    for note in (*method.security_notes, *method.warnings({})):
        assert note.endswith(".")
    for name, field in method.Form.declared().items():
        assert field.label, name
        # A sentence, and an example where it isn't a choice.
        assert str(field.help_text).rstrip("”").count(" ") > 3, name


@every_method
def test_every_field_declares_what_it_is(method: AuthMethod) -> None:
    assert set(method.Form.base_fields) == {*method.option_names, *method.secret_names}
    assert not set(method.option_names) & set(method.secret_names)
    assert method.secret_names
    for name in method.secret_names:
        assert method.change_of_secret(name) in Change
        widget = method.Form.base_fields[name].widget
        assert isinstance(widget, forms.PasswordInput | SecretTextarea)
        assert not widget.render_value
        assert "canary" not in widget.render(name, "canary")


@every_method
def test_change_without_token_does_nothing(method: AuthMethod) -> None:
    options = filled(method).options
    effects = {method.change(options, {**options, name: "other"}) for name in method.option_names}
    effects |= {method.change_of_secret(name) for name in method.secret_names}
    assert (max(effects) > Change.NOTHING) is method.uses_token


@every_method
def test_option_that_came_later_changes_nothing(method: AuthMethod) -> None:
    options = filled(method).options
    stored = SAMPLES[method.code]["options"]
    assert method.change(stored, options) is Change.NOTHING


@every_method
def test_unchanged_options_change_nothing(method: AuthMethod) -> None:
    options = filled(method).options
    assert method.change(options, dict(options)) == Change.NOTHING


def test_every_method_has_a_sample() -> None:
    assert set(SAMPLES) == {method.code for method in methods.METHODS}


def test_choices_are_codes_and_labels() -> None:
    assert ("basic", "Basic") in methods.choices()
    with pytest.raises(KeyError):
        methods.by_code("nope")
