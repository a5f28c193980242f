"""One good config per method: what the contract test runs with. A new method adds its line here."""

from typing import Any

import pytest

from authconfigs import methods
from authconfigs.methods.base import AuthMethod, MethodForm
from authconfigs.outgoing import OutgoingRequest

CANARY = "canary-Secret~9"
PASSWORD = " pä:ss wörd "
TOKEN = "canary-Access-token"

OAUTH = {"token_url": "https://auth.example.com/token", "client_id": "console"}

SAMPLES: dict[str, dict[str, Any]] = {
    "bearer": {"options": {}, "secrets": {"token": CANARY}},
    "api_key": {"options": {"key": "X-API-Key"}, "secrets": {"value": CANARY}},
    "basic": {"options": {"username": "jö"}, "secrets": {"password": PASSWORD}},
    "oauth2_client_credentials": {"options": OAUTH, "secrets": {"client_secret": CANARY}},
    "oauth2_password": {
        "options": {**OAUTH, "username": "jö"},
        "secrets": {"client_secret": CANARY, "password": PASSWORD},
    },
    "oauth2_authorization_code": {
        "options": {**OAUTH, "authorization_url": "https://auth.example.com/authorize"},
        "secrets": {"client_secret": CANARY},
    },
}


def a_request(
    url: str = "https://api.example.com/v1/invoices?limit=1", **kwargs: Any
) -> OutgoingRequest:
    return OutgoingRequest("GET", url, **kwargs)


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
