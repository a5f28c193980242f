"""What applying a file did: changes by the names of fields, never a value."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from authconfigs.saving import InvalidDraft
from integrations.files.problems import BadFile, Problem

_SIGNS = {"create": "+", "update": "~", "delete": "-"}


@dataclass(frozen=True)
class Applied:
    """One change. `environment` is None where the thing has none."""

    action: str
    kind: str
    name: str
    environment: str | None
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f" ({self.environment})" if self.environment else ""
        fields = f": {', '.join(self.fields)}" if self.fields else ""
        return f"{_SIGNS[self.action]} {self.kind.replace('_', ' ')} {self.name}{place}{fields}"

    def as_document(self) -> dict[str, Any]:
        """The change as in `--json`."""
        return {**asdict(self), "fields": list(self.fields)}


@dataclass
class Report:
    """Collects what is done and what is wrong while a file is applied."""

    changes: list[Applied] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def created_or_updated(
        self,
        created: bool,
        kind: str,
        name: str,
        *,
        fields: Iterable[str],
        environment: str | None = None,
    ) -> None:
        """Note a saved thing; nothing where no field changed."""
        if names := tuple(fields):
            action = "create" if created else "update"
            self.changes.append(Applied(action, kind, name, environment, names))

    def widened(
        self, config: str, origins: Iterable[str], *, purpose: str, environment: str
    ) -> None:
        """Note that a config's credential may go to more origins from now on."""
        for origin in origins:
            self.changes.append(
                Applied("create", "origin", config, environment, (f"{purpose} {origin}",))
            )

    def deleted(self, kind: str, name: str, *, environment: str | None = None) -> None:
        self.changes.append(Applied("delete", kind, name, environment))

    def note(self, path: str, notes: Iterable[str]) -> None:
        """Say something about what was typed."""
        self.notes += [f"{path}: {note}" for note in notes]

    def refuse(self, path: str, message: str) -> None:
        """Note what is wrong; the others are still judged."""
        self.problems.append(Problem(path, " ".join(message.split())))

    def refuse_draft(self, error: InvalidDraft, place: Callable[[str], str]) -> None:
        """Note every field that the save path refuses; `place` gives a field's path."""
        for name, messages in error.errors.items():
            self.refuse(place(name), " ".join(messages))

    def stop_if_refused(self) -> None:
        """Raises BadFile when anything is wrong so far."""
        if self.problems:
            raise BadFile(self.problems)
