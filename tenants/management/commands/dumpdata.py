"""Django's dumpdata without the audit trail: what is loaded again would be a trail that somebody could have edited."""

from typing import Any

from django.core.management.commands import dumpdata

_TRAIL = "tenants.auditevent"


class Command(dumpdata.Command):
    help = (
        "Print the database's rows as fixtures; secrets stay sealed, and the audit trail is left out unless it is named."
        " Example: python manage.py dumpdata --all --output console.json"
    )

    def handle(self, *app_labels: str, **options: Any) -> None:
        if _TRAIL not in map(str.lower, app_labels):
            options["exclude"] = [*options["exclude"], _TRAIL]
        super().handle(*app_labels, **options)
