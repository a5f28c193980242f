"""Discovery over real sockets: where it looks, what it takes, and what it refuses."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from authconfigs.errors import NoMetadata, OutboundError
from authconfigs.oauth.discovery import MAX_BYTES, Metadata, discover
from authconfigs.symptoms import Symptom
from authconfigs.transport import Deadline, Door
from integrations.demo.provider import Provider
from tests.authconfigs.transport.factories import make_door
from tests.servers.raw import ReceivedRequest, Script, serve
from tests.servers.scripts import answer, answer_by, hang, message, redirect, send_and_close

RFC_8414 = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


@pytest.fixture
def door() -> Iterator[Door]:
    door = make_door()
    yield door
    door.close()


def found(door: Door, issuer: str, *, seconds: float = 5) -> Metadata:
    return discover(issuer, door=door, deadline=Deadline.after(seconds))


def refused(door: Door, issuer: str, *, seconds: float = 5) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        found(door, issuer, seconds=seconds)
    return caught.value


def published(documents: Mapping[str, Any]) -> Script:
    """Answers these paths with JSON in which BASE stands for the server's own origin, all others with 404."""

    def choose(request: ReceivedRequest) -> bytes:
        if request.target not in documents:
            return message("404 Not Found", b"<h1>nothing here</h1>")
        base = f"http://{(request.header('Host') or b'').decode()}"
        return message(
            "200 OK", json.dumps(documents[request.target]).replace("BASE", base).encode()
        )

    return answer_by(choose)


def test_everything_a_provider_says_is_read(door: Door) -> None:
    with Provider() as provider:
        assert found(door, f" {provider.base_url} ") == Metadata(
            issuer=provider.base_url,
            token_url=provider.token_url,
            authorization_url=f"{provider.base_url}/authorize",
            revocation_url=f"{provider.base_url}/revoke",
            grant_types=("client_credentials", "password", "authorization_code", "refresh_token"),
            client_auth_methods=("client_secret_basic", "client_secret_post", "none"),
            scopes=("profile", "reports", "orders"),
            code_challenge_methods=("S256",),
            iss_supported=True,
            unusable=(),
        )
        sent = provider.requests[0]
    assert sent.method == "GET"
    assert {name.lower() for name, _ in sent.headers}.isdisjoint({"authorization", "cookie"})


@pytest.mark.parametrize(
    ("published_at", "issuer", "typed", "looked"),
    [
        (f"{RFC_8414}/a/b", "/a/b", "/a/b", [f"{RFC_8414}/a/b"]),
        (f"{RFC_8414}/a/b", "/a/b/", "/a/b/", [f"{RFC_8414}/a/b"]),
        (f"{RFC_8414}/a/b", "/a/b", f"{RFC_8414}/a/b", [f"{RFC_8414}/a/b"]),
        (f"/a/b{OPENID}", "/a/b", "/a/b", [f"{RFC_8414}/a/b", f"/a/b{OPENID}"]),
        (f"/a/b{OPENID}", "/a/b/", f"/a/b{OPENID}", [f"/a/b{OPENID}"]),
        (OPENID, "", OPENID, [OPENID]),
    ],
)
def test_metadata_are_found_before_and_behind_the_path_and_where_they_were_pasted_from(
    door: Door, published_at: str, issuer: str, typed: str, looked: list[str]
) -> None:
    document = {"issuer": f"BASE{issuer}", "token_endpoint": "BASE/t"}
    with serve(published({published_at: document})) as server:
        metadata = found(door, server.url(typed))
        assert metadata.issuer == server.url(issuer)
        assert metadata.token_url == server.url("/t")
        assert [request.target for request in server.requests] == looked


@pytest.mark.parametrize(
    ("named", "typed"), [("BASE/", ""), ("BASE", "/"), ("BASE/a/", "/a"), ("BASE/a", "/a/")]
)
def test_slash_at_the_end_is_as_the_provider_spells_it(door: Door, named: str, typed: str) -> None:
    document = {"issuer": named, "token_endpoint": "BASE/t"}
    with serve(published({RFC_8414: document, f"{RFC_8414}/a": document})) as server:
        assert found(door, server.url(typed)).issuer == server.url(named.removeprefix("BASE"))


@pytest.mark.parametrize(
    "typed", ["nonsense", "127.0.0.1:9150", "auth.example.com", "https://", "https://a:99999"]
)
def test_what_is_no_address_gets_one_example_of_an_issuer(door: Door, typed: str) -> None:
    assert refused(door, typed).summary.split("https://")[1:] == ["auth.example.com."]


@pytest.mark.parametrize(
    ("named", "typed"),
    [
        ("https://elsewhere.example", ""),
        ("BASE//", ""),
        ("BASE/a", ""),
        ("BASE/other", f"{OPENID}"),
        ("BASE/realms/{id}", f"/realms/a{OPENID}"),
        (None, ""),
        (["BASE"], ""),
    ],
)
def test_metadata_of_another_issuer_are_refused(door: Door, named: Any, typed: str) -> None:
    document = {"issuer": named, "token_endpoint": "BASE/t"}
    paths = {RFC_8414: document, OPENID: document, f"/realms/a{OPENID}": document}
    with serve(published(paths)) as server:
        failure = refused(door, server.url(typed))
        assert len(server.requests) == 1, "the next address is no way around the check"
        shown = named.replace("BASE", server.url("")) if isinstance(named, str) else "no issuer"
    assert isinstance(failure, NoMetadata)
    assert failure.symptom is Symptom.PROVIDER_ERROR
    assert shown in failure.summary


