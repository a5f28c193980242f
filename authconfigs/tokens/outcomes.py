"""How an exchange ended, written into the token's row and its history in one transaction, for one config or for many.

A state's change is decided by the conditional UPDATE that makes it, so that of many processes one tells of it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import IntegrityError, transaction

from authconfigs.datakeys import Keychain
from authconfigs.errors import SecretUnreadable, TokenFailed
from authconfigs.fields import Sealed, SealedField, Stored
from authconfigs.models import OAuthToken, TokenEvent
from authconfigs.oauth import TokenAnswer
from authconfigs.symptoms import Symptom
from authconfigs.tokens.attempts import counted
from authconfigs.tokens.events import new_event
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.lease import End, Lease, end_together
from authconfigs.tokens.schedule import Schedule, rest, retry_after
from authconfigs.tokens.verdict import STOPPED

State = OAuthToken.State

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
    Symptom.REAUTHORIZATION_REQUIRED: State.REAUTHORIZATION_REQUIRED,
    Symptom.TOKEN_ENDPOINT_CONFIG: State.STOPPED,
}


@dataclass(frozen=True)
class Consent:
    """What a person agreed to: the scope that they were asked for, and who they are as far as we know."""

    requested_scope: str
    by: str


@dataclass(frozen=True)
class Obtained:
    """A token, and when it is to be renewed. `refresh_token`: the one to keep, or None where the old one stays.

    used: the stored refresh token that was used for it, or None where it was asked for anew. consent: it is a new grant, so
    that nothing stays of an old one, which may be another account's.
    """

    answer: TokenAnswer
    schedule: Schedule
    refresh_token: str | None = field(repr=False)
    used: Sealed | None
    consent: Consent | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of an exchange that was begun at `asked_at` under a lease; with a failure, `used` is the refresh token that was sent."""

    lease: Lease
    asked_at: datetime
    result: Obtained | TokenFailed
    used: Sealed | None = None


def settle(
    outcomes: Sequence[Outcome], *, now: datetime, keys: Keychain, jitter: Callable[[], float]
) -> list[Outcome | None]:
    """Write them down, all or none; gives them as they were stored, None for one that came too late.

    Needs the scope of the outcomes' tenants. Database errors are raised: try again, nothing has happened then.
    """
    before = _scopes_of(outcomes)
    prepared = [
        _prepared(outcome, before=before, now=now, keys=keys, jitter=jitter())
        for outcome in outcomes
    ]
    with transaction.atomic():
        happened = _ended(prepared)
        TokenEvent.objects.bulk_create([event for event in happened if event is not None])
    return [
        outcome if event is not None else None
        for (outcome, _), event in zip(prepared, happened, strict=True)
    ]


def discard(outcome: Outcome, keys: Keychain) -> None:
    """What is left to do of an outcome that came too late, because an edit, a disconnect or a deletion was faster.

    The lease is given back, and of a token that came its refresh token is kept where the edit didn't want another grant.
    """
    lease, result = outcome.lease, outcome.result
    used = result.used if isinstance(result, Obtained) else outcome.used
    if used is not None and result.refresh_token:
        with suppress(SecretUnreadable):
            newer = _sealed(lease, "refresh_token", result.refresh_token, keys=keys)
            lease.hand_on(used=used, refresh_token=newer)
    lease.release()
    row = OAuthToken.objects.filter(config_id=lease.state.config_id).only("state").first()
    if row is None or isinstance(result, TokenFailed):
        return
    why = "The auth config was edited or disconnected while the token was being asked for."
    # The config may be deleted at this very moment.
    with suppress(IntegrityError), transaction.atomic():
        _event(lease, TokenEvent.Kind.DISCARDED, state=row.state, summary=why).save()


@dataclass(frozen=True)
class _Step:
    """An UPDATE and the event that tells of it. Of a list of them, the first is made that the row's state allows."""

    values: dict[str, Any]
    event: TokenEvent
    not_in: tuple[State, ...] = ()


def _scopes_of(outcomes: Sequence[Outcome]) -> Mapping[UUID, str]:
    """The scopes that the rows have now. What changes one outdates the outcome."""
    ids = [
        one.lease.state.config_id
        for one in outcomes
        if isinstance(one.result, Obtained) and one.result.answer.scope
    ]
    rows = OAuthToken.objects.filter(config_id__in=ids)
    return dict(rows.values_list("config_id", "granted_scope")) if ids else {}


def _prepared(
    outcome: Outcome,
    *,
    before: Mapping[UUID, str],
    now: datetime,
    keys: Keychain,
    jitter: float,
) -> tuple[Outcome, list[_Step]]:
    result = outcome.result
    if isinstance(result, Obtained):
        try:
            return outcome, [_success(outcome, result, before=before, now=now, keys=keys)]
        except SecretUnreadable as error:
            # No key to seal it with: it is as good as none.
            result = TokenFailed.from_error(error)
            outcome = replace(outcome, result=result)
    return outcome, _failure(outcome, result, now=now, keys=keys, jitter=jitter)


def _ended(prepared: Sequence[tuple[Outcome, list[_Step]]]) -> list[TokenEvent | None]:
    happened: list[TokenEvent | None] = [None] * len(prepared)
    for turn in range(max((len(steps) for _, steps in prepared), default=0)):
        waiting = [
            (place, outcome.lease, steps[turn])
            for place, (outcome, steps) in enumerate(prepared)
            if happened[place] is None and turn < len(steps)
        ]
        ends = [End(lease, step.values, step.not_in) for _, lease, step in waiting]
        for (place, _, step), was_made in zip(waiting, end_together(ends), strict=True):
            if was_made:
                happened[place] = step.event
    return happened


