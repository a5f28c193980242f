"""Auth configs, as a file wants them."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from authconfigs import methods
from authconfigs.methods.base import AuthMethod
from authconfigs.models import AuthConfig
from authconfigs.saving import (
    ConfigDraft,
    InvalidDraft,
    Secret,
    current_credential,
    save_config,
)
from integrations.files.outcome import Report
from integrations.files.placeholders import Unreadable, is_placeholder, resolve
from integrations.files.shapes import Entry
from integrations.files.work import Options, Work, unique
from tenants.models import Membership, User


class Refused(Exception):
    """A value of this entry can't be used; where and why is in the report."""


def apply_configs(work: Work, options: Options, report: Report) -> None:
    """Make or change the configs. Their own token URLs are where their secrets may go from then on."""
    entries = unique(work.entry.entries("auth_configs"), ("environment", "name"), report)
    work.configs = _stored(work, entries)
    owners = _owners(entries)
    for entry in entries:
        environment = work.environments.get(entry["environment"])
        if environment is None:
            report.refuse(
                entry.at("environment"),
                "The tenant has no environment of this slug. Add it under environments, or name another.",
            )
            continue
        key = (environment.slug, entry["name"])
        config = work.configs.get(key)
        try:
            draft, place = _draft(entry, config, owners=owners, options=options, report=report)
            saved = save_config(
                draft,
                environment=environment,
                config=config,
                widen_origins=True,
                numbered_key=work.numbered_key,
            )
        except InvalidDraft as error:
            report.refuse_draft(error, place)
            continue
        except Refused:
            continue
        work.configs[key] = saved.config
        name = f"{work.tenant.slug}/{saved.config.name}"
        slug = environment.slug
        report.created_or_updated(
            saved.created, "auth_config", name, fields=saved.fields, environment=slug
        )
        report.widened(name, saved.added_origins, purpose="token", environment=slug)
        report.note(entry.path, saved.notes)


def _stored(work: Work, entries: Iterable[Entry]) -> dict[tuple[str, str], AuthConfig]:
    """The stored configs that the file names, also as those of its connections."""
    names = {entry["name"] for entry in entries}
    for integration in work.entry.entries("integrations"):
        names |= {row.given.get("auth_config") for row in integration.entries("connections")}
    rows = AuthConfig.objects.filter(name__in=names - {None}).select_related("owner")
    slugs = {environment.id: environment for environment in work.environments.values()}
    found = {}
    for row in rows.prefetch_related("credentials", "allowed_origins"):
        row.environment = slugs[row.environment_id]
        found[row.environment.slug, row.name] = row
    return found


def _owners(entries: Iterable[Entry]) -> Mapping[str, User]:
    """The tenant's staff by user name, if an owner is named at all."""
    if not any(entry.given.get("owner") for entry in entries):
        return {}
    staff = Membership.objects.select_related("user")
    return {membership.user.username: membership.user for membership in staff}


def _method(entry: Entry, config: AuthConfig | None, report: Report) -> AuthMethod:
    code = entry.value("method", stored=config.method if config is not None else None, default=None)
    if code is None:
        report.refuse(entry.at("method"), "This is missing: add it.")
        raise Refused
    try:
        return methods.by_code(code)
    except KeyError:
        known = ", ".join(method.code for method in methods.METHODS)
        report.refuse(
            entry.at("method"), f"There is no such method. Known are: {known}. Use one of those."
        )
        raise Refused from None


