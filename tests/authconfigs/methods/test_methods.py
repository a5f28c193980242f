"""What is particular to each method: where its credential goes, and what its fields refuse."""

from base64 import b64encode
from typing import Any

import pytest

from authconfigs import methods
from authconfigs.errors import ConfigInvalid
from authconfigs.methods.base import Change
from authconfigs.transport import Deadline
from tests.authconfigs.methods.samples import SAMPLES, TOKEN, a_request
from tests.authconfigs.transport.factories import make_door
from tests.servers.raw import serve
from tests.servers.scripts import answer


def errors(code: str, **typed: Any) -> set[str]:
    """The names of the fields that are refused when the sample is typed with these instead."""
    sample = SAMPLES[code]
    form = methods.by_code(code).Form({**sample["options"], **sample["secrets"], **typed})
    form.is_valid()
    return set(form.errors)


def header(code: str, name: str = "Authorization", **fields: Any) -> str | None:
    signed = methods.by_code(code).authenticate(a_request(), fields, TOKEN)
    return dict(signed.headers).get(name)


def test_bearer_puts_the_prefix_before_the_token() -> None:
    assert header("bearer", token="abc") == "Bearer abc"


def test_bearer_without_prefix_sends_the_token_alone() -> None:
    assert header("bearer", name="X-Token", header="X-Token", prefix="", token="abc") == "abc"


@pytest.mark.parametrize("pasted", ["Bearer eyJ", "bearer eyJ", " Bearer eyJ "])
def test_prefix_pasted_into_the_token_is_refused(pasted: str) -> None:
    assert errors("bearer", token=pasted) == {"token"}


def test_empty_prefix_is_kept_and_an_absent_one_takes_its_default() -> None:
    form = methods.by_code("bearer").Form({"token": "x", "prefix": ""})
    assert form.is_valid()
    assert form.options == {"header": "Authorization", "prefix": ""}
    form = methods.by_code("bearer").Form({"token": "x", "prefix": None})
    assert form.is_valid()
    assert form.options["prefix"] == "Bearer"


def test_key_in_the_query_is_encoded_and_appended() -> None:
    fields = {"key": "api key", "placement": "query", "value": "a b&c=d/é"}
    signed = methods.by_code("api_key").authenticate(a_request(), fields, None)
    assert signed.url.endswith("?limit=1&api%20key=a%20b%26c%3Dd%2F%C3%A9")


def test_key_in_a_header_is_sent_as_it_is() -> None:
    assert header("api_key", name="X-API-Key", key="X-API-Key", value="v") == "v"


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "X Key", "X:Key", ""]
)
def test_header_that_can_not_carry_a_key_is_refused(name: str) -> None:
    assert errors("api_key", key=name) == {"key"}


def test_key_in_the_query_may_have_any_name() -> None:
    assert errors("api_key", key="api key", placement="query") == set()


def test_unknown_placement_is_refused() -> None:
    assert errors("api_key", placement="cookie") == {"placement"}


def test_basic_is_utf8_and_keeps_blanks_of_the_password() -> None:
    expected = b64encode("jö: pä:ss ".encode()).decode()
    assert header("basic", username="jö", password=" pä:ss ") == f"Basic {expected}"
    form = methods.by_code("basic").Form({"username": " jö ", "password": " pä:ss "})
    assert form.is_valid()
    assert form.secrets == {"password": " pä:ss "}
    assert form.notes == ("White space around the user name was removed.",)


def test_basic_password_may_be_empty() -> None:
    assert errors("basic", password="") == set()
    assert header("basic", username="key") == f"Basic {b64encode(b'key:').decode()}"


def test_colon_in_a_basic_user_name_is_refused() -> None:
    assert errors("basic", username="a:b") == {"username"}
    with pytest.raises(ConfigInvalid):
        header("basic", username="a:b", password="c")


