"""The manners of all our commands."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import CommandParser
from django.db import OperationalError

from tenants.actor import current_actor
from tenants.commands import ConfigName, ConsoleCommand, TargetName, shell_actor
from tenants.scope import active_tenant_id
from tests.factories import make_tenant


class Command(ConsoleCommand):
    """Does what it is told."""

    help = "Does what it is told."
    example = "python manage.py probe acme/billing"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target")
        parser.add_argument("path", nargs="?")
        parser.add_argument("--environment", required=True)
        parser.add_argument("--do", default="print")
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        match options["do"]:
            case "fail":
                self.fail("It isn't there.")
            case "give up":
                self.give_up("It was busy.")
            case "database":
                raise OperationalError("no such table: x\nDETAIL: secret")
            case "target":
                self.print_json(self.parse_target(options["target"])._asdict())
            case "config":
                self.print_json(self.parse_config(options["target"])._asdict())
            case "tenant":
                with self.in_tenant(options["target"]) as tenant:
                    self.print_json({"active": active_tenant_id() == tenant.id})
            case _:
                actor = current_actor()
                self.print_json({"path": options["path"], "via": actor.via, "name": actor.name})


def run(*arguments: str) -> tuple[int, str]:
    stdout = StringIO()
    try:
        call_command(Command(), *arguments, "--environment=e", stdout=stdout)
    except CommandError as error:
        return error.returncode, stdout.getvalue()
    return 0, stdout.getvalue()


def test_arguments_stand_in_any_order() -> None:
    expected = {"path": "/x", "via": "shell", "name": shell_actor().name}
    for arguments in (("a", "--json", "/x"), ("--json", "a", "/x"), ("a", "/x", "--json")):
        code, stdout = run(*arguments)
        assert (code, json.loads(stdout)) == (0, expected)


@pytest.mark.parametrize("arguments", [(), ("a", "b", "c"), ("a", "--nope"), ("a", "--js")])
def test_wrong_usage_is_exit_2_without_a_document(arguments: tuple[str, ...]) -> None:
    assert run(*arguments) == (2, "")


def test_what_the_caller_typed_wrongly_is_exit_2_with_a_document() -> None:
    assert run("a", "--do=fail") == (2, "")
    code, stdout = run("a", "--do=fail", "--json")
    assert (code, json.loads(stdout)) == (2, {"ok": False, "error": "It isn't there."})


def test_what_was_tried_and_failed_is_exit_1() -> None:
    code, stdout = run("a", "--do=give up", "--json")
    assert (code, json.loads(stdout)) == (1, {"ok": False, "error": "It was busy."})


def test_a_database_that_fails_is_one_line_of_its_words() -> None:
    code, stdout = run("a", "--do=database", "--json")
    error = json.loads(stdout)["error"]

    assert code == 1
    assert "no such table: x" in error
    assert "DETAIL" not in error


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("acme/billing", TargetName("acme", "billing", "default")),
        ("acme/billing:eu", TargetName("acme", "billing", "eu")),
    ],
)
def test_a_connection_is_named_by_tenant_integration_and_name(text: str, name: TargetName) -> None:
    code, stdout = run(text, "--do=target")
    assert (code, json.loads(stdout)) == (0, name._asdict())


@pytest.mark.parametrize("text", ["acme", "acme/", "/billing", "a/b/c", "acme/billing:", "a/:b"])
def test_anything_else_names_no_connection(text: str) -> None:
    assert run(text, "--do=target")[0] == 2


def test_a_config_is_named_by_tenant_and_name() -> None:
    code, stdout = run("acme/crm", "--do=config")
    assert (code, json.loads(stdout)) == (0, ConfigName("acme", "crm")._asdict())
    assert run("acme", "--do=config")[0] == 2


@pytest.mark.django_db
def test_a_tenant_is_entered_by_its_slug() -> None:
    make_tenant("acme")

    assert run("acme", "--do=tenant") == (0, '{"active": true}\n')
    assert run("nobody", "--do=tenant") == (2, "")
