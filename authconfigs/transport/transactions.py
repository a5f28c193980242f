"""Nobody holds on to the database while another server takes its time."""

from threading import current_thread, main_thread

from django.db import connections
from django.db.transaction import TransactionManagementError


def leave_database() -> None:
    """For the time of a request to another server: no transaction is open, and a pooled connection is given back.

    A pool has fewer connections than the process has threads; the main thread of a process keeps its own. Raises
    TransactionManagementError.
    """
    refuse_open_transaction()
    if current_thread() is main_thread():
        return
    for connection in connections.all(initialized_only=True):
        pooled = connection.settings_dict["OPTIONS"].get("pool")
        if pooled and not connection.in_atomic_block:
            connection.close()


def refuse_open_transaction() -> None:
    """Raise TransactionManagementError if this thread has a transaction open on any database.

    A slow API would hold its locks. A test case's own transaction doesn't count; one that the tested code opened does.
    """
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            is_open = not all(
                getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
            )
        else:
            is_open = connection.connection is not None and not connection.autocommit
        if is_open:
            raise TransactionManagementError(
                "A request to another server must not wait inside of a database transaction"
                f" ({connection.alias})."
            )
