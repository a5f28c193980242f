"""The one save path of auth configs, for pages and files alike.

Atomic, and by compare-and-swap on the config's revision: whoever saves over a change that they haven't seen is told so.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils import timezone

from authconfigs import datakeys, origins
from authconfigs.methods.base import Change
from authconfigs.methods.fields import Url
from authconfigs.models import AuthConfig, Credential
from authconfigs.outgoing import origin_of
from authconfigs.saving.conflicts import conflict
from authconfigs.saving.credentials import make_credential, write_credential
from authconfigs.saving.drafts import ConfigDraft, EditConflict, InvalidDraft, SavedConfig, Secret
from authconfigs.saving.judging import Judged, KeyLookup, current_credential, judge
from authconfigs.saving.tokens import follow_edit, keep_alive, make_row
from tenants import audit
from tenants.actor import current_actor
from tenants.models import Environment

_API, _TOKEN = origins.Purpose.API, origins.Purpose.TOKEN


def save_config(
    draft: ConfigDraft,
    *,
    environment: Environment,
    config: AuthConfig | None = None,
    as_admin: bool = False,
    widen_origins: bool = False,
    seen_revision: int | None = None,
    retyped_for_origin: bool = False,
    confirms_origins: bool = False,
    numbered_key: KeyLookup = datakeys.numbered,
) -> SavedConfig:
    """Make a config in the environment, or change `config`.

    as_admin: whoever acts is an admin of the tenant. widen_origins: the operator describes origins by file, so nothing is
    asked for new ones. seen_revision: the revision that the form was drawn from, if it isn't that of `config`.
    retyped_for_origin: the secrets were typed again because of a new origin of an API. confirms_origins: a new secret may go
    to origins that somebody else had listed. numbered_key: finds data keys.

    Nothing is written when nothing changes. Raises InvalidDraft, and EditConflict when somebody else was faster.
    """
    if config is None:
        return _create(draft, judge(draft, config=None, credential=None), environment)
    if config.environment_id != environment.id:
        raise InvalidDraft({"environment": ["An auth config stays in its environment."]})
    credential = current_credential(config)
    judged = judge(draft, config=config, credential=credential, numbered_key=numbered_key)
    urls = judged.method.token_origins(judged.options)
    new = (urls - origins.listed(config, _TOKEN)) if judged.same_method else frozenset()
    if new and not widen_origins:
        _demand(judged, config, credential, new=new, as_admin=as_admin)
    if (new or retyped_for_origin) and judged.secrets:
        judged = replace(judged, change=Change.NEW_GRANT)
    if not judged.fields:
        return SavedConfig(config, False, (), Change.NOTHING, judged.notes, ())
    with transaction.atomic():
        _swap(config, draft, judged, seen=seen_revision or config.revision)
        write_credential(credential, judged)
        origins.keep_only(config, urls, purpose=_TOKEN)
        if judged.secrets and not widen_origins:
            _confirm_origins(config, confirmed=confirms_origins)
        added = origins.add(config, urls, purpose=_TOKEN)
        follow_edit(
            config,
            uses_token=judged.method.uses_token,
            change=judged.change,
            seed=judged.method.seed(judged.secrets),
        )
        if "keepalive_days" in judged.fields and judged.options["keepalive_days"]:
            keep_alive(config, judged.options["keepalive_days"])
        audit.record("change", config, fields=judged.fields)
    return SavedConfig(config, False, judged.fields, judged.change, judged.notes, added)


def draft_of(config: AuthConfig, *, secrets: Mapping[str, Secret] | None = None) -> ConfigDraft:
    """The config as it is, to be saved with these secrets."""
    return ConfigDraft(
        name=config.name,
        method=config.method,
        options=current_credential(config).options,
        secrets=secrets or {},
        description=config.description,
        owner=config.owner,
        rotate_by=config.rotate_by,
        disabled=config.disabled_at is not None,
    )


def typed_secrets(config: AuthConfig, secrets: Mapping[str, Secret]) -> frozenset[str]:
    """The names of those that hold something, once blanks are off. Raises InvalidDraft."""
    if not secrets:
        return frozenset()
    draft = draft_of(config, secrets=secrets)
    return judge(draft, config=config, credential=current_credential(config)).typed


def preview_change(config: AuthConfig, draft: ConfigDraft) -> Change:
    """What saving the draft would do to a stored token. Raises InvalidDraft."""
    return judge(draft, config=config, credential=current_credential(config)).change


def switch_config(config: AuthConfig, *, disabled: bool) -> None:
    """Switch a config off or on; what is in flight ends, the next call is refused. Raises EditConflict."""
    with transaction.atomic():
        config.disabled_at = timezone.now() if disabled else None
        _bump(config, seen=config.revision, columns=["disabled_at"])
        follow_edit(config, uses_token=hasattr(config, "oauth_token"), change=Change.NOTHING)
        audit.record("change", config, fields=["disabled"])


def _create(draft: ConfigDraft, judged: Judged, environment: Environment) -> SavedConfig:
    _refuse_taken_name(draft.name, environment)
    urls = judged.method.token_origins(judged.options)
    config = AuthConfig(environment=environment, created_by_id=current_actor().user_id)
    _fill(config, draft, judged, hosts=origins.hosts(urls))
    try:
        with transaction.atomic():
            config.save(force_insert=True)
            make_credential(config, judged)
            origins.add(config, urls, purpose=_TOKEN)
            if judged.method.uses_token:
                make_row(config, seed=judged.method.seed(judged.secrets))
            audit.record("create", config, fields=judged.fields)
    except IntegrityError:
        raise EditConflict(
            f"Somebody else made an auth config {draft.name} at the same moment. Choose another name, or edit that one."
        ) from None
    added = tuple(sorted(urls))
    return SavedConfig(config, True, judged.fields, judged.change, judged.notes, added)


def _refuse_taken_name(name: str, environment: Environment) -> None:
    if AuthConfig.objects.filter(environment=environment, name=name).exists():
        message = f"There is an auth config {name} in {environment.slug} already: choose another name, or edit that one."
        raise InvalidDraft({"name": [message]})


def _demand(
    judged: Judged,
    config: AuthConfig,
    credential: Credential,
    *,
    new: Collection[str],
    as_admin: bool,
) -> None:
    """Refuse a URL that secrets go to at a new origin unless the secrets were typed again."""
    for origin in sorted(new):
        demand = origins.demand(
            config, credential, origin=origin, purpose=_TOKEN, dropped=judged.dropped
        )
        field = next(
            name
            for name, declared in judged.method.Form.declared().items()
            if isinstance(declared, Url)
            and declared.takes_secrets
            and judged.options[name]
            and origin_of(judged.options[name]) == origin
        )
        errors = demand.unmet(judged.typed, as_admin=as_admin, field=field)
        if errors:
            raise InvalidDraft(errors)


def _confirm_origins(config: AuthConfig, *, confirmed: bool) -> None:
    # With the config's row written, so that nobody can add one in between.
    unknown = origins.unconfirmed(config)
    if unknown and not confirmed:
        places = ", ".join(f"{row.origin} (added by {row.added_by})" for row in unknown)
        told = f"The new secret would go to {places}, too. Confirm that on the auth config's page, or change it first."
        raise InvalidDraft({"confirm_origins": [told]})
    origins.confirm(unknown)


def _fill(config: AuthConfig, draft: ConfigDraft, judged: Judged, *, hosts: str) -> list[str]:
    """Put the draft into the row's columns; their names."""
    if draft.disabled != (config.disabled_at is not None):
        config.disabled_at = timezone.now() if draft.disabled else None
    values = {
        "name": draft.name,
        "description": draft.description,
        "method": judged.method.code,
        "owner": draft.owner,
        "rotate_by": draft.rotate_by,
        "client_id": str(judged.options.get("client_id", ""))[:500],
        "hosts": hosts,
    }
    for name, value in values.items():
        setattr(config, name, value)
    return [*values, "disabled_at"]


def _swap(config: AuthConfig, draft: ConfigDraft, judged: Judged, *, seen: int) -> None:
    if draft.name != config.name:
        _refuse_taken_name(draft.name, config.environment)
    urls = judged.method.token_origins(judged.options)
    hosts = origins.hosts(origins.listed(config, _API) | urls)
    columns = _fill(config, draft, judged, hosts=hosts)
    if judged.change is not Change.NOTHING:
        config.token_revision += 1
        columns.append("token_revision")
    if judged.of_credential:
        config.credential_revision = seen + 1
        columns.append("credential_revision")
    _bump(config, seen=seen, columns=columns)


def _bump(config: AuthConfig, *, seen: int, columns: list[str]) -> None:
    """Write the columns and the next revision, if the config is still at the one that was seen."""
    config.revision = seen + 1
    config.updated_at = timezone.now()
    values = {name: getattr(config, name) for name in (*columns, "revision", "updated_at")}
    if not AuthConfig.objects.filter(id=config.id, revision=seen).update(**values):
        raise conflict(config)
