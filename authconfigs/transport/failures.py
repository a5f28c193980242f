"""What an exception of the system or of a library means. Their texts may quote URLs and headers, so none is passed on."""

import http.client
import socket
import ssl

from urllib3.exceptions import InvalidHeader

from authconfigs.errors import BadAnswer, ConnectFailed, OutboundError, TimedOut
from authconfigs.symptoms import Stage
from authconfigs.transport.exchange import Exchange

_WAITING_FOR = {
    Stage.DNS: "looking up {host}",
    Stage.CONNECT: "connecting to {host}",
    Stage.TLS: "agreeing on TLS with {host}",
}


def failure_of(error: Exception, exchange: Exchange) -> OutboundError:
    """The verdict on an exchange that ended like this, at the stage that it had reached."""
    if isinstance(error, OutboundError):
        return error
    host, stage = exchange.target.host, exchange.stage
    if isinstance(error, TimeoutError):
        doing = _WAITING_FOR.get(stage, "waiting for the answer of {host}").format(host=host)
        return TimedOut(f"The time was up while {doing}.", stage=stage)
    if isinstance(error, ssl.SSLError) and stage is not Stage.CONNECT:
        return ConnectFailed(_about_tls(error, host), stage=Stage.TLS)
    if isinstance(error, socket.gaierror):
        return ConnectFailed(_about_name(error, host), stage=stage)
    unreadable = isinstance(error, (http.client.HTTPException, InvalidHeader, ValueError))
    if unreadable and not isinstance(error, OSError):
        return _about_answer(error, host)
    return ConnectFailed(_about_connection(error, exchange), stage=stage)


def _about_name(error: socket.gaierror, host: str) -> str:
    if error.errno == socket.EAI_AGAIN:
        return f"The name {host} can't be looked up at the moment: the name server doesn't answer."
    return f"The name {host} isn't known."


def _about_tls(error: ssl.SSLError, host: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {host} isn't trusted: {error.verify_message.rstrip('.')}."
    reason = (error.reason or "").replace("_", " ").lower()
    if reason in {"wrong version number", "record layer failure", "http request"}:
        return f"{host} doesn't speak TLS on this port."
    return f"TLS with {host} failed: {reason}." if reason else f"TLS with {host} failed."


def _about_answer(error: Exception, host: str) -> BadAnswer:
    if isinstance(error, http.client.IncompleteRead):
        return BadAnswer("The answer broke off: less of it came than was announced.")
    return BadAnswer(f"What {host} answered isn't HTTP.")


def _about_connection(error: Exception, exchange: Exchange) -> str:
    host, port, stage = exchange.target.host, exchange.target.port, exchange.stage
    if stage is Stage.TLS:
        return f"{host} closed the connection while agreeing on TLS."
    if stage is Stage.API:
        return f"{host} closed the connection without a complete answer."
    if isinstance(error, ConnectionRefusedError):
        return f"{host} refuses connections on port {port}."
    return f"{host} can't be reached on port {port}."