def _draft(
    entry: Entry,
    config: AuthConfig | None,
    *,
    owners: Mapping[str, User],
    options: Options,
    report: Report,
) -> tuple[ConfigDraft, Callable[[str], str]]:
    """What the config is to be: what is stored, and over it what the file gives. And where its fields stand in the file."""
    method = _method(entry, config, report)
    same = config is not None and config.method == method.code
    stored_options = current_credential(config).options if config is not None and same else {}
    stored_secrets = current_credential(config).secret_state if config is not None and same else {}
    secrets, cleared = _secrets(
        entry, method, stored_secrets, is_new=not same, options=options, report=report
    )
    base = config or AuthConfig()
    owner = base.owner if config is not None else None
    if "owner" in entry:
        owner = owners.get(entry["owner"])
        if owner is None and entry["owner"] is not None:
            report.refuse(
                entry.at("owner"),
                "Nobody of this user name is staff of the tenant. Add them under staff, or name another.",
            )
            raise Refused
    draft = ConfigDraft(
        name=entry["name"],
        method=method.code,
        options=_options(entry, method, stored_options, report=report),
        secrets=secrets,
        cleared=cleared,
        description=entry.value("description", stored=base.description, default=""),
        owner=owner,
        rotate_by=entry.value("rotate_by", stored=base.rotate_by, default=None),
        disabled=entry.value("disabled", stored=base.disabled_at is not None, default=False),
    )
    return draft, partial(_place, entry, method)


def _options(
    entry: Entry, method: AuthMethod, stored: Mapping[str, Any], *, report: Report
) -> dict[str, Any]:
    given = entry.value("options", stored={}, default={})
    _refuse_unknown(entry, "options", given, known=method.option_names, report=report)
    kept = {} if "options" in entry and entry["options"] is None else stored
    merged = {**kept, **given}
    return {name: value for name, value in merged.items() if name in method.option_names}


def _secrets(
    entry: Entry,
    method: AuthMethod,
    stored: Mapping[str, Any],
    *,
    is_new: bool,
    options: Options,
    report: Report,
) -> tuple[dict[str, Secret], frozenset[str]]:
    """The secrets that the file sets, and the names of those that it clears."""
    given = entry.value("secrets", stored={}, default={})
    _refuse_unknown(entry, "secrets", given, known=method.secret_names, report=report)
    declared = method.Form().declared()
    secrets: dict[str, Secret] = {}
    cleared: set[str] = set()
    refused = False
    for name, value in given.items():
        if value is None or (options.keep_secrets and name in stored):
            continue
        try:
            if options.keep_secrets and _is_left_out(value):
                if is_new:
                    raise Unreadable(
                        "The auth config is new and needs it, but --keep-secrets leaves it out. Apply it once without --keep-secrets."
                    )
                continue
            secret = _resolved(value, options)
        except Unreadable as problem:
            report.refuse(entry.at("secrets", name), str(problem))
            refused = True
            continue
        blank = isinstance(secret, str) and declared[name].trims and not secret.strip()
        if secret and not blank:
            secrets[name] = secret
        else:
            cleared.add(name)
    if refused:
        raise Refused
    return secrets, frozenset(cleared)


def _is_left_out(value: Any) -> bool:
    """Whether it isn't in the file itself."""
    if isinstance(value, dict):
        return any(map(_is_left_out, value.values()))
    return any(map(is_placeholder, value if isinstance(value, list) else [value]))


def _resolved(value: str | dict[str, Any], options: Options) -> Secret:
    """The secret that the file means. In a mapping, null keeps what is stored under the name and an empty text clears it."""
    if isinstance(value, str):
        return resolve(value, folder=options.folder)
    found = {
        name: [resolve(one, folder=options.folder) for one in item]
        if isinstance(item, list)
        else item and resolve(item, folder=options.folder)
        for name, item in value.items()
    }
    return {name: item for name, item in found.items() if item is None or _says_something(item)}


def _says_something(item: str | list[str]) -> bool:
    return bool(item.strip()) if isinstance(item, str) else any(one.strip() for one in item)


def _refuse_unknown(
    entry: Entry, key: str, given: Mapping[str, Any], *, known: tuple[str, ...], report: Report
) -> None:
    unknown = [name for name in given if name not in known]
    for name in unknown:
        report.refuse(
            entry.at(key, name),
            f"Unknown key. Known are: {', '.join(known)}. Use one of those, or leave it out.",
        )
    if unknown:
        raise Refused


def _place(entry: Entry, method: AuthMethod, name: str) -> str:
    """The path of a field that the save path refuses."""
    if name in method.secret_names:
        return entry.at("secrets", name)
    if name in method.option_names:
        return entry.at("options", name)
    return entry.at(name) if name in ("name", "description", "method") else entry.path
