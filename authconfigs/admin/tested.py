"""What the last tests found, in words and colour, and whether they still count.

A test counts for what it tested alone: the connection as it was, and the credential of its config as it was. A config that
is renamed, described, handed over or switched keeps its result; a connection doesn't, whatever of it is changed. Nor does a
test that failed for want of a token, once there is one that was asked for later.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.apps import apps
from django.db.models import F, Prefetch, Q
from django.urls import reverse
from django.utils.text import capfirst

from authconfigs.admin.status import Status
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.symptoms import Stage, Symptom
from authconfigs.tokens.verdict import STOPPED
from tenants.badges import ago

# How many connections the sentence of a state names before it counts the rest.
_NAMED = 5

# What a list of connections reads for `tested` beside its rows, and leaves out of that.
OF_CONFIG = "auth_config__oauth_token"
SEALED = (f"{OF_CONFIG}__access_token", f"{OF_CONFIG}__refresh_token")

# Connections whose last test counts, and those that fail by it: the conditions of `Tested.counts`, for lists.
_HAD_NO_TOKEN = Q(last_test_ok=False, last_test_stage=Stage.TOKEN)
_HAS_ONE_NOW = Q(**{f"{OF_CONFIG}__obtained_at__gt": F("last_test_at")}) & ~Q(
    **{f"{OF_CONFIG}__state__in": STOPPED}
)
COUNTS = (
    Q(last_test_revision=F("revision_number"))
    & (
        Q(auth_config=None)
        | Q(last_test_config_revision__gte=F("auth_config__credential_revision"))
    )
    & ~(_HAD_NO_TOKEN & _HAS_ONE_NOW)
)
FAILS = Q(last_test_ok=False) & COUNTS


def in_words(symptom: str) -> str:
    """A symptom as people read it: wrong or missing credential."""
    return {Symptom.TLS: "TLS"}.get(symptom, symptom.replace("_", " "))  # type: ignore[call-overload, no-any-return]


def test_status(*, ok: bool | None, symptom: str) -> Status:
    """What a test found, whenever that was."""
    if ok is None:
        return Status("Not tested", "quiet")
    if ok:
        return Status("Passed", "good")
    if symptom == Symptom.UNPROVEN:
        return Status("Unproven", "warn", "A wrong credential is accepted, too.")
    return Status(capfirst(in_words(symptom)) or "Failed", "bad")


@dataclass(frozen=True)
class Tested:
    """How the last test of a connection, or of a config alone, ended; `at` is None where none was made.

    `counts`: what it tested is as it was then. `name` and `url` are the connection's.
    """

    ok: bool | None
    symptom: str
    at: datetime | None
    counts: bool
    name: str = ""
    url: str = ""

    @property
    def status(self) -> Status:
        """What it found; neither good nor bad once it doesn't count any more."""
        found = test_status(ok=self.ok, symptom=self.symptom)
        if self.counts or self.at is None:
            return found
        when = f"{ago(self.at)} ({self.at:%Y-%m-%d %H:%M} UTC)"
        told = f"{found.text} {when}, before the change. Test it again."
        return Status("Changed since its last test", "quiet", told)


def tested(connection: Any) -> Tested:
    """The last test of a connection that was read with its integration, config and token."""
    config, name = connection.auth_config, connection.integration.name
    return Tested(
        connection.last_test_ok,
        connection.last_test_symptom,
        connection.last_test_at,
        counts=connection.last_test_revision == connection.revision_number
        and (
            config is None
            or _counts_for(
                config,
                revision=connection.last_test_config_revision,
                ok=connection.last_test_ok,
                stage=connection.last_test_stage,
                at=connection.last_test_at,
            )
        ),
        name=name if connection.name == "default" else f"{name}: {connection.name}",
        url=reverse("admin:integrations_connection_change", args=[connection.id]),
    )


def with_tests() -> "tuple[Prefetch[Any], ...]":
    """What `last_tests` needs of configs, in two queries."""
    connections = apps.get_model("integrations", "Connection").objects
    tests = apps.get_model("integrations", "ConnectionTest").objects.filter(connection=None)
    columns = ("config_id", "started_at", "ok", "symptom", "stage", "config_revision")
    newest = tests.only(*columns).order_by("-started_at")[:1]
    return (
        Prefetch(
            "connections",
            queryset=connections.select_related("integration").order_by(
                "integration__name", "name"
            ),
        ),
        Prefetch("tests", queryset=newest, to_attr="tests_alone"),
    )


def last_tests(config: AuthConfig) -> list[Tested]:
    """The last test of each connection; without connections, that of the config alone."""
    read = cast("Any", config)
    if connections := read.connections.all():
        return [tested(connection) for connection in connections]
    return [
        Tested(
            test.ok,
            test.symptom,
            test.started_at,
            counts=_counts_for(
                config,
                revision=test.config_revision,
                ok=test.ok,
                stage=test.stage,
                at=test.started_at,
            ),
        )
        for test in read.tests_alone
    ]


def _counts_for(
    config: AuthConfig, *, revision: int, ok: bool | None, stage: str, at: datetime | None
) -> bool:
    """Whether the credential is as it was for a test, and no token came since that the test was in want of."""
    if revision < config.credential_revision:
        return False
    if ok is not False or stage != Stage.TOKEN or at is None:
        return True
    token: OAuthToken | None = getattr(config, "oauth_token", None)
    if token is None or token.obtained_at is None or token.state in STOPPED:
        return True
    return token.obtained_at <= at


def troubles(tests: Collection[Tested]) -> list[Tested]:
    """Those that fail, the newest first; where none does, those that prove nothing."""
    for tone in ("bad", "warn"):
        if found := [test for test in tests if test.status.tone == tone]:
            return _newest_first(found)
    return []


def summarized(tests: Collection[Tested]) -> Status:
    """One state for all of them: what fails comes first, in numbers where there are several; what doesn't count comes last."""
    if found := troubles(tests):
        worst = found[0].status
        if len(tests) == 1:
            return worst
        names = [f"{test.name}: {test.status.text}" for test in found[:_NAMED]]
        more = [f"{len(found) - _NAMED} more"] if len(found) > _NAMED else []
        word = "failing" if worst.tone == "bad" else "unproven"
        return Status(
            f"{len(found)} of {len(tests)} {word}", worst.tone, "; ".join([*names, *more])
        )
    if any(test.status.tone == "good" for test in tests):
        return Status("Working", "good")
    made = _newest_first(test for test in tests if test.at is not None)
    return made[0].status if made else Status("Not tested", "quiet")


def _newest_first(tests: Any) -> list[Tested]:
    return sorted(tests, key=lambda test: (test.at is not None, test.at), reverse=True)
