from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from authconfigs.models import AuthConfig
from authconfigs.state import ConfigState, UnknownName, load_config, load_named_config
from authconfigs.tokens.schedule import LONGEST_LIFETIME
from authconfigs.tokens.sweep import Renewal, due_configs, is_due, left_alone, renew_now
from tenants.audit import record
from tenants.commands import ConsoleCommand, Failed
from tenants.scope import tenant_scope


class Command(ConsoleCommand):
    help = "Renew the OAuth tokens that are due, or that of one auth config."
    example = "python manage.py refresh_tokens --config acme/crm --environment staging --force"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--due-within",
            type=seconds,
            default=timedelta(),
            metavar="SECONDS",
            help="also what will be due within this time",
        )
        parser.add_argument("--config", metavar="TENANT/CONFIG", help="this auth config alone")
        parser.add_argument("--environment", metavar="E", help="the environment of --config")
        parser.add_argument(
            "--force",
            action="store_true",
            help="ask for a new token also where the stored one is good, or where a failure stopped it",
        )
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        force = options["force"]
        items, counts = [], Counter[str]()
        for state, listed in self.chosen(options):
            untouched = None
            if listed is not None and not force:
                untouched = left_alone(state, options["due_within"], listed=listed)
            renewal = untouched or renew_now(state, force=force)
            if renewal.asked:
                with tenant_scope(state.tenant_id):
                    config = AuthConfig.objects.filter(id=state.config_id).first()
                    record("refresh", config, outcome=renewal.symptom or "ok")
            counts[_kind(renewal)] += 1
            items.append(
                {
                    "config": str(state),
                    "environment": state.environment,
                    "ok": renewal.ok,
                    "symptom": renewal.symptom,
                    "summary": renewal.summary,
                }
            )
            if not options["json"]:
                self.stdout.write(f"{state} ({state.environment}): {renewal.summary}")
        document = {
            "ok": not counts["failed"],
            "due": len(items),
            **{kind: counts[kind] for kind in ("refreshed", "failed", "skipped")},
            "items": items,
        }
        told = "{due} due, {refreshed} renewed, {failed} failed, {skipped} left alone.".format(
            **document
        )
        if counts["failed"]:
            raise Failed(told, returncode=1, document=document)
        if options["json"]:
            self.print_json(document)
        else:
            self.stdout.write(told)

    def chosen(self, options: dict[str, Any]) -> Iterator[tuple[ConfigState, int | None]]:
        """The configs to ask for, read one by one just before, and what generation was listed; None for one that was named."""
        within, force = options["due_within"], options["force"]
        if not options["config"]:
            if options["environment"]:
                self.fail(
                    "--environment belongs to --config, which is missing: add it, or leave both out."
                )
            for config_id, generation in due_configs(within, force=force):
                # One that was deleted meanwhile isn't due any more.
                with suppress(UnknownName):
                    yield load_config(config_id), generation
            return
        if not options["environment"]:
            self.fail(
                "--config needs --environment, because a name is unique in one environment alone: add it."
            )
        name = self.parse_config(options["config"])
        try:
            state = load_named_config(name.tenant, name.config, environment=options["environment"])
        except UnknownName as unknown:
            self.fail(str(unknown))
        if not state.method.uses_token:
            self.fail(
                f"{state} uses {state.method.label}, which has no token to renew: name an OAuth 2.0 config."
            )
        if force or is_due(state, within):
            yield state, None


def seconds(text: str) -> timedelta:
    """A time in seconds, not negative, and no longer than any token lives. Raises ValueError."""
    number = float(text)
    if not 0 <= number <= LONGEST_LIFETIME.total_seconds():
        raise ValueError("not from 0 to ten years")
    return timedelta(seconds=number)


def _kind(renewal: Renewal) -> str:
    if not renewal.asked:
        return "skipped"
    return "refreshed" if renewal.ok else "failed"
