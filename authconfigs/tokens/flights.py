"""Single flight inside one process: threads that want the same thing at the same time share one run of the work."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar

from authconfigs.errors import OutboundError

_Result = TypeVar("_Result")


class Flights(Generic[_Result]):
    """What is under way in this process, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, Future[_Result]] = {}

    def running(self, key: Hashable) -> bool:
        """Whether a thread is at work for this key."""
        return key in self._running

    def share(
        self, key: Hashable, work: Callable[[], _Result], *, timeout: float
    ) -> tuple[_Result, bool]:
        """The result of the key's running work, or of doing it here; and whether it was done here.

        Raises what the work raised, and TimeoutError when another thread's work takes longer than `timeout` seconds. Only
        a verdict is shared: when the other thread was interrupted or crashed, the work is done here.
        """
        while True:
            with self._lock:
                shared = self._running.get(key)
                if shared is None:
                    mine = self._running[key] = Future()
                    break
            try:
                return shared.result(timeout), False
            except CancelledError:
                continue
        try:
            result = work()
        except OutboundError as error:
            self._land(key)
            mine.set_exception(error)
            raise
        except BaseException:
            self._land(key)
            mine.cancel()
            raise
        self._land(key)
        mine.set_result(result)
        return result, True

    def _land(self, key: Hashable) -> None:
        # Before the result is told: who asks from now on starts anew.
        with self._lock:
            del self._running[key]
