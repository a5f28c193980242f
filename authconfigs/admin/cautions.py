"""What is allowed with a config, but not good: told beside its form and on its page."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from authconfigs import methods
from authconfigs.methods.base import AuthMethod, Fields
from authconfigs.models import AuthConfig, Credential
from tenants.models import User

# How many names a sentence has, and how many configs with one of the secrets are read for that.
_NAMED = 3
_READ = 10
_CHANGE = "authconfigs.change_authconfig"


def cautions(
    method: AuthMethod, options: Fields, *, connections: Sequence[Any], rotates: bool
) -> Iterator[str]:
    """What the options, the addresses of the connections and the lack of a date say."""
    yield from method.warnings(options)
    if open_to_read := [each for each in connections if _is_open(each)]:
        names = _listed([str(each) for each in open_to_read])
        has = "has" if len(open_to_read) == 1 else "have"
        yield format_html(
            "{} {} a base URL that begins with http://: the credential can be read on the way. Use https://.",
            names,
            has,
        )
    if method.long_lived and not rotates:
        yield (
            f"Whoever gets hold of the {method.long_lived} can use it until somebody replaces it:"
            " say under Rotate by when that should be."
        )


def twins(
    config: AuthConfig, states: Mapping[str, Mapping[str, Any]], *, user: User
) -> Iterator[str]:
    """Which of these stored secrets another environment has, too, known by their fingerprints; in this tenant alone.

    Who could try one secret after the other here isn't told of what they may not set there: it would tell when they are right.
    """
    prints = {
        state["fingerprint"]: name
        for name, state in states.items()
        if isinstance(state, Mapping) and "fingerprint" in state
    }
    if not prints:
        return
    found: dict[str, list[AuthConfig]] = {}
    tries = user.has_perm(_CHANGE, config)
    for other in _others(config, prints):
        if tries and not user.has_perm(_CHANGE, other.config):
            continue
        for state in other.secret_state.values():
            name = prints.get(state.get("fingerprint")) if isinstance(state, Mapping) else None
            if name is not None:
                found.setdefault(name, []).append(other.config)
    declared = methods.stored(config.method).Form.declared()
    for name, others in found.items():
        yield format_html(
            "The {} is the same as in {}: use one of its own for each environment, so that a leak of one opens no other.",
            declared[name].name_in_text if name in declared else name,
            _linked(others, user=user),
        )


def _others(config: AuthConfig, prints: Collection[str]) -> Iterable[Any]:
    """The credentials of other environments that have one of the fingerprints."""
    names = sorted({name for method in methods.METHODS for name in method.secret_names})
    has_one = Q()
    for name in names:
        has_one |= Q(**{f"secret_state__{name}__fingerprint__in": list(prints)})
    rows = Credential.objects.filter(has_one, slot=Credential.Slot.CURRENT)
    return (
        rows.exclude(config__environment=config.environment_id)
        .select_related("config__environment")
        .defer("secrets", "options")
        .order_by("config__environment__slug", "config__name")[:_READ]
    )


def _linked(configs: Sequence[AuthConfig], *, user: User) -> str:
    """The configs by name and environment, those that the user may see."""
    seen = [each for each in configs if user.has_perm("authconfigs.view_authconfig", each)]
    if not seen:
        return "another environment"
    links = [
        format_html(
            '<a href="{}">{}</a> ({})',
            reverse("admin:authconfigs_authconfig_change", args=[each.id]),
            each.name,
            each.environment.name,
        )
        for each in seen
    ]
    return _listed(links)


def _listed(names: Sequence[str]) -> str:
    shown = format_html_join(", ", "{}", ((name,) for name in names[:_NAMED]))
    return format_html("{} and others", shown) if len(names) > _NAMED else shown


def _is_open(connection: Any) -> bool:
    return str(connection.base_url).lower().startswith("http://")
