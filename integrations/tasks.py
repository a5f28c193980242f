"""What runs in the background for integrations. Tasks take ids, never values; the database says what is to be done."""

from uuid import UUID

from celery import shared_task

from integrations.testing.together import forget_old, run, unfinished
from tenants.task_base import ConsoleTask


@shared_task(base=ConsoleTask)  # type: ignore[untyped-decorator]
def run_bulk_test(bulk_id: str) -> None:
    """Test what is left of it, and hand on what is left then."""
    if run(UUID(bulk_id)):
        run_bulk_test.delay(bulk_id)


@shared_task(base=ConsoleTask)  # type: ignore[untyped-decorator]
def take_up_bulk_tests() -> None:
    """Go on with those whose worker is gone, and forget old ones."""
    for bulk_id in unfinished():
        run_bulk_test.delay(str(bulk_id))
    forget_old()
