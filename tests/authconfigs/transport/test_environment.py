"""Nothing in the environment changes where a request goes, what it carries or whom it trusts."""

import ssl
from pathlib import Path

import pytest
import requests

from authconfigs.errors import ConnectFailed
from authconfigs.symptoms import Symptom
from authconfigs.transport import Deadline
from authconfigs.transport.tls import tls_context
from tests.authconfigs.transport.factories import make_door, send, with_credential
from tests.servers.certificates import CertificateAuthority
from tests.servers.raw import serve
from tests.servers.scripts import answer

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def guarded_get(door: object, url: str) -> requests.Response:
    session = requests.Session()
    return door.guard(  # type: ignore[attr-defined,no-any-return]
        session, deadline=Deadline.after(5), max_bytes=1000
    ).get(url)


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(answer(body=b"proxy")) as proxy, serve(answer(body=b"direct")) as server:
        for name in PROXIES:
            monkeypatch.setenv(name, proxy.url())
        assert send(make_door(), server.url()).text == "direct"
        assert guarded_get(make_door(), server.url()).text == "direct"
        assert proxy.connections == 0


def test_netrc_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login thief password word\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with serve(answer()) as server:
        send(make_door(), server.url())
        send(make_door(), with_credential(server.url()))
        guarded_get(make_door(), server.url())
        assert [request.header("Authorization") for request in server.requests] == [
            None,
            b"Bearer s3cret",
            None,
        ]


def test_certificate_settings_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = CertificateAuthority(tmp_path)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, authority.bundle)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    tls_context.cache_clear()
    with serve(answer(), tls=authority.server("127.0.0.1")) as server:
        for attempt in (send, guarded_get):
            with pytest.raises(ConnectFailed) as caught:
                attempt(make_door(), server.url())
            assert caught.value.symptom is Symptom.TLS
        assert send(make_door(ca_bundle=authority.bundle), server.url()).text == "ok"
    assert not keys.exists()
    assert tls_context().verify_mode is ssl.CERT_REQUIRED


def test_no_cookie_is_kept() -> None:
    with serve(answer(headers=[("Set-Cookie", "session=1; Path=/")])) as server:
        door = make_door()
        for _ in range(2):
            send(door, server.url())
        assert [request.header("Cookie") for request in server.requests] == [None, None]
