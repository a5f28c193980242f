"""Where a config's secrets may go: only to the origins that they were entered for.

An origin (RFC 6454) is listed per config and purpose, so that a client secret never reaches an API. A config's own token
URLs put theirs on the list when it is made, and so does the first connection of whoever set its secrets. Any other one
demands that every stored secret is typed again. Where a person's consent is stored, or where there is nothing to type,
only an admin may add one.

Whoever sets another secret confirms the origins that somebody else had put on the list who is no admin: else an editor could
have one of their own listed, over a worthless secret, and wait for the next.

What isn't used any more is taken off the list. Else somebody could have an origin of their own listed while the config
holds nothing of worth, and come back to it once it does.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from authconfigs.models import AllowedOrigin, AuthConfig, Credential, OAuthToken
from authconfigs.tokens.grants import GRANTS
from tenants.actor import current_actor
from tenants.models import Membership
from tenants.roles import Role

Purpose = AllowedOrigin.Purpose

ADMIN_ONLY = "Only an admin may send this auth config's credential to another origin."
TYPE_AGAIN = "Type it again: it was entered for other origins."
SECRETS_AGAIN = "This is a new origin for the auth config: type its secrets again."


@dataclass(frozen=True)
class Demand:
    """What adding an origin takes: these secrets typed again, and an admin to do it."""

    secrets: tuple[str, ...] = ()
    admin: bool = False

    def unmet(self, typed: Collection[str], *, as_admin: bool, field: str) -> dict[str, list[str]]:
        """Errors by field, none when it is met; `field` is the one that the origin comes from."""
        if self.admin and not as_admin:
            return {field: [ADMIN_ONLY]}
        missing = [name for name in self.secrets if name not in typed]
        errors = {name: [TYPE_AGAIN] for name in missing}
        return {field: [SECRETS_AGAIN], **errors} if missing else {}


NOTHING = Demand()


def listed(config: AuthConfig, purpose: Purpose) -> frozenset[str]:
    """The origins that the config's secrets may go to for this purpose."""
    return frozenset(row.origin for row in config.allowed_origins.all() if row.purpose == purpose)


def demand(
    config: AuthConfig,
    credential: Credential,
    *,
    origin: str,
    purpose: Purpose,
    dropped: Collection[str] = (),
) -> Demand:
    """What it takes to add the origin to a config's list, for whoever acts now; nothing when it is there.

    dropped: the secrets that go away in the same step.
    """
    already = listed(config, purpose)
    if origin in already:
        return NOTHING
    secrets = tuple(sorted(set(credential.secret_state).difference(dropped)))
    consent = _holds_consent(config)
    first = purpose == Purpose.API and not already
    if first and not consent and _is_all_own(config, credential):
        return NOTHING
    return Demand(secrets=secrets, admin=consent or not secrets)


def _is_all_own(config: AuthConfig, credential: Credential) -> bool:
    """Whether who acts now set every stored secret, or made the config where it has none."""
    me = current_actor().user_id
    if me is None:
        return False
    if not credential.secret_state:
        return config.created_by_id == me
    return all(state["by"] == str(me) for state in credential.secret_state.values())


def _holds_consent(config: AuthConfig) -> bool:
    """Whether a token is stored that only a person's consent could give."""
    grant = GRANTS.get(config.method)
    if grant is None or grant.start is not None:
        return False
    return (
        OAuthToken.objects.filter(config=config)
        .exclude(access_token__isnull=True, refresh_token__isnull=True)
        .exists()
    )


def unconfirmed(config: AuthConfig) -> list[AllowedOrigin]:
    """What another person, no admin, had listed and whoever acts now hasn't confirmed; nothing for the shell."""
    me = current_actor().user_id
    if me is None:
        return []
    admins = Membership.objects.filter(role=Role.ADMIN, user__is_active=True).values("user_id")
    return list(
        config.allowed_origins.exclude(added_by_id=None)
        .exclude(added_by_id=me)
        .exclude(added_by_id__in=admins)
        .exclude(confirmed_by_id__isnull=False, confirmed_by_id=me)
        .order_by("purpose", "origin")
    )


def confirm(rows: Collection[AllowedOrigin]) -> None:
    """Remember that whoever acts now knows these origins."""
    AllowedOrigin.objects.filter(id__in=[row.id for row in rows]).update(
        confirmed_by_id=current_actor().user_id
    )


def add(config: AuthConfig, origins: Iterable[str], *, purpose: Purpose) -> tuple[str, ...]:
    """Put origins on the list; those that weren't there."""
    wanted = set(origins)
    new = sorted(wanted - listed(config, purpose)) if wanted else []
    actor = current_actor()
    AllowedOrigin.objects.bulk_create(
        AllowedOrigin(
            config=config,
            origin=origin,
            purpose=purpose,
            added_by=actor.name,
            added_by_id=actor.user_id,
        )
        for origin in new
    )
    _forget_list(config)
    return tuple(new)


def keep_only(config: AuthConfig, origins: Iterable[str], *, purpose: Purpose) -> bool:
    """Take everything else off the list; whether there was something."""
    unused = listed(config, purpose) - frozenset(origins)
    if unused:
        AllowedOrigin.objects.filter(config=config, purpose=purpose, origin__in=unused).delete()
        _forget_list(config)
    return bool(unused)


def hosts(origins: Iterable[str]) -> str:
    """The hosts of origins, for the column that lists search."""
    names = sorted({urlsplit(origin).hostname or "" for origin in origins})
    return " ".join(names)[: AuthConfig._meta.get_field("hosts").max_length]


def refresh_hosts(config: AuthConfig) -> bool:
    """Write the hosts of what is listed now; False when the config isn't at the revision any more that was read."""
    config.hosts = hosts(row.origin for row in AllowedOrigin.objects.filter(config=config))
    rows = AuthConfig.objects.filter(id=config.id, revision=config.revision)
    return rows.update(hosts=config.hosts) == 1


def _forget_list(config: AuthConfig) -> None:
    """Let `listed()` read it again where it was prefetched."""
    getattr(config, "_prefetched_objects_cache", {}).pop("allowed_origins", None)
