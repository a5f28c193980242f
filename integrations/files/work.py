"""What the steps of applying a file hand to each other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from authconfigs import datakeys
from authconfigs.models import AuthConfig
from authconfigs.saving import KeyLookup
from integrations.files.outcome import Report
from integrations.files.shapes import Entry
from tenants.models import Environment, Tenant


@dataclass(frozen=True)
class Options:
    """How a file is to be applied; `folder` is where its `${file:PATH}` begin."""

    folder: Path
    dry_run: bool = False
    prune: bool = False
    keep_secrets: bool = False


@dataclass
class Work:
    """One tenant of the file while it is applied. Configs are by environment and name; data keys are looked up once."""

    entry: Entry
    tenant: Tenant
    environments: dict[str, Environment] = field(default_factory=dict)
    configs: dict[tuple[str, str], AuthConfig] = field(default_factory=dict)
    numbered_key: KeyLookup = field(default_factory=lambda: cache(datakeys.numbered))


def unique(entries: Iterable[Entry], keys: tuple[str, ...], report: Report) -> list[Entry]:
    """The entries; those whose keys stand in the file twice are refused."""
    seen: set[tuple[Any, ...]] = set()
    found = []
    for entry in entries:
        name = tuple(entry.given.get(key) for key in keys)
        if name in seen:
            report.refuse(entry.at(keys[-1]), "This is in the file twice. Leave one of them out.")
        else:
            seen.add(name)
            found.append(entry)
    return found
