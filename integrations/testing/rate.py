"""How many tests a tenant starts one by one: at most TEST_RATE_PER_MINUTE."""

from uuid import UUID

from django.conf import settings

from authconfigs import rate
from authconfigs.models import Starts


def count_start(tenant_id: UUID) -> float | None:
    """Count one test that starts now. None when it may, else the seconds until one may; nothing is counted then."""
    return rate.count_start(tenant_id, Starts.Kind.TEST, limit=settings.TEST_RATE_PER_MINUTE)
