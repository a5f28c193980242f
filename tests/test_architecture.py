"""The conventions of the house, read from the code: a new module, command, method or model is held to them by itself."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class

from authconfigs.methods import METHODS
from tenants.scope import TenantModel

ROOT = Path(__file__).resolve().parent.parent
APPS = ("tenants", "authconfigs", "integrations")

# Rooms of authconfigs that speak protocols and seal: values in, values out, no model.
PROTOCOL = (
    "errors",
    "keyring",
    "masking",
    "methods",
    "oauth",
    "outgoing",
    "paths",
    "scopes",
    "sealing",
    "symptoms",
    "transport",
)

# These belong to no tenant, or to a tenant or to the platform.
GLOBAL_MODELS = {
    "authconfigs.DataKey",
    "authconfigs.Heartbeat",
    "integrations.ControlTurn",
    "tenants.AuditEvent",
    "tenants.Tenant",
    "tenants.User",
}

MODULES = [
    path.relative_to(ROOT)
    for package in ("config", *APPS)
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]
COMMANDS = {name: app for name, app in get_commands().items() if app in APPS}

every_command = pytest.mark.parametrize("command", sorted(COMMANDS))


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


def imports(module: Path) -> Iterator[str]:
    """Dotted names that a module imports, wherever in it: `from a import b` gives a.b."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively: write the whole name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def starts_with(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def is_in(module: Path, *packages: str) -> bool:
    return starts_with(".".join(module.with_suffix("").parts), *packages)


def offending(module: Path, *packages: str) -> list[str]:
    return [name for name in imports(module) if starts_with(name, *packages)]


def test_imports_run_one_way() -> None:
    order = (*APPS, "config")
    for module in MODULES:
        above = order[order.index(module.parts[0]) + 1 :]
        assert not offending(module, *above), module


def test_protocol_rooms_know_no_model() -> None:
    for module in MODULES:
        if is_in(module, *(f"authconfigs.{room}" for room in PROTOCOL)):
            assert not offending(module, "tenants", "django.db.models", "django.apps"), module
            ours = offending(module, "authconfigs")
            assert not [name for name in ours if name.split(".")[1] not in PROTOCOL], module


def test_libraries_stay_in_their_rooms() -> None:
    for library, room in (
        ("requests_oauthlib", "authconfigs.oauth"),
        ("oauthlib", "authconfigs.oauth"),
        ("django_cryptography", "authconfigs.sealing"),
    ):
        users = [module for module in MODULES if offending(module, library)]
        assert users
        assert all(is_in(module, room) for module in users), library


def test_only_the_transport_opens_connections() -> None:
    sends = re.compile(
        r"(requests\.)?(Session|session|sessions\.Session)"
        r"|requests\.(get|head|options|post|put|patch|delete|request)"
    )
    for module in MODULES:
        # The demo provider is a server; `make demo` asks whether a port is free.
        if is_in(module, "authconfigs.transport", "integrations.demo.provider", "config.demo"):
            continue
        assert not offending(module, "http.client", "socket", "urllib.request", "urllib3"), module
        calls = [node for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
        assert not [call for call in calls if sends.fullmatch(ast.unparse(call.func))], module


def test_modules_have_at_most_300_lines() -> None:
    lengths = {
        module: len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in MODULES
    }
    assert {module: lines for module, lines in lengths.items() if lines > 300} == {}


def test_modules_are_named_by_concept() -> None:
    vague = {"utils", "util", "helpers", "helper", "services", "service", "misc", "common"}
    assert not [module for module in MODULES if vague & set(module.with_suffix("").parts)]


def test_nobody_goes_around_the_scope() -> None:
    # The base manager knows no tenant; it is there for migrations, cascades and dumpdata.
    for module in MODULES:
        attributes = [node for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)]
        assert not [node for node in attributes if node.attr == "_base_manager"], module


def names_in_tests(name: str, *, under: str = "tests") -> bool:
    """Whether a test module has `name` as a word of a string."""
    word = re.compile(rf"[\"' ]{name}[\"' ]")
    modules = (path for path in (ROOT / under).rglob("*.py") if path != Path(__file__))
    return any(word.search(path.read_text(encoding="utf-8")) for path in modules)


@every_command
def test_every_command_has_a_test(command: str) -> None:
    assert names_in_tests(command)


@every_command
def test_help_of_every_command_shows_an_example(command: str) -> None:
    loaded = load_command_class(COMMANDS[command], command)
    text = loaded.create_parser("manage.py", command).format_help()
    assert re.search(rf"example.*manage\.py {command}", text, re.IGNORECASE | re.DOTALL)


def test_every_method_has_a_contract() -> None:
    missing = [
        method.code
        for method in METHODS
        if not names_in_tests(method.code, under="tests/authconfigs/methods")
    ]
    assert not missing


def test_every_model_has_a_tenant() -> None:
    ours = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    without = {model._meta.label for model in ours if not issubclass(model, TenantModel)}
    assert without == GLOBAL_MODELS
    for model in ours:
        if issubclass(model, TenantModel):
            assert not model._meta.get_field("tenant").null
