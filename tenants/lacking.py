"""Which right somebody lacked, for the page that refuses: who has it, and whom to ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.http import HttpRequest

from tenants.middleware import tenant_of
from tenants.models import Environment, Membership
from tenants.permissions import role_of
from tenants.roles import PLATFORM, PROTECTED, UNPROTECTED, Role

_ATTRIBUTE = "lacking"
# How many people the page names before it counts the rest.
_NAMED = 10
# Where the verb of a permission isn't what one says.
_VERBS = {
    "view": "see",
    "call": "send requests through",
    "call_unsafely": "send other requests than GET and HEAD through",
    "refresh": "refresh the tokens of",
    "simulate_expiry": "simulate the expiry of",
    "switch_off": "switch off",
}


@dataclass(frozen=True)
class Lacking:
    """`perm` as Django names it; `protected` is the environment where it takes more, if the row is in one."""

    perm: str
    protected: Environment | None

    @property
    def roles(self) -> list[Role]:
        """The roles that have it here."""
        return self._in(UNPROTECTED if self.protected is None else PROTECTED)

    @property
    def sentence(self) -> str:
        """Who may do what: Only editors and admins may change auth configs."""
        app, codename = self.perm.split(".")
        verb, _, model = codename.rpartition("_")
        what = str(apps.get_model(app, model)._meta.verbose_name_plural)
        where = ""
        if self.protected is not None and self.roles != self._in(UNPROTECTED):
            where = f" in {self.protected.name}, which is protected"
        *others, last = [f"{role.label.lower()}s" for role in self.roles] or [""]
        people = f"{', '.join(others)} and {last}" if others else last
        if self.perm in PLATFORM or not people:
            people = "the operators of this console"
        return f"Only {people} may {_VERBS.get(verb, verb)} {what}{where}."

    def _in(self, table: Mapping[Role, frozenset[str]]) -> list[Role]:
        return [role for role in Role if self.perm in table[role]]


def remember(request: HttpRequest, perm: str, row: Model | None) -> None:
    """Note what the user was found to lack. A page that refuses does it after the last question that it asked; who may not even
    see something isn't told of the right to change it."""
    app, _, codename = perm.partition(".")
    seen = f"{app}.view_{codename.rpartition('_')[2]}"
    known: Lacking | None = getattr(request, _ATTRIBUTE, None)
    if known is not None and known.perm == seen:
        return
    environment = getattr(row, "environment", None)
    protected = environment if getattr(environment, "protected", False) else None
    setattr(request, _ATTRIBUTE, Lacking(perm, protected))


def told(request: HttpRequest) -> dict[str, Any]:
    """What the page says. People are named to those alone who work in the tenant."""
    tenant, role = tenant_of(request), role_of(request.user)
    lacking: Lacking | None = getattr(request, _ATTRIBUTE, None)
    if tenant is None or role is None:
        return {"sentence": lacking.sentence if lacking else ""}
    roles = (lacking.roles if lacking else []) or [Role.ADMIN]
    people = (
        Membership.objects.filter(role__in=roles, user__is_active=True)
        .exclude(user=request.user.pk)
        .select_related("user")
        .order_by("user__username")
    )
    # The admins first: they can give another role, too.
    found = sorted(people[:1000], key=lambda each: each.role != Role.ADMIN)
    return {
        "sentence": lacking.sentence if lacking else "",
        "tenant": tenant,
        "role": role.label,
        "people": found[:_NAMED],
        "more": max(len(found) - _NAMED, 0),
    }
