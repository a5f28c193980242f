"""manage.py run_provider: the demo provider, for people who try the console."""

import signal
from argparse import RawDescriptionHelpFormatter
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.demo.provider import DEFAULT_PORT, Provider


class Command(BaseCommand):
    """Run the demo provider until Ctrl-C."""

    help = "Run the demo provider: a small API with an OAuth 2.0 server on 127.0.0.1, made to be called and broken."
    requires_system_checks: tuple[str, ...] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """The parser, with an example."""
        return super().create_parser(
            prog_name,
            subcommand,
            epilog=(
                "example:\n  python manage.py run_provider --port 8765\n\n"
                "Then open http://127.0.0.1:8765/ for its endpoints, credentials and switches."
            ),
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **kwargs,
        )

    def add_arguments(self, parser: CommandParser) -> None:
        """--port and --rotated."""
        parser.add_argument(
            "--port", type=port, default=DEFAULT_PORT, help=f"port (default {DEFAULT_PORT})"
        )
        parser.add_argument(
            "--rotated", action="store_true", help="start with the rotating key already replaced"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        number = options["port"]
        try:
            provider = Provider(number, rotated=options["rotated"])
        except OSError as problem:
            raise CommandError(
                f"Port {number} can't be used ({problem.strerror}). Choose another with --port."
            ) from None

        def end(signum: int, frame: FrameType | None) -> None:
            provider.stopping.set()

        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, end)
        with provider:
            self.stdout.write(
                f"The demo provider answers at {provider.base_url}/ (Ctrl-C ends it)."
            )
            self.stdout.flush()
            provider.wait()


def port(text: str) -> int:
    """A port number, for argparse. Raises ValueError for anything else."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number
