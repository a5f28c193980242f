"""What goes into the save path of integrations and connections, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from authconfigs.methods.base import Change
from authconfigs.models import AuthConfig
from authconfigs.outgoing import Query
from authconfigs.saving import Secret
from integrations.models import Connection, Integration, IntegrationRevision


@dataclass(frozen=True)
class IntegrationDraft:
    """An integration as a form or a file wants it."""

    slug: str
    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Query = field(default_factory=dict)


@dataclass(frozen=True)
class SavedIntegration:
    """`fields` names what changed; `moved` are the connections that run the new head since."""

    integration: Integration
    created: bool
    fields: tuple[str, ...]
    moved: tuple[Connection, ...]


@dataclass(frozen=True)
class ConnectionDraft:
    """A connection as a form or a file wants it, whole.

    `revision` is the state of the integration that it is to run; None keeps the present one, or takes the head when it is
    new. `secrets` are those of the auth config, typed again because its credential is to go to another origin.
    """

    name: str
    base_url: str
    auth_config: AuthConfig | None
    timeout: int | None = None
    test_method: str = "GET"
    test_path: str = ""
    test_headers: Mapping[str, str] = field(default_factory=dict)
    test_body: str | None = field(default=None, repr=False)
    test_expect: tuple[int, ...] = ()
    negative_control: bool = True
    revision: IntegrationRevision | None = None
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class SavedConnection:
    """`fields` names what changed, none when nothing was written.

    `change` is what typing secrets again did to the auth config's token; `added_origins` are those that its credential may
    go to from now on.
    """

    connection: Connection
    created: bool
    fields: tuple[str, ...]
    change: Change
    notes: tuple[str, ...]
    added_origins: tuple[str, ...]
