import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment that a whole exchange has to be over by, however slowly its parts drip in."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, 0 once it has passed."""
        return max(0.0, self.at - time.monotonic())

    @property
    def expired(self) -> bool:
        return self.remaining() <= 0

    def hold(self) -> float:
        """Seconds left, for an operation that is about to begin.

        Raises TimeoutError when there are none: a socket would take 0 for "don't wait at all".
        """
        left = self.remaining()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left
