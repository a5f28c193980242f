"""The negative control sends credentials that are well-formed, and right nowhere."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authconfigs import methods
from authconfigs.methods.decoys import invented, invented_user
from tests.authconfigs.methods.samples import TOKEN


@pytest.mark.parametrize(
    ("like", "shape"),
    [
        ("8c6f2a1e-0b1d-4f6e-9a57-3c1f0d9e7b42", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", r"[a-z]{2}_[a-z]{4}_[0-9][a-z][A-Z][0-9]{2}\w+"),
        ("eyJhbGciOi.eyJzdWIiOiIx.SflKxw-RJS", r"[A-Za-z]{10}\.\w{12}\.[A-Za-z]{6}-[A-Z]{3}"),
        ("short", r"[A-Za-z]{16}"),
        ("", r"[A-Za-z]{16}"),
        ("----------------------", r"[A-Za-z]{22}"),
        ("pässwörd with blanks", r"[a-z]{20}"),
    ],
)
def test_invented_credential_has_the_shape_of_the_real_one(like: str, shape: str) -> None:
    assert re.fullmatch(shape, invented(like))


@given(st.text(max_size=60))
def test_invented_credential_can_be_sent_anywhere(like: str) -> None:
    value = invented(like)
    assert set(value) <= set(string.ascii_letters + string.digits + "-_.~+/=")
    assert len(value) == max(len(like), 16)
    assert value not in {like, invented(like)}


def test_no_real_account_is_tried() -> None:
    fields = {"username": "svc@acme.example", "password": "right"}
    decoy, _ = methods.by_code("basic").decoy(fields, None)
    assert "svc" not in decoy["username"]
    assert "acme" not in decoy["username"]
    assert decoy["username"] != methods.by_code("basic").decoy(fields, None)[0]["username"]
    assert ":" not in invented_user()


def test_token_is_invented_and_nothing_else_for_oauth() -> None:
    fields = {"client_id": "console", "client_secret": "s", "header": "X-T"}
    decoy, token = methods.by_code("oauth2_password").decoy(fields, TOKEN)
    assert decoy == fields
    assert token is not None
    assert token != TOKEN
    assert len(token) == len(TOKEN)


def test_placement_and_names_stay() -> None:
    fields = {"key": "api_key", "placement": "query", "value": "v"}
    decoy, _ = methods.by_code("api_key").decoy(fields, None)
    assert {**decoy, "value": "v"} == fields
