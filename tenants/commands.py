"""What our commands have in common: exit codes, `--json`, arguments in any order, and who acts.

Exit 0: ok. Exit 1: it was tried and failed. Exit 2: what the caller typed can't be done.
"""

import errno
import json
import os
import pwd
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from django.db import InterfaceError, OperationalError, ProgrammingError

from tenants.actor import Actor, acting_as
from tenants.models import Tenant
from tenants.scope import tenant_scope

_INTERRUPTED = 130
_UNWRITABLE = {errno.EPIPE, errno.ENOSPC, errno.EIO}


class TargetName(NamedTuple):
    """A connection as commands name it: TENANT/INTEGRATION[:NAME]."""

    tenant: str
    integration: str
    connection: str


class ConfigName(NamedTuple):
    """An auth config as commands name it: TENANT/CONFIG."""

    tenant: str
    config: str


class Failed(CommandError):
    """Ends a command. `document` is what `--json` prints, or None where the command has printed its own."""

    def __init__(
        self, message: str, *, returncode: int, document: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, returncode=returncode)
        self.document = document


class ConsoleParser(CommandParser):
    """Takes options and positionals in any order; a usage error is exit 2 for `call_command`, too."""

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        return self.parse_intermixed_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        if self.called_from_command_line:
            super().error(message)
        raise CommandError(message, returncode=2)


class _Help(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Our options before Django's, and an example's lines as they are."""


class ConsoleCommand(BaseCommand):
    """A command of the console. Subclasses set `help` and `example` and write `add_arguments()` and `handle()`.

    Whoever has the shell is the operator: the audit trail names their account.
    """

    example = ""
    # Checks concern the code, and loading every page for them takes longer than most commands.
    requires_system_checks: tuple[str, ...] = ()
    _prints_json = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser with our manners, and the example below the options."""
        parser = super().create_parser(
            prog_name,
            subcommand,
            epilog=f"example:\n  {self.example}" if self.example else None,
            formatter_class=_Help,
            allow_abbrev=False,
            **kwargs,
        )
        # Django takes no class for it.
        parser.__class__ = ConsoleParser
        return parser

    def add_json(self, parser: CommandParser) -> None:
        """Add `--json`."""
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def run_from_argv(self, argv: list[str]) -> None:
        """As Django's; whoever stops reading our output, or presses Ctrl-C, sees no traceback."""
        try:
            try:
                super().run_from_argv(argv)
            finally:
                sys.stdout.flush()
        except KeyboardInterrupt:
            sys.exit(_INTERRUPTED)
        except OSError as problem:
            if problem.errno not in _UNWRITABLE:
                raise
            if problem.errno != errno.EPIPE:
                self.stderr.write(f"The output can't be written: {problem.strerror}.")
            # Python would try again to flush what is left.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run as the shell's user; a failure is told on stderr and, with `--json`, as a document."""
        self._prints_json = bool(options.get("json"))
        try:
            with acting_as(shell_actor()):
                return super().execute(*args, **options)
        except (OperationalError, ProgrammingError, InterfaceError) as problem:
            message = _database_trouble(problem)
            failure: CommandError = Failed(message, returncode=1, document=_refusal(message))
        except CommandError as error:
            failure = error
        if self._prints_json and isinstance(failure, Failed) and failure.document is not None:
            self.print_json(failure.document)
        if not getattr(self, "_called_from_command_line", False) or options.get("traceback"):
            raise failure
        self.stderr.write(str(failure))
        sys.exit(failure.returncode)

    def fail(self, message: str, *, document: Mapping[str, Any] | None = None) -> NoReturn:
        """End with exit 2: what the caller typed can't be done. `document` replaces the usual one of `--json`."""
        raise Failed(message, returncode=2, document=document or _refusal(message))

    def give_up(self, message: str) -> NoReturn:
        """End with exit 1: it was tried, and outside circumstances were against it."""
        raise Failed(message, returncode=1, document=_refusal(message))

    def print_json(self, document: Mapping[str, Any]) -> None:
        """Write the one document of `--json` to stdout."""
        self.stdout.write(json.dumps(document, ensure_ascii=False))

    def parse_target(self, text: str) -> TargetName:
        """TENANT/INTEGRATION[:NAME] in its parts; NAME is `default` when left out. Fails on anything else."""
        tenant, _, rest = text.partition("/")
        integration, colon, connection = rest.partition(":")
        parts = TargetName(tenant, integration, connection if colon else "default")
        if not all(parts) or "/" in rest:
            self.fail(f"{text!r} isn't TENANT/INTEGRATION[:NAME]: write it as in acme/billing.")
        return parts

    def parse_config(self, text: str) -> ConfigName:
        """TENANT/CONFIG in its parts. Fails on anything else."""
        tenant, _, config = text.partition("/")
        if not tenant or not config or "/" in config:
            self.fail(f"{text!r} isn't TENANT/CONFIG: write it as in acme/billing.")
        return ConfigName(tenant, config)

    @contextmanager
    def in_tenant(self, slug: str) -> Iterator[Tenant]:
        """Open the tenant's scope. Fails when there is none of that slug."""
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            self.fail(f"There is no tenant {slug}. Check how its slug is spelt.")
        with tenant_scope(tenant.id):
            yield tenant


def shell_actor() -> Actor:
    """Whoever runs the process, for the audit trail."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    return Actor(user_id=None, name=name, address=None, via="shell")


def _refusal(message: str) -> dict[str, Any]:
    return {"ok": False, "error": message}


def _database_trouble(problem: Exception) -> str:
    reason = (str(problem).splitlines() or [type(problem).__name__])[0]
    return (
        f"The database refused: {reason}. Is it there, and has `python manage.py migrate` been run?"
    )
