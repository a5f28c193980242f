"""What the fields of a method's form refuse, say and keep."""

import json
from typing import Any

import pytest
from django import forms

from authconfigs import methods
from authconfigs.methods.base import AuthMethod, MethodForm
from authconfigs.methods.fields import Change
from authconfigs.methods.pairs import SecretPairs
from tests.authconfigs.methods.samples import SAMPLES

CLIENT, CODE = "oauth2_client_credentials", "oauth2_authorization_code"


def typed(code: str, **values: Any) -> MethodForm:
    """The form of the method, with its sample and over it what is given."""
    sample = SAMPLES[code]
    form = methods.by_code(code).Form({**sample["options"], **sample["secrets"], **values})
    form.is_valid()
    return form


def message(form: MethodForm) -> str:
    """The only message of the form."""
    (messages,) = form.errors.values()
    (text,) = messages
    return str(text)


RESERVED = ["Host", "content-length", "Transfer-Encoding", "Connection", "TE", "Upgrade", "Trailer"]
RESERVED += ["Keep-Alive", "Proxy-Authorization", "Expect", "Content-Type", "Content-Encoding"]


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize(
    ("code", "field"), [("bearer", "header"), ("api_key", "key"), (CLIENT, "header")]
)
def test_reserved_header_is_refused(code: str, field: str, name: str) -> None:
    assert "reserved" in message(typed(code, **{field: name}))


@pytest.mark.parametrize("name", ["Cookie", "X-API-Key", "apikey", "Private-Token", "DD-API-KEY"])
def test_header_that_providers_use_is_taken(name: str) -> None:
    assert typed("api_key", key=name).errors == {}


@pytest.mark.parametrize(
    ("code", "values", "said"),
    [
        ("bearer", {"token": "Bearer eyJcanary"}, "The prefix Bearer was pasted"),
        ("bearer", {"prefix": "SSWS", "token": "ssws 00canary"}, "The prefix SSWS was pasted"),
        ("bearer", {"token": "Authorization: Bearer canary"}, "leave out its name"),
        ("api_key", {"value": "X-API-Key: canary"}, "The name of the key was pasted"),
        ("api_key", {"key": "k", "placement": "query", "value": "k=canary"}, "was pasted"),
        ("bearer", {"token": "can\nary"}, "control character"),
        ("bearer", {"token": "x" * 20_001}, "longer than 20000 characters"),
        ("bearer", {"token": 12}, "write it in quotes"),
        ("bearer", {"token": ""}, "Token is missing"),
        ("basic", {"username": "can:ary"}, "colon"),
        ("api_key", {"placement": "canary"}, "Known are: header, query"),
        ("api_key", {"key": "can ary"}, "no blanks and no colon"),
        (CLIENT, {"token_url": ""}, "Token URL is missing"),
        (CLIENT, {"token_url": "https://canary@a.example"}, "user name or password"),
        (CLIENT, {"token_url": "https://a.example/#canary"}, "fragment"),
        (CLIENT, {"token_url": "ftp://canary/"}, "https://"),
        (CLIENT, {"token_url": "canary.example/token"}, "complete address"),
        (CLIENT, {"token_url": "https://a.example/canary ä"}, "blank"),
        (CLIENT, {"token_params": "{canary"}, "isn't JSON"),
        (CLIENT, {"token_params": {"grant_type": "canary"}}, "grant_type is set by the grant"),
        (CLIENT, {"token_headers": {"Authorization": "canary"}}, "field of its own"),
        (CLIENT, {"token_headers": {"Host": "canary"}}, "Host is set by the connection"),
        (CLIENT, {"token_headers": {"X": "can\nary"}}, "control character"),
        (CLIENT, {"secret_token_params": {"client_secret": "canary"}}, "is set by the grant"),
        (CLIENT, {"secret_token_params": {"key": 12}}, "isn't text"),
        (CLIENT, {"secret_token_params": {"key": ""}}, "is empty"),
        (CLIENT, {"secret_token_params": {"key": []}}, "is empty"),
        (CLIENT, {"secret_token_params": {"key": ["a", "can\nary"]}}, "control character"),
        (CLIENT, {"token_response": {"token": "canary"}}, "access_token, refresh_token, expires"),
        (CLIENT, {"token_response": {"access_token": "canary..x"}}, "isn't a path"),
        (CLIENT, {"token_response": {"access_token": ["canary"]}}, "isn't a path"),
        (CLIENT, {"expiry_format": "canary"}, "seconds, milliseconds, iso8601, epoch"),
        (CLIENT, {"default_lifetime": "canary"}, "whole number of seconds from 1 to"),
        (CLIENT, {"default_lifetime": 0}, "whole number of seconds from 1 to"),
        (CLIENT, {"default_lifetime": 1.5}, "whole number"),
        (CLIENT, {"default_lifetime": True}, "whole number"),
        (CLIENT, {"expired_statuses": "403 canary"}, "from 300 to 599"),
        (CLIENT, {"expired_statuses": [200]}, "from 300 to 599"),
        (CLIENT, {"expired_statuses": [True]}, "from 300 to 599"),
        (CLIENT, {"expired_statuses": {"403": 1}}, "isn't a list"),
        (CLIENT, {"expired_text": "can\nary"}, "control character"),
        (CODE, {"keepalive_days": "canary"}, "whole number of days from 1 to 3650"),
        (CODE, {"refresh_params": {"refresh_token": "canary"}}, "is set by the grant"),
        (CODE, {"refresh_url": "ftp://canary/"}, "https://"),
        (CODE, {"revocation_url": "https://canary@a.example"}, "user name or password"),
        (CODE, {"authorization_url": "https://a.example/?state=canary&x=1"}, "sets state"),
        (CODE, {"authorize_params": {"redirect_uri": "canary"}}, "leave it out"),
        *(
            (CODE, {"authorize_params": {name: "canary"}}, "leave it out")
            for name in ("request", "request_uri", "Response_Mode")
        ),
        (CODE, {"authorization_url": "https://a.example/?Request=canary"}, "leave that out"),
        (CODE, {"authorization_url": "https://a.example/?request_uri=canary"}, "leave that out"),
        (CODE, {"authorization_url": "https://a.example/?response_mode=canary"}, "leave that out"),
    ],
)
def test_error_names_the_problem_and_never_the_value(
    code: str, values: dict[str, Any], said: str
) -> None:
    form = typed(code, **values)
    assert said in message(form)
    assert "canary" not in message(form).replace("canary.example", "canary")
    assert set(form.errors) <= set(values)


