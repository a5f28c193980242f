"""Deleting what nothing uses."""

from django.db import models, transaction
from django.db.models.deletion import RestrictedError

from tenants import audit
from tenants.refusals import InUse


def delete(row: models.Model) -> None:
    """Delete a config, connection, integration or environment. Raises InUse, with the list of what uses it."""
    try:
        with transaction.atomic():
            audit.record("delete", row)
            row.delete()
    except RestrictedError as error:
        users = sorted(_named(user) for user in error.restricted_objects)
    else:
        return
    raise InUse(_named(row), users=users)


def _named(row: models.Model) -> str:
    environment = getattr(row, "environment", None)
    place = f" ({environment.slug})" if environment is not None and environment != row else ""
    return f"{row._meta.verbose_name} {row}{place}"
