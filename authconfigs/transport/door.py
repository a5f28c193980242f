"""The one door to the network.

With a proxy (OUTBOUND_PROXY) the proxy does the connecting and everything goes through it; the target is looked up and judged
here all the same. For https:// it is asked to CONNECT to the name, because proxies allow by name; a name that means another
address to the proxy fails at the certificate. http:// has no certificate, so the proxy gets the address that was judged.
"""

import copy
import http.client
import ssl
import time

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from authconfigs.errors import BadAnswer, OutboundError
from authconfigs.outgoing import OutgoingRequest
from authconfigs.transport.answers import response_of
from authconfigs.transport.bodies import read_body
from authconfigs.transport.connections import CheckedConnection
from authconfigs.transport.deadline import Deadline
from authconfigs.transport.exchange import Exchange
from authconfigs.transport.failures import failure_of
from authconfigs.transport.guard import guarded
from authconfigs.transport.policy import NetworkPolicy, check_url
from authconfigs.transport.pools import CheckedPool, Pools, proxy_credential
from authconfigs.transport.resolving import literal
from authconfigs.transport.trace import Trace
from authconfigs.transport.transactions import leave_database
from authconfigs.transport.wire import WireRequest, wire_request

# ValueError: http.client and urllib3 read some numbers of an answer without looking first.
_FAILURES = (OutboundError, OSError, http.client.HTTPException, HTTPError, ValueError)