def test_token_of_another_scheme_is_taken() -> None:
    assert typed("bearer", prefix="", token="Token abc").errors == {}
    assert typed("bearer", token="bearerish").errors == {}


def test_query_of_an_authorization_url_is_kept() -> None:
    url = "https://a.example/authorize?prompt=consent&access_type=offline"
    form = typed(CODE, authorization_url=url)
    assert form.errors == {}
    assert form.options["authorization_url"] == url


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (CODE, "prefix"),
        (CLIENT, "refresh_url"),
        (CLIENT, "refresh_params"),
        (CLIENT, "refresh_token"),
        ("oauth2_password", "revocation_url"),
        ("oauth2_password", "keepalive_days"),
        ("bearer", "expired_text"),
    ],
)
def test_option_without_effect_can_not_be_typed(code: str, name: str) -> None:
    form = typed(code, **{name: "x"})
    assert message(form).startswith(f"{name} isn't a field of this method. Known are: ")


def test_notes_say_what_was_trimmed_but_not_around_passwords_and_scopes() -> None:
    form = typed(
        "oauth2_password", client_id=" a", password=" b ", scope=" c ", client_secret="d\n"
    )
    assert form.errors == {}
    assert form.notes == (
        "White space around the client ID was removed.",
        "White space around the client secret was removed.",
    )
    assert form.secrets == {"client_secret": "d", "password": " b "}
    assert (form.options["client_id"], form.options["scope"]) == ("a", " c ")


def test_white_space_alone_is_no_secret() -> None:
    assert "Token is missing" in message(typed("bearer", token=" \n"))
    assert typed("basic", password=" ").secrets == {"password": " "}


def test_cleared_secret_that_is_typed_again_is_kept() -> None:
    form = methods.by_code("bearer").Form(
        {"token": "new"}, stored_secrets={"token"}, cleared={"token"}
    )
    assert form.is_valid()
    assert form.secrets == {"token": "new"}


def test_unencrypted_addresses_are_warned_of_and_taken() -> None:
    assert typed(CLIENT, token_url="http://127.0.0.1:8080/token").errors == {}
    warnings = methods.by_code(CODE).warnings(
        {"token_url": "HTTP://127.0.0.1/t", "authorization_url": "https://a.example"}
    )
    assert warnings == (
        "The token URL begins with http://: what is sent there can be read on the way.",
    )


def test_unencrypted_addresses_share_one_warning() -> None:
    names = ("token_url", "authorization_url", "issuer", "revocation_url")
    warnings = methods.by_code(CODE).warnings(dict.fromkeys(names, "http://127.0.0.1/t"))
    assert warnings == (
        "The token URL, authorization URL, issuer and revocation URL begin with http://: what is sent there can be read on the"
        " way.",
    )


