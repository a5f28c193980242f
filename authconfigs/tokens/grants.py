"""How each OAuth method gets a token: with what its config holds, or only through a person's consent.

One line per method that uses a token; a test holds the table against `METHODS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from authconfigs import oauth
from authconfigs.oauth import OAuthClient, TokenAnswer
from authconfigs.transport import Deadline, Guards


@dataclass(frozen=True)
class Grant:
    """`start` asks with what the config holds; None where only consent starts one.

    keeps_refresh_token: a refresh token in the answer is kept and used; else it is ignored (RFC 6749 §4.4.3).
    """

    start: Callable[[OAuthClient, Mapping[str, Any], Guards, Deadline], TokenAnswer] | None
    keeps_refresh_token: bool


def _client_credentials(
    client: OAuthClient, _: Mapping[str, Any], door: Guards, deadline: Deadline
) -> TokenAnswer:
    return oauth.client_credentials(client, door=door, deadline=deadline)


def _password(
    client: OAuthClient, fields: Mapping[str, Any], door: Guards, deadline: Deadline
) -> TokenAnswer:
    return oauth.password(
        client,
        fields["username"],
        password=fields["password"],
        door=door,
        deadline=deadline,
    )


GRANTS: Mapping[str, Grant] = {
    "oauth2_client_credentials": Grant(start=_client_credentials, keeps_refresh_token=False),
    "oauth2_password": Grant(start=_password, keeps_refresh_token=True),
    "oauth2_authorization_code": Grant(start=None, keeps_refresh_token=True),
}