def test_credential_beyond_ascii_goes_out_as_utf8() -> None:
    fields = {"header": "Authorization", "prefix": "Tökén", "token": "geheım→"}
    door = make_door()
    with serve(answer()) as server:
        signed = methods.by_code("bearer").authenticate(a_request(server.url()), fields, None)
        door.send(signed, deadline=Deadline.after(5), max_bytes=1000)
        door.close()
    assert server.requests[0].header("Authorization") == "Tökén geheım→".encode()


@pytest.mark.parametrize("pasted", ["\ttoken\n", "token ", "\n token"])
def test_white_space_around_a_secret_is_trimmed_and_said(pasted: str) -> None:
    form = methods.by_code("bearer").Form({"token": pasted})
    assert form.is_valid()
    assert form.secrets == {"token": "token"}
    assert form.notes == ("White space around the token was removed.",)


@pytest.mark.parametrize("inner", ["a\nb", "a\x00b", "a\rb", "a\x7fb"])
def test_control_character_inside_is_refused(inner: str) -> None:
    assert errors("bearer", token=inner) == {"token"}


def test_number_where_text_belongs_is_refused() -> None:
    assert errors("api_key", key=12) == {"key"}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://auth.example.com/token",
        "auth.example.com/token",
        "https:///token",
        "https://user:pw@auth.example.com/token",
        "https://auth.example.com/token#x",
        "https://auth.example.com/to ken",
        "https://auth.example.com:99999/token",
        "https://auth.example.com\\@evil.example/token",
    ],
)
def test_url_that_can_not_be_a_token_url_is_refused(url: str) -> None:
    assert errors("oauth2_client_credentials", token_url=url) == {"token_url"}


@pytest.mark.parametrize(
    "name", ["grant_type", "client_id", "client_secret", "scope", "refresh_token"]
)
def test_parameter_that_the_grant_sets_is_refused(name: str) -> None:
    assert errors("oauth2_client_credentials", token_params={name: "x"}) == {"token_params"}


def test_parameters_come_as_a_mapping_or_as_json_text() -> None:
    good: list[object] = [{"resource": ["a", "b"]}, '{"resource": ["a", "b"]}', "", " ", {}]
    good += [{"duration": 900, "offline": True, "ratio": 0.5}]
    bad: list[object] = [
        "[1]",
        "{",
        {"a": None},
        {"a": {"b": "c"}},
        {"": "x"},
        {"a": "x\ny"},
        {1: "x"},
    ]
    bad += [
        '{"a": NaN}',
        '{"a": "1", "a": "2"}',
        "[" * 15_000,
        {"a": "x" * 30_000},
        ["a"],
        7,
        "\ud800",
    ]
    for typed in good:
        assert errors("oauth2_client_credentials", token_params=typed) == set()
    for typed in bad:
        assert errors("oauth2_client_credentials", token_params=typed) == {"token_params"}


@pytest.mark.parametrize(
    "headers", [{"Authorization": "x"}, {"Host": "x"}, {"a b": "x"}, {"A": ["x"]}]
)
def test_token_header_that_can_not_be_sent_is_refused(headers: dict[str, Any]) -> None:
    assert errors("oauth2_client_credentials", token_headers=headers) == {"token_headers"}


def test_scope_is_kept_as_typed() -> None:
    form = methods.by_code("oauth2_client_credentials").Form(
        {**SAMPLES["oauth2_client_credentials"]["options"], "scope": "a,b  c "}
    )
    assert form.is_valid()
    assert form.options["scope"] == "a,b  c "


def test_client_secret_may_be_empty() -> None:
    assert errors("oauth2_client_credentials", client_secret="") == set()


def test_token_goes_where_the_config_says() -> None:
    assert header("oauth2_password") == f"Bearer {TOKEN}"
    assert header("oauth2_password", name="X-T", header="X-T", header_prefix="") == TOKEN


def test_password_grant_is_off_when_the_operator_says_so(settings: Any) -> None:
    settings.OAUTH_PASSWORD_GRANT = False
    assert not methods.by_code("oauth2_password").available()
    assert methods.by_code("oauth2_client_credentials").available()


