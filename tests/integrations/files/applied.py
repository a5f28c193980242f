"""Running `apply` and `export` in the test's own process."""

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

BASIC: dict[str, Any] = {
    "slug": "acme",
    "name": "Acme Corp",
    "environments": [
        {"slug": "staging", "name": "Staging"},
        {"slug": "production", "name": "Production", "protected": True},
    ],
    "auth_configs": [
        {
            "name": "billing",
            "environment": "staging",
            "method": "api_key",
            "options": {"key": "X-API-Key"},
            "secrets": {"value": "planted-key"},
        }
    ],
    "integrations": [
        {
            "slug": "billing",
            "name": "Billing API",
            "headers": {"Accept": "application/json"},
            "connections": [
                {
                    "environment": "staging",
                    "base_url": "https://api.example.com/v1",
                    "auth_config": "billing",
                    "timeout": 10,
                    "test": {"path": "/ping", "expect": [200]},
                }
            ],
        }
    ],
}


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()


def run(command: str, *arguments: str) -> Run:
    """The command's exit code, and what it wrote."""
    stdout, stderr = StringIO(), StringIO()
    code, failure = 0, ""
    try:
        call_command(command, *arguments, stdout=stdout, stderr=stderr)
    except CommandError as error:
        code, failure = error.returncode, f"{error}\n"
    return Run(code, stdout.getvalue(), stderr.getvalue() + failure)


def apply_file(path: Path, content: str, *flags: str) -> Run:
    """Apply this text as a file in the folder."""
    file = path / "file.yaml"
    file.write_text(content)
    return run("apply", str(file), *flags)


def apply_tenant(path: Path, tenant: dict[str, Any], *flags: str) -> Run:
    """Apply a file of this one tenant."""
    return apply_file(path, json.dumps({"tenants": [tenant]}), *flags)


def basic(**changes: Any) -> dict[str, Any]:
    """The basic tenant, a deep copy, with these keys changed."""
    tenant: dict[str, Any] = json.loads(json.dumps(BASIC))
    return {**tenant, **changes}


def with_config(**changes: Any) -> dict[str, Any]:
    """The basic tenant with these keys of its config changed."""
    tenant = basic()
    tenant["auth_configs"][0].update(changes)
    return tenant


def with_connection(**changes: Any) -> dict[str, Any]:
    """The basic tenant with these keys of its connection changed."""
    tenant = basic()
    tenant["integrations"][0]["connections"][0].update(changes)
    return tenant


def with_integration(**changes: Any) -> dict[str, Any]:
    """The basic tenant with these keys of its integration changed."""
    tenant = basic()
    tenant["integrations"][0].update(changes)
    return tenant
