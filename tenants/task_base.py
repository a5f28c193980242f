from typing import Any

from celery import Task

from tenants.actor import Actor, acting_as
from tenants.scope import is_scope_open

# Who reads "by the schedule" knows what a name of our tasks wouldn't tell.
SCHEDULE = Actor(user_id=None, name="the schedule", address=None, via="system")


class ScopeLeftOver(RuntimeError):
    """A task was about to run in the scope of something else."""


class ConsoleTask(Task):  # type: ignore[misc]
    """A task of the console. It begins without a scope and opens one per item of its work, as the schedule."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it. Raises ScopeLeftOver."""
        if is_scope_open():
            raise ScopeLeftOver(f"{self.name} needs a thread of its own: a scope is open here.")
        with acting_as(SCHEDULE):
            return super().__call__(*args, **kwargs)
