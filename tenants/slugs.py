"""Slugs: how tenants, environments, integrations and auth configs are named in files and commands."""

from django.core.validators import RegexValidator

validate_slug = RegexValidator(
    r"\A[a-z0-9-]{1,50}\Z",
    "Use 1 to 50 lower-case letters, digits and hyphens, for example billing-api.",
)
