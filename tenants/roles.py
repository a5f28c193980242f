"""Who may do what: one literal table from role to permissions.

A permission is named as Django names it: `app_label.codename`. `UNPROTECTED` holds what a role may do in general and in
unprotected environments, `PROTECTED` what it may do to an object of a protected one.
"""

from collections.abc import Mapping

from django.db import models


class Role(models.TextChoices):
    """Weakest first: nobody gives a role above their own."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    EDITOR = "editor", "Editor"
    ADMIN = "admin", "Admin"

    @property
    def rank(self) -> int:
        return list(type(self)).index(self)


# Configs, connections, tests, state, history. Never secrets: no permission shows those.
_SEE = frozenset(
    {
        "tenants.view_environment",
        "authconfigs.view_authconfig",
        "authconfigs.view_credential",
        "authconfigs.view_allowedorigin",
        "authconfigs.view_oauthtoken",
        "authconfigs.view_authorizationrequest",
        "integrations.view_integration",
        "integrations.view_integrationrevision",
        "integrations.view_connection",
        "integrations.view_connectiontest",
        "integrations.view_bulktest",
        "integrations.view_usagecount",
    }
)
# `call_connection` is a call with GET or HEAD; another method needs `call_unsafely_connection` besides (RFC 9110 §9.2.1).
_RUN_SAFELY = frozenset(
    {
        "authconfigs.test_authconfig",
        "authconfigs.refresh_authconfig",
        "authconfigs.simulate_expiry_authconfig",
        "integrations.test_connection",
        "integrations.cancel_bulktest",
        "integrations.call_connection",
        "integrations.bisect_connection",
    }
)
_RUN = _RUN_SAFELY | {"integrations.call_unsafely_connection"}
_EDIT = frozenset(
    {
        "authconfigs.add_authconfig",
        "authconfigs.change_authconfig",
        "authconfigs.delete_authconfig",
        "authconfigs.connect_authconfig",
        "authconfigs.disconnect_authconfig",
        "integrations.add_integration",
        "integrations.change_integration",
        "integrations.delete_integration",
        "integrations.add_connection",
        "integrations.change_connection",
        "integrations.delete_connection",
        "integrations.publish_connection",
    }
)
_ADMINISTER = frozenset(
    {
        "tenants.add_environment",
        "tenants.change_environment",
        "tenants.delete_environment",
        "tenants.view_membership",
        "tenants.add_membership",
        "tenants.change_membership",
        "tenants.delete_membership",
        "tenants.view_auditevent",
        "tenants.export_tenant",
    }
)

UNPROTECTED: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: _SEE,
    Role.OPERATOR: _SEE | _RUN,
    Role.EDITOR: _SEE | _RUN | _EDIT,
    Role.ADMIN: _SEE | _RUN | _EDIT | _ADMINISTER,
}
PROTECTED: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: _SEE,
    Role.OPERATOR: _SEE | _RUN_SAFELY,
    Role.EDITOR: _SEE | _RUN_SAFELY,
    Role.ADMIN: _SEE | _RUN | _EDIT | _ADMINISTER,
}
# Of platform operators, also while they are in no tenant; inside one they have its admin's permissions besides.
PLATFORM = frozenset(
    {
        "tenants.view_tenant",
        "tenants.add_tenant",
        "tenants.change_tenant",
        "tenants.switch_off_tenant",
        "tenants.enter_tenant",
        "tenants.add_foreign_membership",
    }
)


def holders_of(perm: str) -> str:
    """The roles that have a permission in general, in words: editors and admins. Empty where none has it."""
    names = [f"{role.value}s" for role in Role if perm in UNPROTECTED[role]]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
