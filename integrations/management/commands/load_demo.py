import logging
from typing import Any

from django.core.management.base import CommandParser

from integrations.demo.loading import OtherPort, load_demo
from integrations.demo.provider import DEFAULT_PORT
from integrations.management.commands.run_provider import port
from tenants.commands import ConsoleCommand


class Command(ConsoleCommand):
    help = (
        "Make the demo tenants Acme and Globex, test their connections against a demo provider that runs meanwhile, and"
        " print the generated logins. What is there already stays as it is."
    )
    example = "python manage.py load_demo --provider-port 8765"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--provider-port",
            type=port,
            default=DEFAULT_PORT,
            help=f"where the demo provider will run (default {DEFAULT_PORT}); it has to be free now",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # A newcomer looks for the logins, not for every request of the first tests.
        logging.getLogger("integrations.demo.provider").setLevel(logging.WARNING)
        number = options["provider_port"]
        try:
            passwords = load_demo(number)
        except OSError as problem:
            self.fail(
                f"Port {number} can't be used ({problem.strerror}). Choose another with --provider-port."
            )
        except OtherPort as other:
            self.fail(
                f"The demo data that are there call the provider on port {other.port}: use that one"
                f" (make demo PROVIDER_PORT={other.port}), or start over with make reset."
            )
        if not passwords:
            self.stdout.write("The demo data is there already.")
            return
        width = max(len(login) for login in passwords)
        self.stdout.write("Logins of the demo tenants, shown this once:")
        for login, password in passwords.items():
            self.stdout.write(f"  {login:{width}}  {password}")
