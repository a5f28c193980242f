from typing import Any

from django.core.management.base import CommandParser

from authconfigs.models import AuthConfig
from authconfigs.state import UnknownName, load_named_config
from authconfigs.tokens.sweep import after_expiry, expire_now, nothing_to_expire
from tenants.audit import record
from tenants.commands import ConsoleCommand, Failed


class Command(ConsoleCommand):
    help = "Make the stored OAuth token of an auth config look expired, so that the next call has to renew it."
    example = "python manage.py simulate_expiry acme/crm --environment staging"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("config", metavar="TENANT/CONFIG")
        parser.add_argument("--environment", required=True, metavar="E")
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        name = self.parse_config(options["config"])
        try:
            state = load_named_config(name.tenant, name.config, environment=options["environment"])
        except UnknownName as unknown:
            self.fail(str(unknown))
        if not state.method.uses_token:
            self.fail(
                f"{state} uses {state.method.label}, which has no token that expires: name an OAuth 2.0 config."
            )
        expired = expire_now(state)
        with self.in_tenant(name.tenant):
            config = AuthConfig.objects.filter(id=state.config_id).first()
            record("simulate_expiry", config, outcome="ok" if expired else "no token")
        if not expired:
            how = nothing_to_expire(state.method.code)
            summary = f"No token is stored for {state}, so none can expire. {how}"
            document = {"ok": False, "expired": False, "summary": summary}
            raise Failed(summary, returncode=1, document=document)
        if options["json"]:
            self.print_json({"ok": True, "expired": True})
        else:
            self.stdout.write(f"The token of {state} now looks expired: {after_expiry(state)}.")
