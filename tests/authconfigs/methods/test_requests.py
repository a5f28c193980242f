"""What every method keeps in the requests that it authenticates, also one that is added later."""

import logging

import pytest

from authconfigs.errors import ConfigInvalid
from authconfigs.methods.base import AuthMethod
from authconfigs.outgoing import build_request
from authconfigs.transport import Deadline
from tests.authconfigs.methods.samples import (
    SAMPLES,
    TOKEN,
    a_request,
    every_method,
    fields_of,
    secrets_of,
)
from tests.authconfigs.transport.factories import make_door
from tests.servers.raw import serve
from tests.servers.scripts import answer


@every_method
def test_credential_is_marked_and_masked(method: AuthMethod) -> None:
    signed = method.authenticate(a_request(), fields_of(method), TOKEN)
    assert signed.credential_headers or signed.credential_params
    masked = signed.masked()
    shown = f"{masked.url} {masked.headers} {signed!r} {masked!r}"
    for secret in secrets_of(method):
        assert secret not in shown


@every_method
def test_values_to_mask_are_all_of_the_credential(method: AuthMethod) -> None:
    fields = fields_of(method)
    values = method.secret_values(fields, TOKEN)
    assert set(SAMPLES[method.code]["secrets"].values()) | {TOKEN} == set(values)
    signed = method.authenticate(a_request(), fields, TOKEN)
    assert len(signed.credentials) == 1


@every_method
def test_credential_on_the_wire_is_what_was_built(
    method: AuthMethod, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fields, door = fields_of(method), make_door()
    with serve(answer()) as server:
        request = build_request("GET", server.url("/v1"), "/invoices?limit=1")
        signed = method.authenticate(request, fields, TOKEN)
        response = door.send(signed, deadline=Deadline.after(5), max_bytes=1000)
        door.close()
    (received,) = server.requests
    for name, value in signed.headers:
        assert received.header(name) == value.encode()
    assert received.target == signed.url.removeprefix(server.url(""))
    assert signed.credentials[0] in received.head.decode()
    for secret in (*secrets_of(method), *signed.credentials):
        assert secret not in caplog.text
        assert secret not in f"{response.url} {response.request.headers}"


@every_method
def test_credential_wins_over_equal_names_and_says_so(method: AuthMethod) -> None:
    fields = fields_of(method)
    real = method.authenticate(a_request(), fields, TOKEN)
    doubled = a_request(
        headers=tuple((name.swapcase(), "mine") for name, _ in real.headers),
        url=real.url,
    )
    again = method.authenticate(doubled, fields, TOKEN)
    assert (again.headers, again.url) == (real.headers, real.url)
    assert [name.lower() for name in again.dropped] == [
        *(name.lower() for name in real.credential_headers),
        *real.credential_params,
    ]


@every_method
@pytest.mark.parametrize("broken", ["", None, "line\nbreak", "\ud800"])
def test_stored_fields_that_can_not_work_are_config_invalid(
    method: AuthMethod, broken: str | None
) -> None:
    fields, said = fields_of(method), []
    for name in (*method.option_names, *method.secret_names):
        try:
            method.authenticate(a_request(), {**fields, name: broken}, TOKEN)
        except ConfigInvalid as error:
            said.append(str(error))
    assert said or method.uses_token
    assert "canary" not in str(said)
    with pytest.raises(ConfigInvalid):
        method.authenticate(a_request(), dict.fromkeys(fields), None)


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
