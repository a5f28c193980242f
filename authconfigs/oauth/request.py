"""What a token request carries besides its grant: client authentication, more parameters, headers, form or JSON."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from requests import PreparedRequest
from requests.auth import AuthBase

from authconfigs.oauth.client import OAuthClient

MEDIA_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}


class TokenRequest(AuthBase):
    """Finishes the request that the library prepared. What the grant itself sets can't be replaced by a parameter."""

    def __init__(self, client: OAuthClient, parameters: Mapping[str, Any]) -> None:
        self._client, self._parameters = client, parameters

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """The request with its final body and headers."""
        body = request.body or b""
        form = parse_qsl(body if isinstance(body, str) else body.decode(), keep_blank_values=True)
        values: dict[str, Any] = dict(form)
        for name, value in {**self._parameters, **self._credentials()}.items():
            values.setdefault(name, value)
        if self._client.token_body == "json":  # noqa: S105 - a format
            request.body = json.dumps(values).encode()
        else:
            request.body = urlencode(_pairs(values)).encode("ascii")
        request.headers["Content-Type"] = MEDIA_TYPES[self._client.token_body]
        for name, value in self._client.token_headers.items():
            request.headers[name] = value
        if self._uses_basic:
            request.headers["Authorization"] = self._basic()
        return request

    @property
    def _uses_basic(self) -> bool:
        return self._client.client_auth == "basic" and bool(self._client.client_secret)

    def _credentials(self) -> dict[str, str]:
        client = self._client
        if self._uses_basic:
            return {}
        if client.client_auth == "post" and client.client_secret:
            return {"client_id": client.client_id, "client_secret": client.client_secret}
        return {"client_id": client.client_id}

    def _basic(self) -> str:
        # RFC 6749 §2.3.1: both are form-encoded before they are joined; neither library does it.
        pair = f"{quote_plus(self._client.client_id)}:{quote_plus(self._client.client_secret)}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


def parameters_of(client: OAuthClient, *, refreshing: bool) -> dict[str, Any]:
    """The parameters that a client adds to its token requests; the more particular one wins."""
    return {
        **client.token_params,
        **client.secret_token_params,
        **({"audience": client.audience} if client.audience else {}),
        **(client.refresh_params if refreshing else {}),
    }


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, one if isinstance(one, str) else json.dumps(one))
        for name, value in values.items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
