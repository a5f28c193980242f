"""The lease: who of all processes talks to a config's token endpoint. One conditional UPDATE each, never a lock.

Every function takes `now`, the database's time. What an exchange gave is stored by compare-and-swap: only while the lease
is still the owner's and neither the token nor the config has moved on. So a late result never overwrites a newer one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from authconfigs.errors import TokenFailed
from authconfigs.fields import Sealed, SealedField, seal
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.oauth import TokenAnswer
from authconfigs.state import ConfigState, TokenState
from authconfigs.symptoms import Symptom
from authconfigs.tokens.schedule import Schedule, rest, retry_after
from authconfigs.tokens.verdict import STOPPED

# What an exchange may take beyond OUTBOUND_TIMEOUT: unsealing, storing, a busy database.
SPARE_SECONDS = 10.0

_FREE: dict[str, Any] = {"lease_owner": None, "lease_expires_at": None}
_NO_FAILURE: dict[str, Any] = {
    "failures": 0,
    "failure_symptom": "",
    "failure_summary": "",
    "failure_error": "",
    "failure_status": None,
    "failed_at": None,
    "next_attempt_at": None,
    "retry_after_until": None,
}
_STATE_AFTER = {
    Symptom.REAUTHORIZATION_REQUIRED: OAuthToken.State.REAUTHORIZATION_REQUIRED,
    Symptom.TOKEN_ENDPOINT_CONFIG: OAuthToken.State.STOPPED,
}


@dataclass(frozen=True)
class Lease:
    """The right to one exchange for a config, as long as nothing else happens to its token: `seen` is what was read."""

    state: ConfigState
    seen: TokenState
    owner: UUID

    def take(self, now: datetime) -> bool:
        """Whether it is ours now: nobody else had it, and the row is as it was seen."""
        free = Q(lease_owner=None) | Q(lease_expires_at__lte=now)
        return self._update(free, lease_owner=self.owner, lease_expires_at=now + _length())

    def renew(self, now: datetime, *, without_refresh_token: bool = False) -> bool:
        """Whether it is still ours, for a second exchange; counted from `now`. A dead refresh token is dropped with it."""
        values: dict[str, Any] = {"refresh_token": None} if without_refresh_token else {}
        return self._update(self._ours, lease_expires_at=now + _length(), **values)

    def release(self) -> None:
        """Give it back without a result."""
        self._update(self._ours, **_FREE)

    def store(
        self, answer: TokenAnswer, *, schedule: Schedule, now: datetime, refresh_token: str | None
    ) -> bool:
        """Put the token into the row and give the lease back; False when it came too late.

        refresh_token: the new one, or None to keep what is there.
        """
        values: dict[str, Any] = {}
        if refresh_token is not None:
            values["refresh_token"] = self._sealed("refresh_token", refresh_token)
        return self._update(
            self._ours & self._config_unmoved,
            **values,
            **_FREE,
            **_NO_FAILURE,
            access_token=self._sealed("access_token", answer.access_token),
            state=OAuthToken.State.VALID,
            token_type=answer.token_type,
            granted_scope=answer.scope or "",
            obtained_at=now,
            expires_at=schedule.expires_at,
            refresh_after=schedule.refresh_after,
            generation=self.seen.generation + 1,
            attempt=self.seen.attempt + 1,
            token_revision=self.state.token_revision,
        )

    def fail(self, failure: TokenFailed, *, now: datetime, jitter: float) -> bool:
        """Write the failure down for those who wait and give the lease back; False when it came too late.

        The token stays: it may be good for a while. So does what stopped the config, when somebody asked again and the
        network failed.
        """
        wait = retry_after(failure.retry_after)
        failures = self.seen.failures + 1
        values: dict[str, Any] = {
            "attempt": self.seen.attempt + 1,
            "failed_at": now,
            "next_attempt_at": now + max(rest(failures, jitter=jitter), wait or timedelta()),
            "retry_after_until": now + wait if wait else None,
        }
        stopped = _STATE_AFTER.get(failure.symptom) if failure.permanent else None
        if stopped or self.seen.state not in STOPPED:
            values |= {
                "state": stopped or OAuthToken.State.RETRYING,
                "failures": failures,
                "failure_symptom": failure.symptom,
                "failure_summary": failure.summary[:1000],
                "failure_error": failure.error[:100],
                "failure_status": failure.status,
            }
        return self._update(self._ours & self._config_unmoved, **values, **_FREE)

    @property
    def _ours(self) -> Q:
        return Q(lease_owner=self.owner)

    @property
    def _config_unmoved(self) -> Q:
        # Beside the row's own columns, because not every edit of a config has to touch the row.
        config = AuthConfig.objects.filter(
            id=OuterRef("config_id"), token_revision=self.state.token_revision
        )
        return Q(Exists(config))

    def _sealed(self, name: str, value: str) -> Sealed:
        column = cast("SealedField", OAuthToken._meta.get_field(name))
        config = self.state
        return seal(column, value, tenant_id=config.tenant_id, row_id=config.config_id)

    def _update(self, condition: Q, **values: Any) -> bool:
        rows = OAuthToken.objects.filter(
            condition,
            config_id=self.state.config_id,
            generation=self.seen.generation,
            attempt=self.seen.attempt,
            token_revision=self.seen.token_revision,
        )
        return bool(rows.update(**values))


def _length() -> timedelta:
    return timedelta(seconds=settings.OUTBOUND_TIMEOUT + SPARE_SECONDS)
