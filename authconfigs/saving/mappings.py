"""Secrets that are mappings: each of their names may keep what is stored under it, and tells when and by whom it was set.

The plain state of such a secret has `keys` beside its fingerprint: `{name: {"set_at", "by", "by_name", "values": count}}`, where
`values` is only there for a list. So a page draws its rows, and a file its placeholders, without opening anything.
"""

from collections.abc import Collection, Mapping
from typing import Any

from authconfigs.errors import SecretUnreadable
from authconfigs.models import Credential
from authconfigs.saving.drafts import InvalidDraft, Secret


def kept_in(secret: Secret) -> frozenset[str]:
    """The names whose stored value is kept."""
    if isinstance(secret, str):
        return frozenset()
    return frozenset(name for name, value in secret.items() if value is None)


def completed(
    secrets: Mapping[str, Secret],
    kept_keys: Mapping[str, frozenset[str]],
    *,
    credential: Credential,
) -> dict[str, Secret]:
    """The secrets with what they keep; those that keep all and add nothing are left out. Raises InvalidDraft.

    The stored ones are opened only where something is put beside them or taken away.
    """
    for name, keys in kept_keys.items():
        if missing := sorted(keys - set(_keys_of(credential, name))):
            message = f"Nothing is stored as {', '.join(missing)}: type the value."
            raise InvalidDraft({name: [message]})
    changed = {
        name: secret
        for name, secret in secrets.items()
        if name not in kept_keys or set(kept_keys[name]) != {*secret, *_keys_of(credential, name)}
    }
    if kept_keys.keys().isdisjoint(changed):
        return changed
    try:
        stored = credential.secrets.reveal()
    except SecretUnreadable:
        message = "What is stored can't be decrypted with the current keys: type all of it again."
        raise InvalidDraft({name: [message] for name in kept_keys}) from None
    return {
        name: secret
        if isinstance(secret, str)
        else {key: stored[name][key] if value is None else value for key, value in secret.items()}
        for name, secret in changed.items()
    }


def state_of(
    secret: Secret,
    *,
    typed: Mapping[str, str],
    known: Mapping[str, Any],
    kept: Collection[str],
) -> dict[str, Any]:
    """What may be told of a secret that was `typed` then and by that person, but for the names that were kept.

    Who set a part of it alone hasn't set it: then nobody has, as far as rights follow from that.
    """
    if isinstance(secret, str):
        return dict(typed)
    keys = {
        name: {
            **(known["keys"][name] if name in kept else typed),
            **({"values": len(value)} if isinstance(value, list) else {}),
        }
        for name, value in secret.items()
    }
    setters = {state["by"] for state in keys.values()}
    return {**typed, "by": typed["by"] if setters == {typed["by"]} else "", "keys": keys}


def _keys_of(credential: Credential, name: str) -> Mapping[str, Any]:
    keys: Mapping[str, Any] = credential.secret_state.get(name, {}).get("keys", {})
    return keys
