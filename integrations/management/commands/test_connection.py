from typing import Any

from django.core.management.base import CommandParser

from integrations.models import ConnectionTest
from integrations.targets import Name
from integrations.testing import document_of_test, test_connection
from tenants.commands import ConsoleCommand, Failed


class Command(ConsoleCommand):
    help = (
        "Test a connection step by step, and show its API a wrong credential, too. Exit 0 when it works; else the likely"
        " cause and what to check."
    )
    example = "python manage.py test_connection acme/billing --environment staging"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("connection", metavar="TENANT/INTEGRATION[:NAME]")
        parser.add_argument("--environment", required=True, metavar="E")
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        typed = self.parse_target(options["connection"])
        name = Name(typed.tenant, typed.integration, options["environment"], typed.connection)
        try:
            row = test_connection(name)
        except LookupError as unknown:
            self.fail(str(unknown))
        document = document_of_test(row)
        if not options["json"]:
            for line in account(row):
                self.stdout.write(line)
        if not row.ok:
            raise Failed(words(row), returncode=1, document=document)
        if options["json"]:
            self.print_json(document)
        else:
            self.stdout.write(row.summary)


def account(row: ConnectionTest) -> list[str]:
    """The steps and warnings, a line each."""
    steps = [
        f"{'ok' if step['ok'] else 'failed':6} {step['name']:16} {step['detail']} ({step['ms']} ms)"
        for step in row.steps
    ]
    return [*steps, *(f"Warning: {warning}" for warning in row.warnings)]


def words(row: ConnectionTest) -> str:
    """Why it doesn't work, and what to check, in order."""
    checks = "".join(f"\n  {number}. {check}" for number, check in enumerate(row.checks, 1))
    return f"{row.summary} ({row.symptom})\n{row.likely_cause}\nCheck:{checks}"
