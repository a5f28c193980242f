"""What a draft would change: judged by its method's form, compared with what is stored. Nothing is written here."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from authconfigs import datakeys, methods
from authconfigs.errors import SecretUnreadable
from authconfigs.methods.base import AuthMethod, Change, MethodForm
from authconfigs.models import AuthConfig, Credential
from authconfigs.saving.drafts import ConfigDraft, InvalidDraft, Secret
from authconfigs.saving.mappings import completed, kept_in
from authconfigs.saving.tokens import grew_from, needs_consent
from tenants.wording import column_errors

# The row's own columns; a change of them does nothing to a token.
COLUMNS = ("name", "description", "owner_id", "rotate_by")
# Options that an authorization code grant only uses when a person consents.
AT_NEXT_CONSENT = frozenset({"scope", "authorize_params"})


# How a tenant's data key of a number is found; whoever saves many configs remembers them meanwhile.
KeyLookup = Callable[[UUID | None, int], datakeys.DataKey]


@dataclass(frozen=True)
class Judged:
    """A draft that can be saved.

    `secrets` are the typed ones that differ from what is stored, `typed` names all that were typed whole, `dropped` the stored
    ones that go. `kept_keys` are the names in a secret mapping whose values weren't typed, by the secret. `same_method`: options and secrets are those of the method that is stored. `fields` names all that changes; `of_credential` those of
    them that are the method, options or secrets.
    """

    method: AuthMethod
    same_method: bool
    options: Mapping[str, Any]
    secrets: Mapping[str, Secret] = field(repr=False)
    kept_keys: Mapping[str, frozenset[str]]
    typed: frozenset[str]
    dropped: frozenset[str]
    fields: tuple[str, ...]
    of_credential: tuple[str, ...]
    change: Change
    notes: tuple[str, ...]


def current_credential(config: AuthConfig) -> Credential:
    """The credential in use; from the prefetched ones where there are."""
    return next(row for row in config.credentials.all() if row.slot == Credential.Slot.CURRENT)


def judge(
    draft: ConfigDraft,
    *,
    config: AuthConfig | None,
    credential: Credential | None,
    numbered_key: KeyLookup = datakeys.numbered,
) -> Judged:
    """Compare the draft with the stored config, or with nothing. Raises InvalidDraft."""
    method = _method(draft.method)
    same_method = config is not None and config.method == draft.method
    stored = credential if credential is not None and same_method else Credential(options={})
    form = method.Form(
        {**draft.options, **draft.secrets},
        stored_secrets=stored.secret_state,
        cleared=draft.cleared,
    )
    row = AuthConfig(name=draft.name, description=draft.description)
    errors = column_errors(row, ["name", "description"])
    errors |= {name: list(map(str, messages)) for name, messages in form.errors.items()}
    if errors:
        raise InvalidDraft(errors)
    old_options = _completed(stored.options, form)
    kept_keys = {name: keys for name, secret in form.secrets.items() if (keys := kept_in(secret))}
    secrets = {
        name: secret
        for name, secret in completed(form.secrets, kept_keys, credential=stored).items()
        if config is None
        or not _is_stored(secret, stored.secret_state.get(name), config.tenant_id, numbered_key)
    }
    # One that was cleared is known by what grew from it.
    for name in method.seed_names & secrets.keys() - stored.secret_state.keys():
        if config is not None and same_method and grew_from(config, str(secrets[name])):
            del secrets[name]
    dropped = frozenset(stored.secret_state) & draft.cleared - frozenset(secrets)
    changed_options = [
        n for n in form.options if not same_method or form.options[n] != old_options[n]
    ]
    of_credential = (
        *(() if same_method else ("method",)),
        *changed_options,
        *sorted({*secrets, *dropped}),
    )
    fields = (*_changed_columns(draft, config), *of_credential)
    if fields and not method.available():
        raise InvalidDraft({"method": [f"The operator has switched off {method.label}."]})
    change = Change.NEW_GRANT
    if same_method:
        change = _change(method, old_options, form.options, secrets, dropped)
    return Judged(
        method=method,
        same_method=same_method,
        options=form.options,
        secrets=secrets,
        kept_keys=kept_keys,
        typed=frozenset(form.secrets) - set(kept_keys),
        dropped=dropped,
        fields=fields,
        of_credential=of_credential,
        change=change,
        notes=(
            *form.notes,
            *(_consent_notes(method, fields) if same_method else ()),
            *_seed_notes(method, secrets, set(stored.secret_state) - dropped, change=change),
        ),
    )


def _consent_notes(method: AuthMethod, fields: Collection[str]) -> tuple[str, ...]:
    if not needs_consent(method.code) or AT_NEXT_CONSENT.isdisjoint(fields):
        return ()
    return ("What is asked for at the provider changes when somebody connects the next time.",)


def _seed_notes(
    method: AuthMethod, typed: Collection[str], kept: Collection[str], *, change: Change
) -> tuple[str, ...]:
    """What to say where a stored refresh token that was pasted in goes with everything else."""
    seeds = method.seed_names
    if change is not Change.NEW_GRANT or seeds.isdisjoint(kept) or not seeds.isdisjoint(typed):
        return ()
    return (
        "The refresh token that was pasted in belonged to what it was before: paste another one, or connect.",
    )


def _method(code: str) -> AuthMethod:
    try:
        return methods.by_code(code)
    except KeyError:
        known = ", ".join(method.code for method in methods.METHODS)
        raise InvalidDraft({"method": [f"There is no such method. Known are: {known}."]}) from None


def _completed(options: Mapping[str, Any], form: MethodForm) -> dict[str, Any]:
    """Stored options, with the defaults of those that came to the method later."""
    declared = form.declared()
    return {
        name: options[name] if name in options else declared[name].to_python(declared[name].initial)
        for name in form.options
    }


def _is_stored(
    secret: Secret, state: Mapping[str, str] | None, tenant_id: UUID, numbered_key: KeyLookup
) -> bool:
    if state is None:
        return False
    number = int(state["fingerprint"].partition(":")[0])
    try:
        key = numbered_key(tenant_id, number)
    except SecretUnreadable as error:
        raise InvalidDraft({"__all__": [error.summary]}) from None
    return key.fingerprint(secret) == state["fingerprint"]


def _changed_columns(draft: ConfigDraft, config: AuthConfig | None) -> list[str]:
    before = config or AuthConfig(name="")
    changed = [name for name in COLUMNS if getattr(draft, name) != getattr(before, name)]
    switched = draft.disabled != (before.disabled_at is not None)
    return [name.removesuffix("_id") for name in changed] + (["disabled"] if switched else [])


def _change(
    method: AuthMethod,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    typed: Collection[str],
    dropped: Collection[str],
) -> Change:
    # The token that grew from a seed doesn't need it any more.
    declared = method.Form.declared()
    gone = {name for name in dropped if not declared[name].seed}
    of_secrets = (method.change_of_secret(name) for name in {*typed, *gone})
    return max(method.change(old, new), *of_secrets, Change.NOTHING)
