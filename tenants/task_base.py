from typing import Any

from celery import Task

from tenants.actor import Actor, acting_as
from tenants.scope import is_scope_open


class ScopeLeftOver(RuntimeError):
    """A task was about to run in the scope of something else."""


class ConsoleTask(Task):  # type: ignore[misc]
    """A task of the console. It begins without a scope and opens one per item of its work, as the system and by its name."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it. Raises ScopeLeftOver."""
        if is_scope_open():
            raise ScopeLeftOver(f"{self.name} needs a thread of its own: a scope is open here.")
        name = self.name.rpartition(".")[2].replace("_", " ")
        with acting_as(Actor(user_id=None, name=name, address=None, via="system")):
            return super().__call__(*args, **kwargs)
