from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from authconfigs.management.progress import ProgressBar
from authconfigs.rotation import Resealing, count_values, forget_retired, reseal, rewrap
from tenants.commands import ConsoleCommand, Failed


class Command(ConsoleCommand):
    help = (
        "Wrap every data key with the first master key of FIELD_ENCRYPTION_KEYS. Put a new master key first there and keep the"
        " old one until this is done. Every running process needs both before it starts."
    )
    example = "python manage.py rotate_encryption_keys --data-keys"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--data-keys",
            action="store_true",
            help="also make new data keys and seal every value with them; goes on where it was interrupted",
        )
        parser.add_argument(
            "--batch-size",
            type=positive,
            default=200,
            metavar="N",
            help="how many rows are written in one transaction (default: 200)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would be done, and write nothing"
        )
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        size, dry_run = options["batch_size"], options["dry_run"]
        wrapping = rewrap(batch_size=size, dry_run=dry_run)
        if not dry_run:
            # Before values move on: whoever has just read one still needs its key.
            forget_retired(batch_size=size)
        sealing = Resealing(made=0, resealed=0, unreadable=0, left=0)
        if options["data_keys"]:
            bar = ProgressBar(self.stderr, "Sealing anew", total=count_values())
            try:
                sealing = reseal(batch_size=size, dry_run=dry_run, advance=bar.advance)
            finally:
                bar.end()
        trouble = [
            *(f"The data key {name} opens with no master key." for name in wrapping.locked),
            *([f"{sealing.unreadable} values can't be decrypted."] if sealing.unreadable else []),
            *([f"{sealing.left} values changed all the while."] if sealing.left else []),
        ]
        document = {
            "ok": not trouble,
            "data_keys": {"rewrapped": wrapping.rewrapped, "made": sealing.made},
            "values": {"resealed": sealing.resealed, "unreadable": sealing.unreadable},
        }
        if not options["json"]:
            self.stdout.write(
                f"{'Would be done' if dry_run else 'Done'}: {wrapping.rewrapped} data keys wrapped anew, {sealing.made} made,"
                f" {sealing.resealed} values sealed anew."
            )
        if trouble:
            raise Failed(
                f"{' '.join(trouble)} They were left as they are: see check_secrets, put the missing master key back, and"
                " run this again.",
                returncode=1,
                document=document,
            )
        if options["json"]:
            self.print_json(document)


def positive(text: str) -> int:
    """A whole number above 0. Raises ArgumentTypeError."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise ArgumentTypeError(f"{text!r} isn't a whole number above 0")
