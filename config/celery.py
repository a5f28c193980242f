"""Celery: background work and the clock. `celery -A config worker` and `celery -A config beat`."""

import gc
import os
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import setup_logging, worker_process_init
from django.conf import settings
from kombu.connection import Connection

from config.tether import tether

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class PatientConnection(Connection):
    """Looks for a lost broker so often that everything is caught up within two beats: kombu's own waits grow to 30 s."""

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        wait = min(settings.BEAT_SECONDS / 4, 5)
        waits = {"interval_start": wait, "interval_step": 0, "interval_max": wait}
        return super().ensure_connection(*args, **(waits | options))  # type: ignore[no-untyped-call]


class Queue(AMQP):  # type: ignore[misc]
    Connection = PatientConnection


app = Celery("config", amqp=Queue)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect  # type: ignore[untyped-decorator]
def keep_djangos_logging(**_: Any) -> None:
    """Having a receiver stops Celery from adding handlers of its own, which would print unmasked."""


@worker_process_init.connect  # type: ignore[untyped-decorator]
def set_aside_what_stays(**_: Any) -> None:
    """The modules that are loaded live as long as the process: looking for garbage among them, again and again, takes its time.

    What is new is looked through less often, too: a chunk of refreshes makes many objects that die by themselves.
    """
    gc.freeze()
    gc.set_threshold(10_000)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def end_with_the_worker(**_: Any) -> None:
    """A pool process that outlives a killed worker would go on taking tasks."""
    tether(os.getppid())
