"""Sessions of other libraries have no way out but the door."""

import base64
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from authconfigs.errors import BadAnswer, ConfigInvalid, ConnectFailed, PolicyRefused, TimedOut
from authconfigs.transport import Deadline, Door
from tests.authconfigs.transport.factories import make_door
from tests.servers.certificates import CertificateAuthority
from tests.servers.names import resolving
from tests.servers.raw import serve
from tests.servers.scripts import answer, drip_body, gzipped, hang, redirect

TOKEN = b'{"access_token": "t0ken", "token_type": "Bearer"}'


def guarded(
    session: requests.Session | None = None,
    *,
    door: Door | None = None,
    seconds: float = 5,
    max_bytes: int = 2**20,
    protected: bool = False,
) -> requests.Session:
    return (door or make_door()).guard(
        session or requests.Session(),
        deadline=Deadline.after(seconds),
        max_bytes=max_bytes,
        protected=protected,
    )


def oauth_session() -> OAuth2Session:
    return OAuth2Session(client=BackendApplicationClient("client"))


def test_an_oauth_session_fetches_its_token_through_the_door(
    tmp_path: Path,
) -> None:
    authority = CertificateAuthority(tmp_path)
    with serve(answer(body=TOKEN), tls=authority.server("127.0.0.1")) as server:
        session = guarded(oauth_session(), door=make_door(ca_bundle=authority.bundle))
        token = session.fetch_token(  # type: ignore[attr-defined]
            server.url("/token"), client_id="client", client_secret="s3cret"
        )
        request = server.requests[0]
    assert token["access_token"] == "t0ken"
    assert request.line == "POST /token HTTP/1.1"
    assert parse_qs(request.body.decode()) == {"grant_type": ["client_credentials"]}
    assert request.header("Authorization") == b"Basic " + base64.b64encode(b"client:s3cret")
    assert request.header("Content-Length") == b"%d" % len(request.body)
    assert request.header("User-Agent") == b"outbound-auth-console"
    names = [name.lower() for name, _ in request.headers]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("status", ["302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("allow", [True, False])
def test_redirects_are_answers_even_when_asked_for(status: str, allow: bool) -> None:
    with serve(answer(body=TOKEN)) as other, serve(redirect(other.url(), status=status)) as server:
        response = guarded().post(server.url(), data={"a": "s3cret"}, allow_redirects=allow)
        assert response.status_code == int(status[:3])
        assert response.history == []
        assert other.connections == 0


def test_an_oauth_session_that_asks_for_redirects_gets_none(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    tls = authority.server("127.0.0.1")
    with serve(answer(body=TOKEN), tls=tls) as other:
        with serve(redirect(other.url(), status="307 Temporary"), tls=tls) as server:
            session = guarded(oauth_session(), door=make_door(ca_bundle=authority.bundle))
            response = session.request(
                "POST", server.url(), data={"refresh_token": "s3cret"}, allow_redirects=True
            )
            assert response.status_code == 307
        assert other.connections == 0


def test_verification_cannot_be_turned_off(tmp_path: Path) -> None:
    context = CertificateAuthority(tmp_path).server("127.0.0.1")
    with serve(answer(), tls=context) as server:
        session = guarded()
        session.verify = False
        with pytest.raises(ConnectFailed):
            session.get(server.url(), verify=False)
        assert server.requests == []


def test_proxies_cannot_be_given() -> None:
    with serve(answer(body=b"direct")) as server, serve(answer(body=b"proxy")) as proxy:
        session = requests.Session()
        session.proxies = {"http": proxy.url()}
        response = guarded(session).get(server.url(), proxies={"http": proxy.url()})
        assert response.text == "direct"
        assert proxy.connections == 0


def test_no_cookie_is_kept() -> None:
    with serve(answer(headers=[("Set-Cookie", "session=1; Path=/")])) as server:
        session = guarded()
        for _ in range(2):
            session.get(server.url())
        assert [request.header("Cookie") for request in server.requests] == [None, None]
        assert not session.cookies


def test_the_deadline_is_one_for_all_its_requests() -> None:
    with serve(drip_body(pause=0.05)) as slow, serve(hang()) as silent:
        for server in (slow, silent):
            with pytest.raises(TimedOut):
                guarded(seconds=0.4).get(server.url(), timeout=60)
        session = guarded(seconds=0.4)
        for _ in range(2):
            with pytest.raises(TimedOut):
                session.get(silent.url())
        assert silent.connections == 2


def test_the_cap_holds_for_decoded_bytes() -> None:
    with serve(gzipped(bytes(5000))) as server, pytest.raises(BadAnswer):
        guarded(max_bytes=4000).get(server.url(), stream=True)


def test_the_policy_holds() -> None:
    with serve(answer()) as server, resolving({"inside.example": ["10.0.0.1"]}):
        with pytest.raises(PolicyRefused):
            guarded(door=make_door(["10.0.0.0/8"])).get(server.url())
        door = make_door(["10.0.0.0/8"])
        for session in (
            guarded(door=door, protected=True),
            guarded(door=door.for_environment(protected=True)),
        ):
            with pytest.raises(PolicyRefused):
                session.post("http://inside.example:8000/token", data={"a": "b"})
        assert server.connections == 0


def test_the_url_goes_out_byte_for_byte() -> None:
    with serve(answer()) as server:
        guarded().get(server.url("/%7etoken/%c3%bc?a=%7e&b=[1]"))
        guarded().get(server.url("/token?a=1"), params={"b": "2"})
        assert [request.target for request in server.requests] == [
            "/%7etoken/%c3%bc?a=%7e&b=[1]",
            "/token?a=1&b=2",
        ]


def test_headers_of_the_session_and_of_the_request_go_out_as_utf8() -> None:
    with serve(answer()) as server:
        session = requests.Session()
        session.headers["X-Own"] = "own"
        session.headers["Accept"] = "application/json"
        guarded(session).get(server.url(), headers={"X-Key": "schlüssel"})
        request = server.requests[0]
    assert request.header("X-Own") == b"own"
    assert request.header("Accept") == b"application/json"
    assert request.header("X-Key") == "schlüssel".encode()


def test_other_schemes_and_bodies_without_an_end_are_refused() -> None:
    for url in ("file:///etc/passwd", "mailto:someone@example.com"):
        with pytest.raises((PolicyRefused, ConfigInvalid)):
            guarded().get(url)
    with serve(answer()) as server:
        with pytest.raises(TypeError):
            guarded().post(server.url(), data=iter([b"a", b"b"]))
        with pytest.raises(ConfigInvalid):
            guarded().get(server.url(), headers={"X-Key": "s3cret\r\nX-Evil: 1"})
        assert server.connections == 0
