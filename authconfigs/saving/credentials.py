"""Options and sealed secrets of a config, as a judged draft wants them."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from authconfigs import datakeys
from authconfigs.errors import SecretUnreadable
from authconfigs.fields import Stored
from authconfigs.methods.base import AuthMethod
from authconfigs.models import AuthConfig, Credential
from authconfigs.saving.drafts import InvalidDraft, Secret
from authconfigs.saving.judging import Judged
from authconfigs.saving.mappings import state_of
from tenants.actor import current_actor


def make_credential(config: AuthConfig, judged: Judged) -> Credential:
    """Store the first credential of a config."""
    credential = Credential(
        config=config,
        tenant_id=config.tenant_id,
        options=dict(judged.options),
        method_version=judged.method.version,
    )
    _seal(credential, judged.secrets, kept_keys=judged.kept_keys, kept={})
    credential.save(force_insert=True)
    return credential


def write_credential(credential: Credential, judged: Judged) -> None:
    """Change a stored credential; secrets that don't change aren't opened. Raises InvalidDraft when they can't be."""
    columns = ["options", "method_version"]
    credential.options = dict(judged.options)
    credential.method_version = judged.method.version
    if judged.secrets or judged.dropped or not judged.same_method:
        kept = _kept(credential, judged)
        _seal(credential, judged.secrets, kept_keys=judged.kept_keys, kept=kept)
        columns += ["secrets", "secret_state"]
    credential.save(update_fields=columns)


def forget_seeds(config: AuthConfig, method: AuthMethod) -> list[str]:
    """Drop what a token could begin with anew, in the transaction that moved the config's revisions; the names of what went.

    Where the other secrets can't be opened, they stay sealed as they are: then the next edit of a secret leaves it out.
    """
    gone = set()
    for credential in Credential.objects.filter(config=config):
        seeds = method.seed_names & credential.secret_state.keys()
        if not seeds:
            continue
        gone |= seeds
        others = credential.secret_state.keys() - seeds
        try:
            stored = credential.secrets.reveal() if others else {}
            _seal(credential, {}, kept_keys={}, kept={name: stored[name] for name in others})
        except SecretUnreadable:
            state = credential.secret_state
            credential.secret_state = {name: state[name] for name in others}
        credential.save(update_fields=["secrets", "secret_state"])
    return sorted(gone)


def _kept(credential: Credential, judged: Judged) -> Mapping[str, Any]:
    """The stored secrets that stay, opened."""
    names = set(credential.secret_state) - judged.dropped - set(judged.secrets)
    if not judged.same_method or not names:
        return {}
    try:
        stored = credential.secrets.reveal()
    except SecretUnreadable:
        message = (
            "The stored secrets can't be decrypted with the current keys: type all of them again."
        )
        raise InvalidDraft({name: [message] for name in sorted(names)}) from None
    return {name: stored[name] for name in names}


def _seal(
    credential: Credential,
    secrets: Mapping[str, Secret],
    *,
    kept_keys: Mapping[str, frozenset[str]],
    kept: Mapping[str, Any],
) -> None:
    """Seal the secrets, all with one key, so that the fingerprints never name another one than the seal does."""
    actor = current_actor()
    typed = {
        "set_at": timezone.now().isoformat(timespec="seconds"),
        "by": str(actor.user_id or ""),
        "by_name": actor.name,
    }
    every = {**kept, **secrets}
    known = credential.secret_state
    key = datakeys.current(credential.tenant_id)
    place = Credential._meta.get_field("secrets").place_of(credential)
    credential.secrets = Stored(key.seal(every, place), place)
    credential.secret_state = {
        name: {
            **(
                known[name]
                if name in kept
                else state_of(
                    secret,
                    typed=typed,
                    known=known.get(name, {}),
                    kept=kept_keys.get(name, ()),
                )
            ),
            "fingerprint": key.fingerprint(secret),
        }
        for name, secret in every.items()
    }
