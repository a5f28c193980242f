"""A process that calls acme/crm once when it is told to: `python -m tests.integrations.calling_process`."""

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from integrations.client import CallFailed, connect

    client = connect("acme", "crm", environment="staging")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        sys.stdout.write(f"{client.get().status_code}\n")
    except CallFailed as failed:
        sys.stdout.write(f"{failed.symptom} {failed.stage}\n")


if __name__ == "__main__":
    main()
