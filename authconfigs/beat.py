"""The clock's and the workers' signs of life, and the clock itself, which gives one after everything that it really sent."""

import logging
import os
from datetime import datetime
from typing import Any

from celery.beat import Scheduler
from django.db import Error, connection

from authconfigs.database import database_now
from authconfigs.models import Heartbeat

logger = logging.getLogger(__name__)

Part = Heartbeat.Part


class HeartbeatScheduler(Scheduler):  # type: ignore[misc]
    """Celery's scheduler; what couldn't be sent raises, and leaves no sign."""

    def setup_schedule(self) -> None:
        """Everything is due at the start: what came due while there was no clock has waited long enough."""
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at -= entry.schedule.run_every

    def apply_async(self, *args: Any, **options: Any) -> Any:
        sent = super().apply_async(*args, **options)
        try:
            give_sign(Part.BEAT)
        except Error as problem:
            # The next one tells: the clock doesn't stop for a database that is away.
            logger.warning("The sign of life can't be written: %s", type(problem).__name__)
        finally:
            if not connection.in_atomic_block:
                connection.close()
        return sent


def give_sign(part: Heartbeat.Part) -> None:
    """Write down that this part is alive, by the database's time."""
    Heartbeat.objects.update_or_create(
        part=part, defaults={"at": database_now(), "host": os.uname().nodename[:200]}
    )


def last_signs() -> dict[str, datetime]:
    """When each part gave its last one."""
    return dict(Heartbeat.objects.values_list("part", "at"))
