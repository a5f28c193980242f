"""The queue of a fresh machine: Celery's files in a folder. Workers and senders treat a missing folder as a lost connection."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps

from config.environment import make_private


class Channel(filesystem.Channel):
    """kombu's own lets a reader take a message that isn't written to its end, which ends the worker."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        # The names that kombu reads in their order, and another one until all is written.
        final = Path(self.data_folder_out) / f"{time.monotonic() * 1000:.0f}_{uuid4()}.{queue}.msg"
        part = final.with_name(f".{final.name}.part")
        part.write_text(dumps(payload), encoding="utf-8")  # type: ignore[no-untyped-call]
        part.rename(final)

    def get_table(self, exchange: str) -> Any:
        """Which queues an exchange leads to: where the folder was away meanwhile, those that this process has declared."""
        with self._alone():
            stored = super().get_table(exchange)  # type: ignore[no-untyped-call]
        return stored or [
            filesystem.exchange_queue_t(known.routing_key, "", known.queue)
            for known in self.state.bindings
            if known.exchange == exchange
        ]

    def _queue_bind(self, *args: Any) -> None:
        """kombu's own lets a reader find the table that it is just making, still empty."""
        with self._alone():
            super()._queue_bind(*args)  # type: ignore[no-untyped-call]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        control = Path(self.control_folder)
        control.mkdir(exist_ok=True)
        with (control / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    """kombu's own ends the worker when its folder is away for a moment."""

    Channel = Channel
    connection_errors = (*filesystem.Transport.connection_errors, OSError)  # type: ignore[assignment]

    def establish_connection(self) -> Any:
        """Make the folder if it is missing. Raises OSError where that can't be done."""
        make_private(Path(cast("Any", self.client).transport_options["data_folder_in"]))
        return super().establish_connection()  # type: ignore[no-untyped-call]
