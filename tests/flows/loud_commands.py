"""Runs commands one after the other, with every logger turned up: `python -m tests.flows.loud_commands < LISTS.json`."""

import json
import logging
import os
import sys

import django
from django.core.management import ManagementUtility

from tests.flows.noise import turn_up


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    for arguments in json.loads(sys.stdin.read()):
        code: object = 0
        line = ["manage.py", *arguments]
        command = ManagementUtility(line).fetch_command(arguments[0])
        turn_up()
        try:
            command.run_from_argv(line)
        except SystemExit as ended:
            code = ended.code or 0
        sys.stdout.write(f"\nexit {code}: {' '.join(arguments[:2])}\n")
        sys.stdout.flush()
    logging.getLogger(__name__).debug("the end")


if __name__ == "__main__":
    main()
