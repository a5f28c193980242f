"""Which tokens the sweep renews now: plain, indexed columns of all tenants, nothing is unsealed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from authconfigs.methods import METHODS
from authconfigs.models import Credential, OAuthToken
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.lease import is_free
from authconfigs.tokens.verdict import STOPPED


def due_tokens(now: datetime) -> QuerySet[OAuthToken]:
    """The rows that are due and may be asked for at `now`. Needs a scope that sees all tenants."""
    return askable_tokens(now).filter(_is_due(now))


def make_due(config_ids: Iterable[UUID], *, now: datetime) -> set[UUID]:
    """Let the tokens of these configs of the open scope be renewed by the next who looks. Out: those that can be."""
    with transaction.atomic():
        found = set(
            askable_tokens(now)
            .filter(config_id__in=list(config_ids))
            .values_list("config_id", flat=True)
        )
        rows = OAuthToken.objects.filter(_nothing_hinders(now), config_id__in=found)
        rows.update(refresh_after=now)
    return found


def askable_tokens(now: datetime) -> QuerySet[OAuthToken]:
    """The rows of the open scope that may be asked for at `now`, due or not."""
    usable = [one.code for one in METHODS if one.code in GRANTS and one.available()]
    rows = OAuthToken.objects.filter(
        _nothing_hinders(now),
        tenant__disabled_at=None,
        config__disabled_at=None,
        config__method__in=usable,
    )
    return rows.exclude(is_used_to_its_end(now))


def is_used_to_its_end(now: datetime) -> Q:
    """The rows whose token lives, and only a person can renew it: nobody is needed before it has expired."""
    consented = [code for code, grant in GRANTS.items() if grant.start is None]
    lives = Q(expires_at=None) | Q(expires_at__gt=now)
    return Q(config__method__in=consented, refresh_token=None) & lives


def may_be_asked(now: datetime) -> Q:
    """What a row says by itself: it is due, nothing has stopped it, it doesn't rest, and nobody is at it."""
    return _is_due(now) & _nothing_hinders(now)


def _is_due(now: datetime) -> Q:
    return Q(refresh_after__lte=now)


def _nothing_hinders(now: datetime) -> Q:
    return (
        ~Q(state__in=STOPPED)
        & (Q(next_attempt_at=None) | Q(next_attempt_at__lte=now))
        & is_free(now)
    )


@dataclass(frozen=True, slots=True)
class Due:
    """A config whose token is due, and the host that will be asked."""

    tenant_id: UUID
    config_id: UUID
    host: str


def due_now(
    now: datetime, *, of: Iterable[UUID] | None = None, most: int | None = None
) -> list[Due]:
    """What is due at `now`, the longest overdue first; `of` these configs, or of all. Needs a scope that sees all tenants."""
    rows = due_tokens(now).filter(config__credentials__slot=Credential.Slot.CURRENT)
    if of is not None:
        rows = rows.filter(config_id__in=list(of))
    options = "config__credentials__options"
    columns = rows.order_by("refresh_after").values_list(
        "tenant_id", "config_id", F(f"{options}__refresh_url"), F(f"{options}__token_url")
    )
    return [
        Due(tenant_id, config_id, host_of(str(refresh_url or token_url or "")))
        for tenant_id, config_id, refresh_url, token_url in columns[:most]
    ]


def in_turn(due: Iterable[Due]) -> Iterator[Due]:
    """Round robin over the tenants, and over the hosts of each: nobody waits behind somebody else's ten thousand."""
    tenants: dict[UUID, dict[str, list[Due]]] = {}
    for one in due:
        tenants.setdefault(one.tenant_id, {}).setdefault(one.host, []).append(one)
    return _rotated(
        [_rotated([iter(found) for found in hosts.values()]) for hosts in tenants.values()]
    )


def _rotated(queues: list[Iterator[Due]]) -> Iterator[Due]:
    while queues:
        going = []
        for queue in queues:
            one = next(queue, None)
            if one is not None:
                going.append(queue)
                yield one
        queues = going


@lru_cache(maxsize=10_000)
def host_of(url: str) -> str:
    """Host and port of a URL as one name, however they are spelled; empty for what has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        return ""
    return f"{parts.hostname.rstrip('.')}:{port}" if parts.hostname else ""
