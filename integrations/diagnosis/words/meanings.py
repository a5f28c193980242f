"""What each symptom means: one sentence for its help page, true of all its cases."""

from authconfigs.symptoms import Symptom as S

MEANINGS = {
    S.CONFIG_INVALID: "What is stored can't be sent: a field is missing, or holds characters that a request can't carry.",
    S.SECRET_UNREADABLE: "A stored secret doesn't open with the keys that this console has, or belongs to another row.",
    S.BLOCKED_BY_POLICY: "This console itself refused: the address, the scheme, the port, the origin or a redirect isn't allowed.",
    S.NETWORK: "There was no connection, or it broke: a wrong name, a server that is down, or a firewall on the way.",
    S.TIMEOUT: "The time ran out before the answer was whole.",
    S.TLS: "The certificate of the other side can't be trusted, or it doesn't speak TLS.",
    S.TOKEN_ENDPOINT_CONFIG: "The provider's token endpoint refuses to give a token: the grant, the client or what it asks for isn't registered so.",
    S.REAUTHORIZATION_REQUIRED: "Only a person can get the next token: nobody has connected yet, the consent was withdrawn, or the refresh token is dead.",
    S.WRONG_OR_MISSING_CREDENTIAL: "The API answered 401: it doesn't know who is asking.",
    S.INSUFFICIENT_PERMISSION: "The API knows who is asking, and says no: a scope, a role or an access right is missing.",
    S.PLACEMENT_OR_FORMAT_MISMATCH: "The credential may be right, but it is sent in another place or form than the API reads.",
    S.TOKEN_EXPIRY_OR_ROTATED_KEY: "It worked before and is refused now: the token has expired, or the key was replaced at the provider.",
    S.PROVIDER_RATE_LIMITED: "The provider asks us to send less (429).",
    S.PROVIDER_ERROR: "The provider failed: 5xx, or an answer that isn't what its protocol promises.",
    S.REQUEST_REFUSED: "The API refuses this request for a reason that has nothing certain to do with the credential.",
    S.UNEXPECTED_ANSWER: "The API answered with success, but not with a status that the test expects.",
    S.TOO_MANY_TESTS: "This tenant started more tests within a minute than the operator allows.",
    S.UNPROVEN: "The credential was accepted, and so was an invented one: the test says nothing about the credential.",
}
