import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from urllib3 import PoolManager, ProxyManager
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import make_headers

from authconfigs.transport.connections import CheckedConnection, CheckedTLSConnection
from authconfigs.transport.exchange import Exchange
from authconfigs.transport.target import Target
from authconfigs.transport.tls import tls_context

# More than one process has threads that call one API; urllib3 throws surplus connections away.
_CONNECTIONS_KEPT = 128
_ORIGINS_KEPT = 256


class CheckedPool(HTTPConnectionPool):
    """The connections to one origin, or to the proxy."""

    ConnectionCls = CheckedConnection

    @contextmanager
    def lent(self, exchange: Exchange) -> Iterator[CheckedConnection]:
        """An open connection for one exchange; one that the block fails with is closed.

        Raises what opening a connection raises.
        """
        connection = self._get_conn()
        assert isinstance(connection, CheckedConnection)  # noqa: S101 - we made it
        connection.exchange = exchange
        try:
            connection.is_fresh = connection.is_closed
            if connection.is_fresh:
                self.open(connection)
            else:
                connection.resume()
            yield connection
        except BaseException:
            connection.close()
            raise
        finally:
            del connection.exchange
            connection.resting_since = time.monotonic()
            self._put_conn(connection)

    def open(self, connection: CheckedConnection) -> None:
        """Open a closed connection, through the proxy if there is one."""
        if self.proxy is not None and connection.exchange.target.scheme == "https":
            self._prepare_proxy(connection)
        else:
            connection.connect()


class CheckedTLSPool(CheckedPool, HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = CheckedTLSConnection


class Pools:
    """All pools of one door. A process that was forked begins with none: two must not talk on one connection."""

    def __init__(self, *, ca_bundle: str | None, proxy: str | None) -> None:
        self._ca_bundle = ca_bundle
        self._proxy = proxy
        self.clear()

    def holding(self, target: Target) -> CheckedPool:
        """The pool with the connections to a target."""
        if self._process != os.getpid():
            self.clear()
        pool = self._manager.connection_from_host(
            target.host, port=target.port, scheme=target.scheme
        )
        assert isinstance(pool, CheckedPool)  # noqa: S101 - see _pool_manager
        return pool

    def clear(self) -> None:
        """Let go of every connection."""
        self._process = os.getpid()
        self._manager = _pool_manager(ca_bundle=self._ca_bundle, proxy=self._proxy)


def _pool_manager(*, ca_bundle: str | None, proxy: str | None) -> PoolManager:
    options: dict[str, Any] = {
        "num_pools": _ORIGINS_KEPT,
        "maxsize": _CONNECTIONS_KEPT,
        "ssl_context": tls_context(ca_bundle),
    }
    manager: PoolManager
    if proxy:
        # CONNECT takes its headers as text.
        headers = {name: value.decode("ascii") for name, value in proxy_credential(proxy)}
        manager = ProxyManager(
            proxy, proxy_headers=headers, proxy_ssl_context=tls_context(ca_bundle), **options
        )
    else:
        manager = PoolManager(**options)
    manager.pool_classes_by_scheme = {"http": CheckedPool, "https": CheckedTLSPool}
    return manager


def proxy_credential(proxy: str) -> tuple[tuple[str, bytes], ...]:
    """The Proxy-Authorization header for the user name and password in the proxy's URL, if any."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return ()
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    encoded = make_headers(proxy_basic_auth=pair, proxy_basic_auth_encoding="utf-8")[
        "proxy-authorization"
    ]
    return (("Proxy-Authorization", encoded.encode("ascii")),)
