"""What goes into the save path, what comes out of it, and why it refuses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from authconfigs.methods.base import Change
from authconfigs.models import AuthConfig
from tenants.models import User

# A secret is text, or a mapping of names to text or lists of it; None there keeps what is stored under the name.
Secret = str | Mapping[str, str | list[str] | None]


@dataclass(frozen=True)
class ConfigDraft:
    """An auth config as a form or a file wants it: whole, but for the secrets.

    `options` and `secrets` are as typed; a stored secret that isn't typed is kept, one named in `cleared` is dropped.
    """

    name: str
    method: str
    options: Mapping[str, object]
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    cleared: frozenset[str] = frozenset()
    description: str = ""
    owner: User | None = None
    rotate_by: date | None = None
    disabled: bool = False

    @property
    def owner_id(self) -> UUID | None:
        return self.owner.id if self.owner is not None else None


@dataclass(frozen=True)
class SavedConfig:
    """`fields` are the names of what changed, none when nothing was written; `change` is what it did to a stored token.

    `notes` are for whoever typed it. `added_origins` are those that the secrets may go to from now on.
    """

    config: AuthConfig
    created: bool
    fields: tuple[str, ...]
    change: Change
    notes: tuple[str, ...]
    added_origins: tuple[str, ...]


class InvalidDraft(Exception):
    """What was typed can't be saved. `errors` leads from a field's name to what is wrong with it, never to its value."""

    def __init__(self, errors: Mapping[str, Iterable[str]]) -> None:
        self.errors = {name: list(messages) for name, messages in errors.items()}
        super().__init__(
            "; ".join(f"{name}: {' '.join(messages)}" for name, messages in self.errors.items())
        )


class EditConflict(Exception):
    """Somebody else was faster; the message says who, and what to do."""
