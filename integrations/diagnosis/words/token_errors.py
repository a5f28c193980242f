"""What the token endpoint itself names as the reason (RFC 6749 §5.2, RFC 8707 §2): that is checked first."""

from authconfigs.symptoms import Symptom as S
from integrations.diagnosis.words.row import CLIENT, OAUTH, TOKEN_HOST, Row

_GRANT = "The grant type is that of {method}: is this client allowed to use it?"
_SCOPE = "Scope is {scope}: does the provider know every name in it, and may this client have them?"
_AUDIENCE = "Audience is {audience}: does the provider ask for one, and is it spelt so?"
_BODY = "The token request's body is {token_body}: does the provider want the other format?"
_LAST = "Compare every setting of the client with the provider's page of this application."
_REFUSES = "The token endpoint refuses to give a token."

ROWS = (
    Row(S.TOKEN_ENDPOINT_CONFIG, "invalid_client", OAUTH,
        _REFUSES,
        "The provider doesn't know the client ID, or its secret is wrong, expired or sent in another way than the provider wants.",
        (*CLIENT,
         "Was the client secret replaced at the provider, or has it expired there? Type the new one.",
         TOKEN_HOST,
         _LAST)),
    # For the password grant alone: elsewhere it is about a code or a refresh token.
    Row(S.TOKEN_ENDPOINT_CONFIG, "invalid_grant", OAUTH,
        _REFUSES,
        "The provider doesn't accept the user name or its password: one is wrong, the password was changed, or the account is locked or asks for a second factor.",
        ("User name {username} and its password: do they log in at the provider? Type the password again if in doubt.",
         "Was the password of {username} changed, or has it expired?",
         "Is the account of {username} locked, or does it want a second factor? The password grant can't give one.",
         "Is {username} an account of the environment that {token_url} belongs to?",
         _GRANT,
         *CLIENT,
         "Ask the provider whether accounts may be used with this grant type at all.")),
    Row(S.TOKEN_ENDPOINT_CONFIG, "unauthorized_client", OAUTH,
        _REFUSES,
        "The provider knows the client, but doesn't let it use this grant type.",
        (_GRANT,
         "Client ID {client_id}: is it the application that was made for this purpose?",
         "Does the provider want another method for this API? Then change the auth config's method.",
         _LAST)),
    Row(S.TOKEN_ENDPOINT_CONFIG, "unsupported_grant_type", OAUTH,
        _REFUSES,
        "The token endpoint doesn't know this grant type, or couldn't read the request.",
        ("The grant type is that of {method}: does the provider offer it at all?",
         TOKEN_HOST,
         _BODY,
         "Does the provider's documentation name another method? Then change the auth config's method.")),
    Row(S.TOKEN_ENDPOINT_CONFIG, "invalid_scope", OAUTH,
        _REFUSES,
        "A name in the scope is unknown to the provider, misspelt, or more than this client may have.",
        (_SCOPE,
         "Does the provider separate the names by blanks? The scope is sent as it is typed.",
         "Does the provider want the scope empty, or a default one, for this grant type?",
         "Client ID {client_id}: were these scopes granted to it at the provider?")),
    Row(S.TOKEN_ENDPOINT_CONFIG, "invalid_target", OAUTH,
        _REFUSES,
        "The provider doesn't know the audience or resource that the token is asked for.",
        (_AUDIENCE,
         "Does the provider ask for `resource` instead? Then add it to the token request's parameters.",
         "Client ID {client_id}: may it have tokens for this API?",
         TOKEN_HOST)),
    Row(S.TOKEN_ENDPOINT_CONFIG, "invalid_request", OAUTH,
        _REFUSES,
        "The provider finds a parameter of the token request missing, repeated or malformed.",
        ("Which parameters does the provider's documentation want besides? Add them to the token request's parameters.",
         _AUDIENCE,
         _BODY,
         "Client authentication is {client_auth}: does the provider want the other way (Basic header or body)?",
         _SCOPE)),
    Row(S.TOKEN_ENDPOINT_CONFIG, "access_denied", OAUTH,
        _REFUSES,
        "The provider knows who asks, and doesn't grant the access.",
        ("Client ID {client_id}: is it switched on at the provider, and approved for this API?",
         "User name {username}: does it have the right at the provider?",
         _SCOPE,
         _AUDIENCE,
         "Ask the provider who refused the access: a rule, or a person who was asked.")),
)  # fmt: skip