class Door:
    """Sends requests within the policy, and keeps connections for the next ones. Threads may share it; so may forks."""

    def __init__(
        self, policy: NetworkPolicy, *, ca_bundle: str | None = None, proxy: str | None = None
    ) -> None:
        self._policy = policy
        self._pools = Pools(ca_bundle=ca_bundle, proxy=proxy)
        self._proxy = proxy
        self._protected = False

    def for_environment(self, *, protected: bool) -> "Door":
        """The same door, its connections too, for the requests of an environment."""
        door = copy.copy(self)
        door._protected = protected
        return door

    def check(self, url: str, *, protected: bool = False, credential: bool = False) -> None:
        """What `send` would refuse before it looks the name up.

        Raises PolicyRefused, or ConfigInvalid for what isn't a URL.
        """
        protected = protected or self._protected
        rights = {"protected": protected, "credential": credential}
        target = check_url(url, policy=self._policy, **rights)
        if found := literal(target.host, target.port):
            self._policy.judge(target, [endpoint.address for endpoint in found], **rights)

    def find(self, url: str, *, deadline: Deadline) -> None:
        """Look up and judge, without a connection. Raises what `open` would raise until then."""
        leave_database()
        exchange = self._begin(
            url, deadline=deadline, trace=None, protected=False, credential=False
        )
        try:
            exchange.find()
        except _FAILURES as error:
            raise _told(error, exchange) from None

    def open(
        self,
        url: str,
        *,
        deadline: Deadline,
        trace: Trace | None = None,
        protected: bool = False,
        credential: bool = False,
    ) -> None:
        """Look up, judge, connect and do TLS now; the next request to this origin finds the connection open.

        Raises OutboundError, and TransactionManagementError inside of a database transaction.
        """
        leave_database()
        exchange = self._begin(
            url, deadline=deadline, trace=trace, protected=protected, credential=credential
        )
        try:
            with self._pool(exchange).lent(exchange):
                pass
        except _FAILURES as error:
            raise _told(error, exchange) from None

    def send(
        self,
        request: OutgoingRequest,
        *,
        deadline: Deadline,
        max_bytes: int,
        trace: Trace | None = None,
        protected: bool = False,
        truncate: bool = False,
    ) -> requests.Response:
        """The answer, whatever its status: a redirect too is an answer and never followed.

        Its body is read and decoded; one of more than `max_bytes` is an error, or cut there with `truncate`. The response's
        `url` and `request` show dots for credentials. Raises OutboundError, and TransactionManagementError inside of a
        database transaction: nothing is sent then.
        """
        leave_database()
        credential = bool(request.credential_headers or request.credential_params)
        exchange = self._begin(
            request.url, deadline=deadline, trace=trace, protected=protected, credential=credential
        )
        wire = wire_request(
            request.method, exchange.target, headers=request.headers, body=request.body
        )
        shown = request.masked() if credential else request
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.body = shown.method, shown.url, shown.body
        prepared.headers = CaseInsensitiveDict(shown.headers)
        return self._perform(
            exchange, wire, prepared=prepared, max_bytes=max_bytes, truncate=truncate
        )

    def guard(
        self,
        session: requests.Session,
        *,
        deadline: Deadline,
        max_bytes: int,
        protected: bool = False,
    ) -> requests.Session:
        """Make all requests of a session go through here. What it sends counts as credential.

        Redirects, cookies, proxies and everything from the environment are off, whatever the session's methods are told.
        Its requests raise what `send` raises.
        """

        def send(
            prepared: requests.PreparedRequest,
            headers: tuple[tuple[str, str | bytes], ...],
            body: bytes | None,
        ) -> requests.Response:
            leave_database()
            exchange = self._begin(
                prepared.url or "",
                deadline=deadline,
                trace=None,
                protected=protected,
                credential=True,
            )
            wire = wire_request(prepared.method or "", exchange.target, headers=headers, body=body)
            return self._perform(
                exchange, wire, prepared=prepared, max_bytes=max_bytes, truncate=False
            )

        return guarded(session, send)

    def close(self) -> None:
        """Let go of the connections that wait for a next request."""
        self._pools.clear()

    def _begin(
        self,
        url: str,
        *,
        deadline: Deadline,
        trace: Trace | None,
        protected: bool,
        credential: bool,
    ) -> Exchange:
        protected = protected or self._protected
        return Exchange(
            check_url(url, protected=protected, credential=credential, policy=self._policy),
            policy=self._policy,
            deadline=deadline,
            protected=protected,
            credential=credential,
            trace=trace,
        )

    def _pool(self, exchange: Exchange) -> CheckedPool:
        if self._proxy and exchange.target.scheme == "http":
            # These connections lead to the proxy and were opened for whichever target came first.
            exchange.find()
        return self._pools.holding(exchange.target)

    def _perform(
        self,
        exchange: Exchange,
        wire: WireRequest,
        *,
        prepared: requests.PreparedRequest,
        max_bytes: int,
        truncate: bool,
    ) -> requests.Response:
        started = time.perf_counter()
        try:
            pool = self._pool(exchange)
            with pool.lent(exchange) as connection:
                answer = self._ask(connection, wire, pool=pool)
                try:
                    body = read_body(answer, max_bytes=max_bytes, truncate=truncate)
                finally:
                    if not answer.isclosed():
                        # What is left unread would be taken for the next answer.
                        answer.close()
                        connection.close()
                seconds = time.perf_counter() - started
                # In here, because one that can't be made of it leaves no connection to use again.
                return response_of(answer, body, request=prepared, seconds=seconds)
        except _FAILURES as error:
            raise _told(error, exchange) from None

    def _ask(
        self, connection: CheckedConnection, wire: WireRequest, *, pool: CheckedPool
    ) -> http.client.HTTPResponse:
        target = wire.target.path
        if self._proxy and wire.target.scheme == "http":
            target = f"http://{connection.exchange.endpoints[0]}{target}"
            wire = wire.with_headers(proxy_credential(self._proxy))
        socket = connection.wire
        try:
            answer = connection.ask(wire, target=target)
        except (ConnectionError, ssl.SSLError):
            if connection.is_fresh or not wire.is_safe or socket.heard:
                raise
            # The server had closed a resting connection, and we learned it too late.
            connection.close()
            pool.open(connection)
            answer = connection.ask(wire, target=target)
        if answer.status < 200:
            answer.close()
            raise BadAnswer("The answer is only an interim one.", status=answer.status)
        return answer


def _told(error: Exception, exchange: Exchange) -> OutboundError:
    failure = failure_of(error, exchange)
    exchange.failed(failure)
    return failure
