"""What the tenancy's own rules refuse; every message is a sentence for whoever asked."""

from collections.abc import Iterable


class StaffRefused(Exception):
    """A change of staff that the rules don't allow; the message says why."""


class InUse(Exception):
    """What others use can't be deleted; `users` says what uses it."""

    def __init__(self, what: str, *, users: Iterable[str]) -> None:
        self.users = list(users)
        super().__init__(
            f"{what} is still used by {', '.join(self.users)}. Detach or delete that first."
        )
