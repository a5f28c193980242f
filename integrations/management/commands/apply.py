"""manage.py apply: make the database what a file describes."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from authconfigs.symptoms import Symptom
from integrations.files.applying import DatabaseBusy, Outcome, apply
from integrations.files.problems import BadFile, Problem
from integrations.files.reading import read_bytes
from integrations.files.work import Options
from tenants.commands import ConsoleCommand


class Command(ConsoleCommand):
    """Create or update what a file describes, all or nothing."""

    help = "Create or update the tenants, staff, auth configs, integrations and connections that a file describes."
    example = (
        "BILLING_KEY=... python manage.py apply acme.yaml --dry-run\n"
        "  python manage.py export acme | python manage.py apply --keep-secrets -"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="YAML or JSON; - is stdin")
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would change, and change nothing"
        )
        parser.add_argument(
            "--prune",
            action="store_true",
            help="delete auth configs, integrations and connections of the file's tenants that it doesn't mention",
        )
        parser.add_argument(
            "--keep-secrets",
            action="store_true",
            help="read no ${...}: every stored secret stays as it is",
        )
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        wanted = Options(
            folder=Path.cwd() if path == "-" else Path(path).absolute().parent,
            dry_run=options["dry_run"],
            prune=options["prune"],
            keep_secrets=options["keep_secrets"],
        )
        try:
            outcome = apply(_content(path), wanted)
        except BadFile as error:
            self.fail(str(error), document=_refusal(error))
        except DatabaseBusy as error:
            self.give_up(str(error))
        for note in outcome.notes:
            self.stderr.write(note, lambda text: text)
        if options["json"]:
            self.print_json(_document(outcome))
        else:
            self._print(outcome, dry_run=wanted.dry_run)

    def _print(self, outcome: Outcome, *, dry_run: bool) -> None:
        for change in outcome.changes:
            self.stdout.write(str(change))
        if not outcome.changes:
            self.stdout.write("nothing to do")
        elif dry_run:
            self.stdout.write("dry run: nothing was changed")


def _content(path: str) -> bytes:
    try:
        if path == "-":
            return read_bytes(sys.stdin.buffer)
        with Path(path).open("rb") as stream:
            return read_bytes(stream)
    except OSError as problem:
        raise BadFile(
            [
                Problem(
                    "",
                    f"{path} can't be read: {problem.strerror}. Name a file that is there and readable, or - for stdin.",
                )
            ]
        ) from None


def _document(outcome: Outcome) -> dict[str, Any]:
    changes = [change.as_document() for change in outcome.changes]
    return {"ok": True, "changed": bool(changes), "changes": changes, "errors": []}


def _refusal(error: BadFile) -> dict[str, Any]:
    errors = [
        {"path": problem.path, "symptom": Symptom.CONFIG_INVALID, "message": problem.message}
        for problem in error.problems
    ]
    return {"ok": False, "changed": False, "changes": [], "errors": errors, "error": str(error)}
