"""The tables of credentials: configs and what they hold, their tokens, and the processes that keep these alive."""

from authconfigs.models.configs import AllowedOrigin, AuthConfig, Credential, DataKey
from authconfigs.models.heartbeats import Heartbeat
from authconfigs.models.starts import Starts
from authconfigs.models.tokens import AuthorizationRequest, OAuthToken, TokenEvent

__all__ = [
    "AllowedOrigin",
    "AuthConfig",
    "AuthorizationRequest",
    "Credential",
    "DataKey",
    "Heartbeat",
    "OAuthToken",
    "Starts",
    "TokenEvent",
]
