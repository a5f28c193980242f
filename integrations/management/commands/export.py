"""manage.py export: what `apply` would make the same again of."""

from typing import Any

from django.core.management.base import CommandParser

from authconfigs.state import UnknownName, refuse_bytes
from integrations.files.exporting import export
from integrations.files.writing import write_yaml
from tenants import audit
from tenants.commands import ConsoleCommand
from tenants.models import Tenant


class Command(ConsoleCommand):
    """Write one tenant, or all, as a file for `apply`; secrets are placeholders."""

    help = "Write one tenant, or all, as a file for apply; each secret is a placeholder that names a variable."
    example = "python manage.py export acme > acme.yaml"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "tenant", metavar="TENANT", nargs="?", help="its slug; left out, every tenant"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = Tenant.objects.order_by("slug")
        if options["tenant"] is not None:
            try:
                refuse_bytes([options["tenant"]])
            except UnknownName as unknown:
                self.fail(str(unknown))
            tenants = tenants.filter(slug=options["tenant"])
            if not tenants:
                self.fail(f"There is no tenant {options['tenant']}. Check how its slug is spelt.")
        for tenant in tenants:
            audit.record("export", tenant, tenant_id=tenant.id)
        self.stdout.write(write_yaml(export(tenants)), ending="")
