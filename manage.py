#!/usr/bin/env python
"""Runs the console's commands: `python manage.py help` lists them."""

import io
import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Scripts read our output: its encoding doesn't hang on the caller's locale.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
