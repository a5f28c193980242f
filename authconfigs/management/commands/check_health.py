from typing import Any

from django.core.management.base import CommandParser

from authconfigs.health import UNKNOWN, document, health
from tenants.commands import ConsoleCommand, Failed


class Command(ConsoleCommand):
    help = "Tell whether database, queue, Celery beat and workers do their work, and how many tokens wait to be renewed."
    example = "python manage.py check_health --json"

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        found = health()
        told = document(found)
        if not options["json"]:
            self.stdout.write(f"database: {_word(found.database)}")
            self.stdout.write(f"queue: {_word(found.broker)}")
            worker = UNKNOWN if found.is_worker_unknown else _ago(found.worker_age_s)
            self.stdout.write(f"Celery beat: {_ago(found.beat_age_s)}")
            self.stdout.write(f"Celery worker: {worker}")
            if found.database:
                self.stdout.write(f"tokens: {found.due} due, {found.overdue} overdue")
                self.stdout.write(f"data keys that don't open: {found.unreadable_data_keys}")
        if found.problems:
            raise Failed("\n".join(found.problems), returncode=1, document=told)
        if options["json"]:
            self.print_json(told)
        else:
            self.stdout.write("All is well.")


def _word(works: bool) -> str:
    return "works" if works else "unavailable"


def _ago(age: float | None) -> str:
    return "no sign of life" if age is None else f"last sign of life {age:.0f} s ago"
