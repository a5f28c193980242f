"""The address that a browser is sent to, byte by byte."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authconfigs.oauth import OAuthClient, authorization_url, new_secret
from authconfigs.oauth.authorization import challenge_of

CALLBACK = "https://console.example/oauth/callback/"


def url_of(verifier: str = "v" * 43, **fields: Any) -> str:
    known = {
        "token_url": "https://auth.example/token",
        "client_id": "c",
        "authorization_url": "https://auth.example/authorize",
    }
    client = OAuthClient.from_fields({**known, **fields})
    return authorization_url(client, redirect_uri=CALLBACK, state="s", verifier=verifier)


def asked(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def test_standard_parameters_and_no_others() -> None:
    assert asked(url_of()) == [
        ("response_type", "code"),
        ("client_id", "c"),
        ("redirect_uri", CALLBACK),
        ("state", "s"),
        ("code_challenge", challenge_of("v" * 43)),
        ("code_challenge_method", "S256"),
    ]


def test_challenge_is_that_of_the_standards_example() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_typed_query_keeps_its_bytes_and_wins() -> None:
    url = url_of(
        authorization_url="https://auth.example/authorize?access_type=offline&x=%7e+%20",
        authorize_params={"access_type": "online", "prompt": "consent"},
    )
    assert url.startswith("https://auth.example/authorize?access_type=offline&x=%7e+%20&response")
    assert [value for name, value in asked(url) if name == "access_type"] == ["offline"]
    assert ("prompt", "consent") in asked(url)


def test_scope_goes_as_it_is_written() -> None:
    assert "scope=read%2Call%20%20write&" in url_of(scope="read,all  write")


def test_parameters_may_be_lists_but_never_those_of_the_flow() -> None:
    url = url_of(audience="api", authorize_params={"resource": ["a", "b"], "state": "mine"})
    assert [pair for pair in asked(url) if pair[0] in {"resource", "state", "audience"}] == [
        ("audience", "api"),
        ("state", "s"),
        ("resource", "a"),
        ("resource", "b"),
    ]


def test_states_are_longer_than_anybody_guesses() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) * 6 >= 128 for secret in secrets)
