"""A tenant that has been at work for a while, of any size: what its pages show is the same, however much more there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.utils import timezone

from authconfigs import datakeys, methods
from authconfigs.fields import SealedField, Stored
from authconfigs.models import AllowedOrigin, AuthConfig, Credential, OAuthToken, TokenEvent
from authconfigs.symptoms import Stage, Symptom
from integrations.models import (
    BulkTest,
    BulkTestItem,
    Connection,
    ConnectionTest,
    Integration,
    IntegrationRevision,
    UsageCount,
)
from tenants.models import AuditEvent, Environment, Membership, Tenant, User
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.factories import make_environment, make_member, make_tenant

# The environments, of which the last is protected, and the people: tenants of any size have as many.
ENVIRONMENTS = ("sandbox", "staging", "production")
PEOPLE = 60
# What each config and connection has behind it.
HOURS, CHANGES, EVENTS = 12, 10, 5
# Of the objects whose pages are opened: their history fills a page, and so does a bulk test.
HISTORY, TESTED_TOGETHER = 120, 200
_METHODS = ("bearer", "oauth2_client_credentials", "api_key", "oauth2_authorization_code", "basic")
_OPTIONS: dict[str, dict[str, Any]] = {
    "bearer": {},
    "api_key": {"key": "X-API-Key"},
    "basic": {"username": "robin"},
    "oauth2_client_credentials": {"token_url": "https://login.example.com/token", "scope": "read"},
    "oauth2_authorization_code": {
        "token_url": "https://login.example.com/token",
        "authorization_url": "https://login.example.com/authorize",
        "scope": "read write",
    },
}
_SHOWN = _METHODS.index("oauth2_authorization_code")
_STATES = ("valid", "valid", "retrying", "reauthorization_required", "stopped", "empty")


@dataclass(frozen=True)
class FullTenant:
    """`shown` are the rows, by model, whose pages are opened."""

    tenant: Tenant
    admin: User
    shown: dict[Any, Any]


def fill(slug: str, *, rows: int, tests: int) -> FullTenant:
    """A tenant with so many configs and connections, half as many integrations and so many test rows, 100 or more of each."""
    tenant = make_tenant(slug)
    admin = make_member(tenant)
    environments = [
        make_environment(tenant, name, protected=name == ENVIRONMENTS[-1]) for name in ENVIRONMENTS
    ]
    with tenant_scope(tenant.id):
        people = _people(tenant)
        configs = _configs(environments, people, rows)
        tokens = _tokens(configs)
        integrations = _integrations(rows // 2)
        connections = _connections(integrations, configs)
        # Of a config that has a token by consent.
        shown, opened = connections[_SHOWN], configs[_SHOWN]
        _use(connections)
        _audit(tenant, configs, connections, shown)
        _events(tokens, opened)
        last = _tests(connections, shown, tests)
        bulk = _bulk_tests(connections, rows // 2)
    member = people[0]
    return FullTenant(
        tenant,
        admin,
        {
            AuthConfig: opened,
            Connection: shown,
            Integration: shown.integration,
            ConnectionTest: last,
            BulkTest: bulk,
            Membership: member,
            Environment: environments[1],
        },
    )


def _people(tenant: Tenant) -> list[Membership]:
    users = User.objects.bulk_create(
        User(username=f"p{number:03}@{tenant.slug}", home_tenant=tenant) for number in range(PEOPLE)
    )
    return Membership.objects.bulk_create(Membership(user=each, role=Role.VIEWER) for each in users)


def _configs(
    environments: Sequence[Environment], people: Sequence[Membership], rows: int
) -> list[AuthConfig]:
    now = timezone.now()
    configs = AuthConfig.objects.bulk_create(
        AuthConfig(
            environment=environments[number % len(environments)],
            name=f"config-{number:04}",
            method=_METHODS[number % len(_METHODS)],
            owner=people[number % len(people)].user,
            hosts=f"api-{number}.example.com",
            client_id=f"client-{number}",
            rotate_by=(now - timedelta(days=1)).date() if number % 13 == 0 else None,
            created_at=now - timedelta(days=90),
            last_used_at=None if number % 10 == 0 else now - timedelta(minutes=number),
        )
        for number in range(rows)
    )
    state = {"set_at": (now - timedelta(days=20)).isoformat(), "by": "", "by_name": "robin"}
    key = datakeys.current(environments[0].tenant_id)
    column: Any = Credential._meta.get_field("secrets")
    Credential.objects.bulk_create(
        Credential(
            config=config,
            options={**_OPTIONS[config.method], **_client(config)},
            secrets=_sealed(key, column, config, {_secret(config): "planted"}),
            secret_state={_secret(config): {**state, "fingerprint": ""}},
        )
        for config in configs
    )
    AllowedOrigin.objects.bulk_create(
        AllowedOrigin(
            config=config,
            purpose=AllowedOrigin.Purpose.API,
            origin=f"https://{config.hosts}",
            added_by="robin",
        )
        for config in configs
    )
    return configs


def _client(config: AuthConfig) -> dict[str, str]:
    return {"client_id": config.client_id} if config.method.startswith("oauth2") else {}


def _secret(config: AuthConfig) -> str:
    return next(iter(methods.stored(config.method).secret_names))


def _sealed(key: datakeys.DataKey, column: SealedField, config: AuthConfig, value: Any) -> Stored:
    place = column.place(tenant_id=config.tenant_id, row_id=config.id)
    return Stored(key.seal(value, place), place)


def _tokens(configs: Sequence[AuthConfig]) -> list[OAuthToken]:
    now = timezone.now()
    with_token = [config for config in configs if config.method.startswith("oauth2")]
    key = datakeys.current(configs[0].tenant_id)
    column: Any = OAuthToken._meta.get_field("access_token")
    return OAuthToken.objects.bulk_create(
        OAuthToken(
            config=config,
            state=_STATES[number % len(_STATES)],
            generation=3,
            access_token=_sealed(key, column, config, "planted"),
            granted_scope="read" if number % 4 == 0 else "",
            obtained_at=now - timedelta(days=1),
            expires_at=now + timedelta(hours=1 + number % 9),
            refresh_after=now + timedelta(minutes=number),
        )
        for number, config in enumerate(with_token)
    )


def _integrations(number: int) -> list[Integration]:
    found = Integration.objects.bulk_create(
        Integration(slug=f"integration-{each:04}", name=f"Integration {each:04}")
        for each in range(number)
    )
    heads = IntegrationRevision.objects.bulk_create(
        IntegrationRevision(integration=each, number=1, content_hash="0", created_by="robin")
        for each in found
    )
    for each, head in zip(found, heads, strict=True):
        each.head = head
    Integration.objects.bulk_update(found, ["head"], batch_size=200)
    return found


def _connections(
    integrations: Sequence[Integration], configs: Sequence[AuthConfig]
) -> list[Connection]:
    """One for each config, of which every sixth fails, and some were never tested."""
    return Connection.objects.bulk_create(
        Connection(
            integration=integrations[number // 2],
            environment=config.environment,
            name="default",
            base_url=f"https://{config.hosts}/v1",
            host=config.hosts,
            auth_config=config,
            revision=integrations[number // 2].head,
            last_used_at=config.last_used_at,
            **_result(number),
        )
        for number, config in enumerate(configs)
    )


def _result(number: int) -> dict[str, Any]:
    """What the last test of a connection left behind."""
    if number % 11 == 5:
        return {}
    now = timezone.now()
    seen = {
        "last_test_at": now - timedelta(minutes=5, seconds=number),
        "last_test_revision": 1,
        "last_test_config_revision": 1,
        "last_test_stage": Stage.API,
        "last_success_at": now - timedelta(days=2),
    }
    if number % 6 == 3:
        refused = Symptom.WRONG_OR_MISSING_CREDENTIAL
        failing = {"failing_since": now - timedelta(hours=30, seconds=number)}
        return {**seen, **failing, "last_test_ok": False, "last_test_symptom": refused}
    return {**seen, "last_test_ok": True, "control_result": "refused"}


def _use(connections: Sequence[Connection]) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)

    def counts() -> Iterator[UsageCount]:
        for connection in connections:
            for back in range(HOURS):
                # The last day, and the weeks before it.
                at = hour - timedelta(hours=back * 3 if back % 2 else back * 40)
                yield UsageCount(
                    connection_id=connection.id,
                    config_id=connection.auth_config_id or UsageCount.NOTHING,
                    slot="current",
                    hour=at,
                    kind=UsageCount.Kind.TEST if back % 3 else UsageCount.Kind.CALL,
                    outcome="ok" if back % 4 else Symptom.WRONG_OR_MISSING_CREDENTIAL,
                    count=back + 1,
                )

    UsageCount.objects.bulk_create(counts(), batch_size=1000)


def _audit(
    tenant: Tenant,
    configs: Sequence[AuthConfig],
    connections: Sequence[Connection],
    shown: Connection,
) -> None:
    now = timezone.now()

    def line(row: Any, number: int) -> AuditEvent:
        return AuditEvent(
            tenant_id=tenant.id,
            at=now - timedelta(hours=31 + number * 7),
            actor="robin",
            via="web",
            action=("change", "test", "call")[number % 3],
            object_type=row._meta.model_name,
            object_id=str(row.id),
            object_name=str(row),
            environment=row.environment.slug,
            fields=["secret"],
            outcome="ok",
        )

    places = [*configs, *connections]
    opened = (shown, shown.auth_config, shown.integration)
    many = [line(row, number) for row in places for number in range(CHANGES)]
    # The history of what is opened, an integration's too, which is in no environment.
    more = [
        line(row, number) if row is not shown.integration else _of(line(shown, number), row)
        for row in opened
        for number in range(CHANGES, HISTORY)
    ]
    AuditEvent.objects.bulk_create([*many, *more], batch_size=1000)


def _of(event: AuditEvent, row: Integration) -> AuditEvent:
    event.object_type, event.object_id = "integration", str(row.id)
    return event


def _events(tokens: Sequence[OAuthToken], opened: AuthConfig) -> None:
    now = timezone.now()
    TokenEvent.objects.bulk_create(
        (
            TokenEvent(
                config_id=token.config_id,
                at=now - timedelta(hours=number),
                kind=TokenEvent.Kind.REFRESHED,
                state=OAuthToken.State.VALID,
                actor="sweep",
            )
            for token in tokens
            for number in range(HISTORY if token.config_id == opened.id else EVENTS)
        ),
        batch_size=1000,
    )


def _tests(connections: Sequence[Connection], opened: Connection, number: int) -> ConnectionTest:
    """So many rows; the newest failed one of the opened connection. It has a hundred, however many there are of others."""
    now = timezone.now()

    def row(connection: Connection, minutes: int) -> ConnectionTest:
        ok = minutes % 2 == 1
        return ConnectionTest(
            connection=connection,
            config=connection.auth_config,
            started_at=now - timedelta(minutes=minutes),
            actor="robin",
            ok=ok,
            symptom="" if ok else Symptom.WRONG_OR_MISSING_CREDENTIAL,
            stage=Stage.API,
            status=200 if ok else 401,
            summary="The API answered 200." if ok else "The API refused the credential.",
            checks=["Is the secret the one that the provider shows?"],
            check_fields=["secret"],
            steps=[{"name": "api", "ok": ok, "ms": 40, "detail": "api.example.com"}],
            negative_control="refused" if ok else "not_run",
            duration_ms=40,
            host="worker-1",
            request={"method": "GET", "url": connection.base_url, "headers": {}},
            response={"status": 200 if ok else 401, "headers": {}, "body": ""},
        )

    every = ConnectionTest.objects.bulk_create(row(opened, minutes) for minutes in range(100))
    others = [each for each in connections if each is not opened]
    times, rest = divmod(number - len(every), len(others))
    if times:
        ConnectionTest.objects.bulk_create((row(each, 7) for each in others), batch_size=1000)
        _repeat_others(opened, times - 1)
    ConnectionTest.objects.bulk_create(row(each, 8) for each in others[:rest])
    return every[0]


def _repeat_others(opened: Connection, times: int) -> None:
    """Copy the tests of all connections but that one so many times, each an hour older: far quicker than rows made in Python."""
    copied = {
        str(column.column): str(column.column) for column in ConnectionTest._meta.concrete_fields
    }
    if database.vendor == "postgresql":
        made = {"id": "gen_random_uuid()", "started_at": "started_at - n * interval '1 hour'"}
    else:
        an_hour_older = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', started_at, '-' || n || ' hours')"
        made = {"id": "lower(hex(randomblob(16)))", "started_at": an_hour_older}
    table, copied = ConnectionTest._meta.db_table, {**copied, **made}
    with database.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %s)"  # noqa: S608 - our own columns
            f" INSERT INTO {table} ({', '.join(copied)}) SELECT {', '.join(copied.values())}"
            f" FROM {table}, c WHERE tenant_id = %s AND connection_id <> %s",
            [times, _as_stored(opened.tenant_id), _as_stored(opened.id)],
        )


def _as_stored(value: UUID) -> UUID | str:
    return value if database.vendor == "postgresql" else value.hex


def _bulk_tests(connections: Sequence[Connection], number: int) -> BulkTest:
    """So many; the newest has as many items as there are connections, and enough to fill its page."""
    now = timezone.now()
    found = BulkTest.objects.bulk_create(
        BulkTest(
            title=f"bulk {each}",
            actor="robin",
            started_at=now - timedelta(hours=each),
            finished_at=now,
        )
        for each in range(number)
    )
    BulkTestItem.objects.bulk_create(
        BulkTestItem(
            bulk_test=found[0],
            connection=connections[position % len(connections)],
            position=position,
            done_at=now,
            ok=position % 3 > 0,
            symptom="" if position % 3 else Symptom.WRONG_OR_MISSING_CREDENTIAL,
        )
        for position in range(max(len(connections), TESTED_TOGETHER))
    )
    return found[0]