CLIENT, CODE, PASSWORD = "oauth2_client_credentials", "oauth2_authorization_code", "oauth2_password"
TOKEN_URL, HERE, THERE = "token_url", "https://a.example", "https://b.example"


@pytest.mark.parametrize(
    ("code", "name", "old", "new", "change"),
    [
        (CLIENT, "header", "Authorization", "X-T", Change.NOTHING),
        (CLIENT, "header_prefix", "Bearer", "", Change.NOTHING),
        (CLIENT, "scope", "a", "b", Change.NEW_ACCESS_TOKEN),
        (CODE, "scope", "a", "b", Change.NOTHING),
        (CODE, "authorize_params", {}, {"a": "b"}, Change.NOTHING),
        (CLIENT, "audience", "a", "b", Change.NEW_ACCESS_TOKEN),
        (CLIENT, "token_params", {}, {"a": "b"}, Change.NEW_ACCESS_TOKEN),
        (CLIENT, "token_headers", {}, {"a": "b"}, Change.NEW_ACCESS_TOKEN),
        (CLIENT, "token_body", "form", "json", Change.NEW_ACCESS_TOKEN),
        (CLIENT, "client_auth", "basic", "post", Change.NEW_ACCESS_TOKEN),
        (CLIENT, TOKEN_URL, f"{HERE}/a", f"{HERE}/b", Change.NEW_ACCESS_TOKEN),
        (CLIENT, TOKEN_URL, f"{HERE}/a", f"{HERE}/a?x=1", Change.NEW_ACCESS_TOKEN),
        (CLIENT, TOKEN_URL, f"{HERE}/a", f"{THERE}/a", Change.NEW_GRANT),
        (CLIENT, TOKEN_URL, f"{HERE}/a", f"{HERE}:444/a", Change.NEW_GRANT),
        (CODE, "authorization_url", f"{HERE}/a", f"{HERE}/b", Change.NOTHING),
        (CODE, "authorization_url", f"{HERE}/a", f"{THERE}/a", Change.NEW_GRANT),
        (CODE, "issuer", "", HERE, Change.NOTHING),
        (CODE, "issuer", HERE, "", Change.NOTHING),
        (CODE, "issuer", HERE, THERE, Change.NEW_GRANT),
        (CODE, "issuer", HERE, f"{HERE}/realm", Change.NEW_GRANT),
        (CLIENT, "client_id", "a", "b", Change.NEW_GRANT),
        (PASSWORD, "username", "a", "b", Change.NEW_GRANT),
    ],
)
def test_change_of_an_option_does_what_it_declares(
    code: str, name: str, old: object, new: object, change: Change
) -> None:
    assert methods.by_code(code).change({name: old}, {name: new}) == change


def test_change_of_a_secret_does_what_it_declares() -> None:
    assert methods.by_code(CLIENT).change_of_secret("client_secret") == Change.NEW_ACCESS_TOKEN
    assert methods.by_code(CODE).change_of_secret("client_secret") == Change.NEW_ACCESS_TOKEN
    assert methods.by_code(PASSWORD).change_of_secret("password") == Change.NEW_GRANT


def test_secrets_of_a_grant_go_to_the_origin_of_its_token_url() -> None:
    method = methods.by_code(CODE)
    options = {"token_url": "https://A.example:443/t", "authorization_url": f"{THERE}/a"}
    assert method.token_origins(options) == {"https://a.example"}
    assert methods.by_code("bearer").token_origins({}) == frozenset()


def test_what_is_allowed_but_not_good_is_warned_of() -> None:
    assert methods.by_code("api_key").warnings({"placement": "query"})
    assert methods.by_code(PASSWORD).warnings({})
    assert methods.by_code(CLIENT).warnings({"token_url": "http://127.0.0.1/token"})
    assert not methods.by_code(CLIENT).warnings({"token_url": "https://a.example/token"})