@pytest.mark.parametrize(
    ("script", "symptom", "words"),
    [
        (answer("404 Not Found"), Symptom.REQUEST_REFUSED, "No metadata are published there"),
        (answer("403 Forbidden"), Symptom.REQUEST_REFUSED, "(403)"),
        (answer("429 Too Many"), Symptom.PROVIDER_RATE_LIMITED, "asks us to wait (429)"),
        (answer("500 Broken"), Symptom.PROVIDER_ERROR, "out of order (500)"),
        (answer(body=b" <!doctype html>"), Symptom.PROVIDER_ERROR, "answered a web page"),
        (answer(body=b"[1]"), Symptom.PROVIDER_ERROR, "instead of a JSON object"),
        (answer(body=b"[" * 100_000), Symptom.PROVIDER_ERROR, "instead of a JSON object"),
        (answer(body=b'{"issuer": "\xff"}'), Symptom.PROVIDER_ERROR, "instead of a JSON object"),
        (answer(body=b"x" * 5_000_000), Symptom.PROVIDER_ERROR, f"larger than {MAX_BYTES:,}"),
        (send_and_close(b"SSH-2.0-x\r\n\r\n"), Symptom.PROVIDER_ERROR, "isn't HTTP"),
        (
            redirect("https://login.example/sign?token=s3cret#f"),
            Symptom.BLOCKED_BY_POLICY,
            "redirects to https://login.example (302)",
        ),
        (redirect("/login"), Symptom.BLOCKED_BY_POLICY, "redirects to http://127.0.0.1"),
        (redirect("https://user:s3cret@[x"), Symptom.BLOCKED_BY_POLICY, "redirects (302)"),
    ],
)
def test_answers_that_are_no_metadata_are_told_apart(
    door: Door, script: Script, symptom: Symptom, words: str
) -> None:
    with serve(script) as server:
        failure = refused(door, server.url(""))
        assert len(server.requests) == 2, "OpenID Connect's address is tried as well"
    assert failure.symptom is symptom
    assert words in failure.summary
    assert "s3cret" not in failure.summary


def test_slow_answers_end_at_the_deadline(door: Door) -> None:
    with serve(hang()) as server:
        started = time.monotonic()
        failure = refused(door, server.url(""), seconds=0.2)
        assert len(server.requests) == 1
    assert failure.symptom is Symptom.TIMEOUT
    assert time.monotonic() - started < 1


def test_addresses_that_may_not_or_cannot_be_reached(door: Door) -> None:
    strict = make_door([])
    with serve(lambda talk: talk.send(b"no TLS here")) as server:
        tls = f"https://127.0.0.1:{server.port}"
        for url in (server.url(""), tls):
            assert refused(strict, url).symptom is Symptom.BLOCKED_BY_POLICY
        assert server.connections == 0
        assert refused(door, tls).symptom is Symptom.TLS
    assert refused(door, server.url("")).symptom is Symptom.NETWORK


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "auth.example.com",
        "https://u:p@h.example",
        "https://h.example/#f",
        "https://h.example?a=b",
    ],
)
def test_what_is_no_issuer_is_refused_before_anything_is_sent(door: Door, typed: str) -> None:
    failure = refused(door, typed)
    assert failure.symptom is Symptom.CONFIG_INVALID
    assert "u:p" not in failure.summary


def test_junk_is_left_out_field_by_field_and_named(door: Door) -> None:
    document = {
        "issuer": "BASE",
        "token_endpoint": "https://user:password@auth.example/token",
        "authorization_endpoint": "javascript:alert(1)",
        "revocation_endpoint": "https://auth.example/revoke",
        "grant_types_supported": "authorization_code",
        "token_endpoint_auth_methods_supported": {"basic": True},
        "scopes_supported": ["read", 7, None, "two words", "x" * 201, "é", "read", "write"],
        "authorization_response_iss_parameter_supported": "true",
        "jwks_uri": [],
    }
    with serve(published({RFC_8414: document})) as server:
        metadata = found(door, server.url(""))
    assert (metadata.token_url, metadata.authorization_url) == ("", "")
    assert metadata.revocation_url == "https://auth.example/revoke"
    assert metadata.grant_types == metadata.client_auth_methods == ()
    assert metadata.scopes == ("read", "write")
    assert metadata.iss_supported is False
    assert metadata.unusable == (
        "token_endpoint",
        "authorization_endpoint",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "scopes_supported",
    )


@pytest.mark.parametrize(
    "refused",
    [
        "https://169.254.169.254/t",
        "https://10.0.0.1/t",
        "https://[::ffff:10.0.0.1]/t",
        "http://93.184.215.14/t",
        "http://name.invalid/t",
        "https://93.184.215.14:25/t",
    ],
)
def test_endpoint_that_would_be_refused_is_unusable(door: Door, refused: str) -> None:
    document = {"issuer": "BASE", "token_endpoint": refused, "revocation_endpoint": "BASE/r"}
    with serve(published({RFC_8414: document})) as server:
        metadata = found(door, server.url(""))
        assert metadata.revocation_url == server.url("/r")
    assert metadata.token_url == ""
    assert metadata.unusable == ("token_endpoint",)


def test_unencrypted_name_in_an_allowed_network_is_usable(door: Door) -> None:
    document = {"issuer": "BASE", "token_endpoint": "http://localhost:8000/t"}
    with serve(published({RFC_8414: document})) as server:
        assert found(door, server.url("")).token_url == "http://localhost:8000/t"


def test_missing_endpoints_stay_empty(door: Door) -> None:
    with serve(published({RFC_8414: {"issuer": "BASE"}})) as server:
        metadata = found(door, server.url(""))
    assert (metadata.token_url, metadata.authorization_url, metadata.revocation_url) == ("",) * 3
    assert metadata.unusable == ()
