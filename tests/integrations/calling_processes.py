"""Processes that call acme/crm once, all at the moment that stdin says so: `python -m tests.integrations.calling_processes 16`.

They are forked from one that has loaded everything but opened no connection, as a web server's workers are.
"""

import os
import sys

import django


def say(line: str) -> None:
    # One write, so that the lines of several processes don't mix.
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def call_when_told(told: int) -> None:
    from integrations.client import CallFailed, connect

    client = connect("acme", "crm", environment="staging")
    say("ready")
    os.read(told, 1)
    try:
        say(str(client.get().status_code))
    except CallFailed as failed:
        say(f"{failed.symptom} {failed.stage}")


def main(number: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    told, tell = os.pipe()
    for _ in range(number):
        if os.fork() == 0:
            os.close(tell)
            call_when_told(told)
            return
    sys.stdin.readline()
    os.close(tell)
    for _ in range(number):
        os.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
