"""Values that cost something to read, kept per key for exactly one version."""

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class VersionedCache(Generic[_Value]):
    """The newest version of each key's value, in bounded memory; safe between threads.

    A key holds one version only, so that an outdated secret doesn't stay around.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: dict[Hashable, tuple[Hashable, _Value]] = {}

    def get(self, key: Hashable, version: Hashable) -> _Value | None:
        """The value of exactly this version, or None."""
        found = self._values.get(key)
        return found[1] if found is not None and found[0] == version else None

    def put(self, key: Hashable, version: Hashable, *, value: _Value) -> None:
        """Keep a value in the place of the key's older ones; the key that came first makes room."""
        with self._lock:
            self._values[key] = (version, value)
            if len(self._values) > self._size:
                del self._values[next(iter(self._values))]
