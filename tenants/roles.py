"""Who may do what: one literal table from role to permissions.

A permission is named as Django names it: `app_label.codename`. `UNPROTECTED` holds what a role may do in general and in
unprotected environments, `PROTECTED` what it may do to an object of a protected one.
"""

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