def test_summary_has_words_for_choices_and_neither_queries_nor_parameter_values() -> None:
    summary = methods.by_code(CLIENT).summary(
        {
            "token_url": "https://a.example/t?key=canary",
            "client_id": "console",
            "client_auth": "post",
            "client_secret": "canary",
            "audience": "",
            "token_params": {"resource": "canary", "x": ["canary"]},
        }
    )
    assert summary == {
        "Token URL": "https://a.example/t?••••",
        "Client ID": "console",
        "Client authentication": "In the body (client_secret_post)",
        "Extra token parameters": "resource, x",
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "A value has no name: type one, or leave the value out."),
        ("a\nb", "A name has a control character, such as a line break: type it without."),
        (5, "A name isn't text: write it in quotes."),
    ],
)
def test_name_that_cannot_be_sent_is_told_why(name: Any, words: str) -> None:
    for field in ("token_params", "secret_token_params", "token_headers"):
        assert words in message(typed(CLIENT, **{field: {name: "canary"}}))


@pytest.mark.parametrize(
    ("typed_before", "drawn"),
    [
        ('{"a": "canary", "b": ["canary", "canary"]}', {"a": "", "b": ["", ""]}),
        ('{"kept": null, "": "canary"}', {"kept": None, "": ""}),
        ('{"a": {"x": "canary"}, "b": [["canary"]], "c": 5}', {"a": "", "b": [""], "c": ""}),
        ("", None),
        ("canary", None),
        ('{"a": "canary"', None),
        ('["canary"]', None),
        ('{"a": "canary", "a": "canary"}', None),
    ],
)
def test_typed_secret_parameters_are_drawn_without_their_values(
    typed_before: str, drawn: Any
) -> None:
    text = methods.by_code(CLIENT).Form.declared()["secret_token_params"].drawn_again(typed_before)
    assert (json.loads(text) if text else None) == drawn
    html = str(typed(CLIENT, secret_token_params=typed_before)["secret_token_params"])
    assert "canary" not in html


class MappedForm(MethodForm):
    keys = SecretPairs(label="Keys", change=Change.NEW_ACCESS_TOKEN)


class Mapped(AuthMethod):
    uses_token = True
    Form = MappedForm


def test_secret_may_be_a_mapping() -> None:
    keys = {"a": "canary", "b": ["canary-2"]}
    for value in (keys, '{"a": "canary", "b": ["canary-2"]}'):
        form = MappedForm({"keys": value})
        assert form.is_valid()
        assert (form.options, form.secrets) == ({}, {"keys": keys})
    assert MappedForm({"keys": ""}, stored_secrets={"keys"}).is_valid()
    assert Mapped().secret_values({"keys": keys}, "token") == ("canary", "canary-2", "token")
    assert Mapped().summary({"keys": keys}) == {}
    assert Mapped().change_of_secret("keys") is Change.NEW_ACCESS_TOKEN


def test_blanks_around_secret_parameters_are_trimmed_and_said() -> None:
    form = typed(CLIENT, secret_token_params='{"a": " canary ", "b": ["x\\n"], "c": null}')
    assert form.errors == {}
    assert form.secrets["secret_token_params"] == {"a": "canary", "b": ["x"], "c": None}
    assert form.notes == ("White space around the extra token parameters (secret) was removed.",)


def test_a_parameter_is_either_secret_or_not() -> None:
    form = typed(CLIENT, token_params={"key": "a"}, secret_token_params={"key": "canary"})
    assert "key is there as a secret, too" in message(form)


def test_numbers_and_statuses_are_read_as_a_browser_and_as_a_file_spell_them() -> None:
    for statuses, lifetime in (("403, 419 403", " 3600 "), ([403, 419], 3600)):
        form = typed(CLIENT, expired_statuses=statuses, default_lifetime=lifetime)
        assert form.errors == {}
        assert form.options["expired_statuses"] == [403, 419]
        assert form.options["default_lifetime"] == 3600
    assert methods.by_code(CLIENT).summary(form.options)["Statuses that mean expired"] == "403, 419"
    assert typed(CLIENT, expired_statuses="", default_lifetime="").options["expired_statuses"] == []


def test_a_parameter_may_be_a_number_of_any_length() -> None:
    form = typed(CLIENT, token_params={"a": 10**400})
    assert not form.errors
    assert form.options["token_params"] == {"a": 10**400}
    for far in ("1e400", "-Infinity", "NaN"):
        assert "token_params" in typed(CLIENT, token_params=f'{{"a": {far}}}').errors


def test_form_is_made_of_declared_fields_only() -> None:
    assert not [
        name
        for method in methods.METHODS
        for name, field in method.Form.base_fields.items()
        if name not in method.Form.declared() or not isinstance(field, forms.Field)
    ]
