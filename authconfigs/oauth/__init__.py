"""OAuth 2.0 (RFC 6749): token requests of all grants (§4.1.3, §4.3, §4.4, §6) and revocation, sent through the door.

    answer = client_credentials(OAuthClient.from_fields(fields), door=door, deadline=deadline)

`client` has the values, `request` puts client authentication and parameters on the wire, `answer` reads what came back,
`refusal` says why there is no token, and `exchange` is the one room that knows requests_oauthlib. `authorization` makes the
address of the consent, and `revocation` withdraws tokens.
"""

from authconfigs.oauth.authorization import authorization_url, new_secret, refusal_at_consent
from authconfigs.oauth.client import OAuthClient, TokenAnswer
from authconfigs.oauth.exchange import client_credentials, exchange_code, password, refresh
from authconfigs.oauth.revocation import revoke

__all__ = [
    "OAuthClient",
    "TokenAnswer",
    "authorization_url",
    "client_credentials",
    "exchange_code",
    "new_secret",
    "password",
    "refresh",
    "refusal_at_consent",
    "revoke",
]
