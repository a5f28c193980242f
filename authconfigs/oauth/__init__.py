"""Token requests: the grants of OAuth 2.0 (RFC 6749 §4.1.3, §4.3, §4.4, §6), sent through the door.

    answer = client_credentials(OAuthClient.from_fields(fields), door=door, deadline=deadline)

`client` has the values, `request` puts client authentication and parameters on the wire, `answer` reads what came back,
`refusal` says why there is no token, and `exchange` is the one room that knows requests_oauthlib.
"""

from authconfigs.oauth.client import OAuthClient, TokenAnswer
from authconfigs.oauth.exchange import client_credentials, exchange_code, password, refresh

__all__ = [
    "OAuthClient",
    "TokenAnswer",
    "client_credentials",
    "exchange_code",
    "password",
    "refresh",
]
