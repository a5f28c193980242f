"""The words of a verdict: what went wrong, and how far the exchange had come."""

from enum import StrEnum


class Symptom(StrEnum):
    """What went wrong. The values stand in JSON documents, pages and the database."""

    CONFIG_INVALID = "config_invalid"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a verdict, not a secret
    BLOCKED_BY_POLICY = "blocked_by_policy"
    NETWORK = "network"
    TIMEOUT = "timeout"
    TLS = "tls"
    TOKEN_ENDPOINT_CONFIG = "token_endpoint_config"  # noqa: S105 - a verdict, not a secret
    REAUTHORIZATION_REQUIRED = "reauthorization_required"
    WRONG_OR_MISSING_CREDENTIAL = "wrong_or_missing_credential"
    INSUFFICIENT_PERMISSION = "insufficient_permission"
    PLACEMENT_OR_FORMAT_MISMATCH = "placement_or_format_mismatch"
    TOKEN_EXPIRY_OR_ROTATED_KEY = "token_expiry_or_rotated_key"  # noqa: S105 - a verdict
    PROVIDER_RATE_LIMITED = "provider_rate_limited"
    PROVIDER_ERROR = "provider_error"
    REQUEST_REFUSED = "request_refused"
    UNEXPECTED_ANSWER = "unexpected_answer"
    TOO_MANY_TESTS = "too_many_tests"
    UNPROVEN = "unproven"


class Stage(StrEnum):
    """How far an exchange came, in order; the first stage that fails gives its name."""

    CONFIG = "config"
    POLICY = "policy"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TOKEN = "token"  # noqa: S105 - a stage, not a secret
    API = "api"