def _success(
    outcome: Outcome,
    result: Obtained,
    *,
    before: Mapping[UUID, str],
    now: datetime,
    keys: Keychain,
) -> _Step:
    lease, answer = outcome.lease, result.answer
    state, seen = lease.state, lease.seen
    values: dict[str, Any] = {
        **_NO_FAILURE,
        "access_token": _sealed(lease, "access_token", answer.access_token, keys=keys),
        **_becomes(State.VALID, now),
        "token_type": answer.token_type,
        "obtained_at": outcome.asked_at,
        "expires_at": result.schedule.expires_at,
        "refresh_after": result.schedule.refresh_after,
        "generation": seen.generation + 1,
        "token_revision": state.token_revision,
    }
    if result.refresh_token is not None:
        values["refresh_token"] = _sealed(lease, "refresh_token", result.refresh_token, keys=keys)
    if answer.scope is not None or result.used is None:
        # RFC 6749 §6: a refresh that names no scope leaves it as it was.
        values |= {"granted_scope": answer.scope or "", "scope_left_out": answer.left_out}
    if GRANTS[state.method.code].start is not None:
        values["requested_scope"] = state.fields.get("scope") or ""
    renewed = seen.has_access_token or seen.has_refresh_token
    kind = TokenEvent.Kind.REFRESHED if renewed else TokenEvent.Kind.ISSUED
    if result.consent is not None:
        kind = TokenEvent.Kind.CONNECTED
        values |= {
            "refresh_token": values.get("refresh_token"),
            "requested_scope": result.consent.requested_scope,
            "connected_at": now,
            "connected_by": result.consent.by[:200],
        }
    scope = values.get("granted_scope", "")
    # The history would else repeat it with every refresh.
    is_news = result.consent is not None or scope != before.get(state.config_id)
    event = _event(
        lease,
        kind,
        state=State.VALID,
        summary=_unusable(result, keeps=GRANTS[state.method.code].keeps_refresh_token),
        granted_scope=scope if is_news else "",
    )
    return _Step(values, event)


def _unusable(result: Obtained, *, keeps: bool) -> str:
    """What is to be said of a refresh token that came and can't be stored."""
    if not (keeps and result.answer.unusable):
        return ""
    stays = " The one before stays." if result.used is not None else ""
    return f"The refresh token that came with it is {result.answer.unusable}, so it isn't stored.{stays}"


def _failure(
    outcome: Outcome, failure: TokenFailed, *, now: datetime, keys: Keychain, jitter: float
) -> list[_Step]:
    """The token stays: it may be good for a while. So does what stopped the config, when somebody asked again and the network failed.

    A refresh token that came without an access token is stored: the one before may be used up.
    """
    lease = outcome.lease
    had_one = outcome.used is not None or lease.seen.generation > 0
    attempt = counted(failure, lease.seen, now=now, had_one=had_one)
    wait = None if attempt.is_final else retry_after(failure.retry_after)
    rests_until = attempt.rests_until or now + rest(attempt.failures, jitter=jitter)
    rested: dict[str, Any] = {
        "failed_at": now,
        "next_attempt_at": max(rests_until, now + (wait or timedelta())),
        "retry_after_until": now + wait if wait else None,
    }
    if failure.refresh_token:
        with suppress(SecretUnreadable):
            newer = _sealed(lease, "refresh_token", failure.refresh_token, keys=keys)
            rested["refresh_token"] = newer
    described = {
        **rested,
        "failures": attempt.failures,
        "failure_symptom": failure.symptom,
        "failure_summary": failure.summary[:1000],
        "failure_error": failure.error[:100],
        "failure_status": failure.status,
    }

    def told(state: str, *, mail_due: bool = False) -> TokenEvent:
        return _event(
            lease,
            TokenEvent.Kind.FAILED,
            state=state,
            symptom=failure.symptom,
            summary=failure.summary,
            mail_due=mail_due,
        )

    stopped = _STATE_AFTER.get(failure.symptom) if attempt.is_final else None
    if stopped is not None:
        arrives = described | _becomes(stopped, now)
        return [
            _Step(arrives, told(stopped, mail_due=True), not_in=(stopped,)),
            _Step(described, told(stopped)),
        ]
    retries = described | _becomes(State.RETRYING, now)
    return [
        _Step(retries, told(State.RETRYING), not_in=tuple(sorted(STOPPED))),
        _Step(rested, told(lease.seen.state)),
    ]


def _becomes(state: State, now: datetime) -> dict[str, Any]:
    return {"state": state, "state_since": now}


def _event(lease: Lease, kind: TokenEvent.Kind, *, state: str, **told: Any) -> TokenEvent:
    config = lease.state
    return new_event(config.config_id, kind, state=state, tenant_id=config.tenant_id, **told)


def _sealed(lease: Lease, name: str, value: str, *, keys: Keychain) -> Sealed:
    column = cast("SealedField", OAuthToken._meta.get_field(name))
    place = column.place(tenant_id=lease.state.tenant_id, row_id=lease.state.config_id)
    return Stored(keys.current(place.tenant_id).seal(value, place), place)
