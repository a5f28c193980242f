"""Why an exchange with somebody else's server gave no answer.

    OutboundError
    ├── ConfigInvalid       stored or typed fields can't work        config
    ├── SecretUnreadable    no key opens it                          config
    ├── PolicyRefused       address, scheme, port or origin          policy
    ├── ConnectFailed       name, connect, reset; certificate        dns, connect, tls
    ├── TimedOut            the deadline passed                      the stage reached
    ├── BadAnswer           too big, broken encoding or protocol     api
    ├── NoMetadata          an answer that isn't usable metadata     api
    └── TokenFailed         any of these while obtaining a token     token

An error carries its verdict. None derives from OSError, and so none from RequestException: urllib3
would take it for a broken connection. Summaries hold no secret, no query string, no header value.
"""

from authconfigs.symptoms import Stage, Symptom


class OutboundError(Exception):
    """No answer.

    `summary` is one plain sentence; `permanent` says that asking again can't help until somebody
    edits something; `retry_after` is in seconds; `status` is that of an answer, where there was one.
    """

    def __init__(
        self,
        summary: str,
        *,
        symptom: Symptom,
        stage: Stage,
        permanent: bool,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.symptom = symptom
        self.stage = stage
        self.permanent = permanent
        self.retry_after = retry_after
        self.status = status
        # Whoever makes a call sets it: a new token had been obtained before this happened.
        self.token_refreshed = False


class ConfigInvalid(OutboundError):
    """Stored or typed fields can't work."""

    def __init__(self, summary: str) -> None:
        super().__init__(
            summary, symptom=Symptom.CONFIG_INVALID, stage=Stage.CONFIG, permanent=True
        )


class SecretUnreadable(OutboundError):
    """No key opens a stored secret, or it belongs to another row."""

    def __init__(self, summary: str) -> None:
        super().__init__(
            summary, symptom=Symptom.SECRET_UNREADABLE, stage=Stage.CONFIG, permanent=True
        )


class PolicyRefused(OutboundError):
    """We refuse: an address, scheme, port, origin, or (at stage config) something switched off."""

    def __init__(self, summary: str, *, stage: Stage = Stage.POLICY) -> None:
        super().__init__(summary, symptom=Symptom.BLOCKED_BY_POLICY, stage=stage, permanent=True)


class ConnectFailed(OutboundError):
    """The name isn't known, nobody answers, the connection broke, or TLS failed (stage tls)."""

    def __init__(self, summary: str, *, stage: Stage) -> None:
        symptom = Symptom.TLS if stage is Stage.TLS else Symptom.NETWORK
        super().__init__(summary, symptom=symptom, stage=stage, permanent=False)


class TimedOut(OutboundError):
    """The deadline passed at this stage."""

    def __init__(self, summary: str, *, stage: Stage) -> None:
        super().__init__(summary, symptom=Symptom.TIMEOUT, stage=stage, permanent=False)


class BadAnswer(OutboundError):
    """An answer that can't be read: too big, broken content encoding, not HTTP."""

    def __init__(self, summary: str, *, status: int | None = None) -> None:
        super().__init__(
            summary,
            symptom=Symptom.PROVIDER_ERROR,
            stage=Stage.API,
            permanent=False,
            status=status,
        )


class NoMetadata(OutboundError):
    """Discovery was answered, but not with metadata that may be used."""

    def __init__(
        self, summary: str, *, symptom: Symptom = Symptom.PROVIDER_ERROR, status: int
    ) -> None:
        super().__init__(summary, symptom=symptom, stage=Stage.API, permanent=True, status=status)


class TokenFailed(OutboundError):
    """No token. `error` is the OAuth error code (RFC 6749 §5.2), or empty.

    `is_nameless`: a refusal without such a code, which somebody else than the endpoint may have sent.
    `refresh_token` is one that the answer had all the same: it takes the place of the one that was used.
    """

    def __init__(
        self,
        summary: str,
        *,
        symptom: Symptom,
        permanent: bool,
        error: str = "",
        is_nameless: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(
            summary,
            symptom=symptom,
            stage=Stage.TOKEN,
            permanent=permanent,
            retry_after=retry_after,
            status=status,
        )
        self.error = error
        self.is_nameless = is_nameless
        self.refresh_token: str | None = None

    @classmethod
    def from_error(cls, error: OutboundError) -> "TokenFailed":
        """The same verdict, at the stage of everything that fails while a token is obtained."""
        return cls(
            error.summary,
            symptom=error.symptom,
            permanent=error.permanent,
            retry_after=error.retry_after,
            status=error.status,
        )
