"""What every method keeps, also one that is added later."""

import pytest

from authconfigs import methods
from authconfigs.methods.base import AuthMethod, MethodForm
from tests.authconfigs.methods.samples import PASSWORD, SAMPLES, TOKEN, a_request

# oauth2_* and the others: the sample of each names it.
every_method = pytest.mark.parametrize("method", methods.METHODS, ids=lambda method: method.code)


def filled(method: AuthMethod) -> MethodForm:
    sample = SAMPLES[method.code]
    form = method.Form({**sample["options"], **sample["secrets"]})
    assert form.is_valid(), form.errors
    return form


def fields_of(method: AuthMethod) -> dict[str, object]:
    form = filled(method)
    return {**form.options, **form.secrets}


def secrets_of(method: AuthMethod) -> list[str]:
    return [*SAMPLES[method.code]["secrets"].values(), TOKEN, PASSWORD.strip()]


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
def test_unknown_field_is_named(method: AuthMethod) -> None:
    form = method.Form({**SAMPLES[method.code]["options"], "no_such_option": "x"})
    assert not form.is_valid()
    assert "no_such_option" in form.errors


@every_method
def test_credential_is_marked_and_masked(method: AuthMethod) -> None:
    signed = method.authenticate(a_request(), fields_of(method), TOKEN)
    assert signed.credential_headers or signed.credential_params
    masked = signed.masked()
    shown = f"{masked.url} {masked.headers} {signed!r} {masked!r}"
    for secret in secrets_of(method):
        assert secret not in shown


@every_method
def test_request_stays_the_same_beside_its_credential(method: AuthMethod) -> None:
    request = a_request(headers=(("Accept", "application/json"),), body=b"{}")
    signed = method.authenticate(request, fields_of(method), TOKEN)
    assert signed.url.startswith(request.url)
    assert ("Accept", "application/json") in signed.headers
    assert (signed.method, signed.body) == (request.method, request.body)


@every_method
def test_decoy_differs_in_every_credential(method: AuthMethod) -> None:
    fields = fields_of(method)
    false_fields, false_token = method.decoy(fields, TOKEN)
    real = method.authenticate(a_request(), fields, TOKEN)
    false = method.authenticate(a_request(), false_fields, false_token)
    assert [name for name, _ in false.headers] == [name for name, _ in real.headers]
    shown = f"{false.url} {false.headers}"
    for value in (*secrets_of(method), "jö"):
        assert value not in shown


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
    for name, field in method.Form().declared().items():
        assert field.label, name
        assert field.help_text, name


@every_method
def test_unchanged_options_change_nothing(method: AuthMethod) -> None:
    options = filled(method).options
    assert method.change(options, dict(options)) == methods.base.Change.NOTHING


def test_every_method_has_a_sample() -> None:
    assert set(SAMPLES) == {method.code for method in methods.METHODS}


def test_choices_are_codes_and_labels() -> None:
    assert ("basic", "Basic") in methods.choices()
    with pytest.raises(KeyError):
        methods.by_code("nope")
