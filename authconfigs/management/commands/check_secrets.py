from typing import Any

from django.core.management.base import CommandParser

from authconfigs.secret_check import check_secrets
from tenants.commands import ConsoleCommand, Failed


class Command(ConsoleCommand):
    help = "Open every sealed value with the keys of FIELD_ENCRYPTION_KEYS and tell which don't open. Shows no secret."
    example = "python manage.py check_secrets --json"

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        check = check_secrets()
        document = {
            "ok": not check.unreadable,
            "values": check.values,
            "unreadable": [{"table": table, "id": key} for table, key in check.unreadable],
            "master_keys": check.master_keys,
            "data_keys": check.data_keys,
        }
        if not options["json"]:
            for name, keys in check.master_keys.items():
                self.stdout.write(f"master key {name}: wraps {keys} data keys")
            for name, values in check.data_keys.items():
                self.stdout.write(f"data key {name}: seals {values} values")
            for table, key in check.unreadable:
                self.stdout.write(f"{table} {key}: can't be decrypted with the current keys")
        if check.unreadable:
            raise Failed(
                f"{len(check.unreadable)} rows hold a secret that can't be decrypted with the current keys. Put the missing"
                " key back into FIELD_ENCRYPTION_KEYS, or type these secrets again.",
                returncode=1,
                document=document,
            )
        if options["json"]:
            self.print_json(document)
        else:
            self.stdout.write(f"All {check.values} sealed values open.")
