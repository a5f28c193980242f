"""Processes that call acme/crm, all at the moment a line comes: `python -m tests.faults.at_once 16`.

Each line is a round; each process prints one line per round. They are forked from one that has opened no connection.
"""

import os
import sys

import django
from django.db import connection

from tests.integrations.calling_processes import say


def call_whenever_told(told: int) -> None:
    from integrations.client import CallFailed, connect

    client = connect("acme", "crm", environment="staging")
    say("ready")
    while os.read(told, 1):
        try:
            say(str(client.get().status_code))
        except CallFailed as failed:
            say(f"{failed.symptom} {failed.stage}")
        connection.close()


def main(number: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    tells: list[int] = []
    for _ in range(number):
        told, tell = os.pipe()
        if os.fork() == 0:
            for one in (*tells, tell):
                os.close(one)
            call_whenever_told(told)
            return
        os.close(told)
        tells.append(tell)
    while sys.stdin.readline():
        for tell in tells:
            os.write(tell, b"!")
    for tell in tells:
        os.close(tell)
    for _ in range(number):
        os.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
