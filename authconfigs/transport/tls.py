"""Whom we trust: the public roots of certifi and the operator's own, and nothing from the environment."""

import ssl
from datetime import UTC, datetime
from functools import lru_cache

import certifi

from authconfigs.transport.sockets import BoundedTLSSocket


@lru_cache(maxsize=8)
def tls_context(ca_bundle: str | None = None) -> ssl.SSLContext:
    """Verification of certificate and name, TLS 1.2 or newer.

    Not `ssl.create_default_context()`, which heeds SSL_CERT_FILE and SSLKEYLOGFILE. Reading the roots takes longer than a
    call, so contexts are shared. Raises OSError or ssl.SSLError if the bundle can't be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A bundle may hold an intermediate or a server's own certificate, as it may for curl.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.sslsocket_class = BoundedTLSSocket
    context.load_verify_locations(certifi.where())
    if ca_bundle:
        context.load_verify_locations(ca_bundle)
    return context


def described(socket: object) -> str:
    """The version and how long the certificate is valid, for a step of a test."""
    if not isinstance(socket, ssl.SSLSocket):
        return "certificate valid"
    certificate = socket.getpeercert() or {}
    until = certificate.get("notAfter")
    if not isinstance(until, str):
        return f"{socket.version()}, certificate valid"
    day = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC).date()
    return f"{socket.version()}, certificate valid until {day.isoformat()}"
