"""Every text that somebody reads when something is wrong or nothing is there: it is specific, and says what to do next."""

import ast
import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from authconfigs.symptoms import Stage, Symptom
from integrations.diagnosis import explain
from integrations.diagnosis.words import GENERIC, MATRIX, MEANINGS, ROWS, Row
from integrations.models import Integration
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html
from tests.authconfigs.methods.samples import SAMPLES
from tests.factories import make_config, make_connection, make_environment, make_integration
from tests.flows.wording import faults
from tests.tenants.crawler import address, routes

ROOT = Path(__file__).resolve().parents[2]


def plain(text: str) -> str:
    return " ".join(unescape(strip_tags(text)).split())


# Symptoms


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.symptom}-{row.case}")
def test_row_says_what_happened_why_and_what_to_check(row: Row) -> None:
    assert faults(row.summary.format_map(GENERIC), must_tell=False) == []
    assert faults(row.cause.format_map(GENERIC), must_tell=False) == []
    assert row.cause != row.summary
    assert len(set(row.checks)) == len(row.checks) > 1
    for check in row.checks:
        said = re.sub(r"\{\w+\}", "it", check)
        assert faults(said, must_tell="?" not in said and ": compare" not in said) == [], check
    # Whatever is unknown of a connection, something is left to check.
    told = explain(row.symptom, stage=Stage.API, case=row.case)
    assert told.checks


def test_no_two_symptoms_are_told_alike() -> None:
    assert {row.symptom for row in ROWS if not row.case or row.case == Stage.TOKEN} == set(Symptom)
    for texts in (
        [(row.symptom, row.summary) for row in ROWS],
        [(row.symptom, row.cause) for row in ROWS],
        [(symptom, meaning) for symptom, meaning in MEANINGS.items()],
    ):
        by_text = {
            text: {symptom for symptom, other in texts if other == text} for _, text in texts
        }
        assert [text for text, symptoms in by_text.items() if len(symptoms) > 1] == []
    causes = [row.cause for row in ROWS if row.case]
    assert len(set(causes)) == len(causes)


def test_help_page_has_all_that_is_known_of_its_symptom(tenant: Tenant) -> None:
    client = browser(tenant, Role.VIEWER)
    assert {row.matrix for row in ROWS} - {""} == {line.seen for line in MATRIX}
    for symptom in Symptom:
        page = plain(html(client.get(reverse("help_symptom", args=[symptom]))))
        rows = [row for row in ROWS if row.symptom is symptom]
        texts = [part for row in rows for part in (row.summary, row.cause, *row.checks)]
        for line in MATRIX:
            found = line.seen in {row.matrix for row in rows}
            assert (f"In the troubleshooting matrix: {line.seen}" in page) is found
            texts += (line.cause, line.check) if found else ()
        for text in [MEANINGS[symptom], *texts]:
            assert all(part.strip() in page for part in re.split(r"\{\w+\}", text)), text


# What the code says of refusals: read from the code, because no test gets at each of them.

# Whoever reads the verdict of an exchange gets its checks beside it.
VERDICTS = {
    "BadAnswer",
    "ConfigInvalid",
    "ConnectFailed",
    "NoMetadata",
    "PolicyRefused",
    "SecretUnreadable",
    "TimedOut",
    "TokenFailed",
}
REFUSALS = {
    "EditConflict",
    "Problem",
    "StaffRefused",
    "Unreadable",
    "ValidationError",
    "add_error",
    "fail",
    "give_up",
    "refuse",
}
# Their words are made elsewhere, or are the reader's of YAML.
LEAST_LITERAL = 3


def texts_of(calls: set[str], *folders: str) -> Iterator[tuple[str, str]]:
    """Where and what: sentences that are handed to one of these; what is filled in is X."""
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in calls:
                for text in filter(None, map(_literal, node.args)):
                    if len(text.replace("X", "").split()) >= LEAST_LITERAL:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        return "".join(map(str, parts))
    return ""


def test_verdicts_are_sentences() -> None:
    texts = dict(texts_of(VERDICTS, "authconfigs", "integrations"))
    assert len(texts) > 30
    # What is filled in at the end is a sentence of its own.
    said = {
        where: faults(re.sub(r"X$", ".", text), must_tell=False) for where, text in texts.items()
    }
    assert {f"{where} {texts[where]}": why for where, why in said.items() if why} == {}


def test_refusals_say_what_to_do() -> None:
    texts = dict(texts_of(REFUSALS, "authconfigs", "integrations", "tenants"))
    assert len(texts) > 80
    # What is filled in at either end is a sentence of its own.
    said = {
        where: faults(re.sub(r"^X | X$", " Look. ", text).strip()) for where, text in texts.items()
    }
    assert {f"{where} {texts[where]}": why for where, why in said.items() if why} == {}


# Pages where nothing is there

# A cell or a fact with nothing in it that means anything.
EMPTY = re.compile(
    r"<(dd|td)[^>]*>\s*(?:None|none|-|–|—|n/a|null|\[\]|\{\})?\s*</\1>|<div class=\"c-body[^>]*>\s*</div>"
)
NOTE = re.compile(r'<div class="c-body c-subtle">(.*?)</div>', re.DOTALL)
GENERIC_NOTES = re.compile(
    r"\bNone\b|\bN/A\b|\b[Nn]o (?:data|results|items|records|entries)\b|\bundefined\b"
)
# Not the page's words: code, and the names of choices.
UNREAD = re.compile(r"<(script|style|template|pre|select)\b.*?</\1>", re.DOTALL)


def told_badly(client: Client, url: str) -> list[str]:
    """What a page says badly."""
    page = client.get(url)
    if page.status_code != 200 or "text/html" not in page.headers["Content-Type"]:
        return []
    main = UNREAD.sub("", html(page))
    main = main[main.find('id="content"') :]
    found = [f"{url}: empty: {match[0][:80]}" for match in EMPTY.finditer(main)]
    found += [f"{url}: {match[0]}" for match in GENERIC_NOTES.finditer(plain(main))]
    for note in NOTE.findall(main):
        why = faults(plain(note), must_tell=False)
        found += [f"{url}: {plain(note)} {why}"] if why else []
    return found


def addresses(ids: Mapping[str, object]) -> Iterator[str]:
    """The pages of the console, those of a row with its id."""
    for route in routes():
        if (
            "csv" in route
            or "autocomplete" in route
            or {"<app_label>", "<symptom>"} & {*re.findall(r"<\w+>", route)}
        ):
            continue
        wanted = next((str(own) for model, own in ids.items() if f"/{model}/" in route), "")
        if wanted or "<" not in route:
            yield address(route, wanted)


@pytest.mark.walk
@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
def test_pages_of_a_new_tenant_and_of_half_made_things(tenant: Tenant, role: Role) -> None:
    client = browser(tenant, role)
    found = [text for url in addresses({}) for text in told_badly(client, url)]
    environment = make_environment(tenant)
    for code, sample in SAMPLES.items():
        name = code.replace("_", "-")
        config = make_config(environment, name, method=code, **sample)
        found += told_badly(
            client, reverse("admin:authconfigs_authconfig_change", args=[config.id])
        )
    connection = make_connection(make_integration(tenant), environment)
    ids = {
        "authconfig": config.id,
        "connection": connection.id,
        "integration": connection.integration_id,
    }
    found += [text for url in addresses(ids) for text in told_badly(client, url)]
    assert found == []


def test_what_is_missing_leads_to_where_it_is_made(tenant: Tenant) -> None:
    integration = make_integration(tenant)
    editor, viewer = browser(tenant, Role.ADMIN), browser(tenant, Role.VIEWER)

    def both(name: str, row: object) -> tuple[str, str]:
        url = reverse(f"admin:{name}_change", args=[row])
        return html(editor.get(url)), html(viewer.get(url))

    may, may_not = both("integrations_integration", integration.id)
    assert f'href="{reverse("admin:tenants_environment_add")}"' in may
    assert "Ask an admin of this tenant to make one" in may_not

    environment = make_environment(tenant)
    config = make_config(environment)
    may, may_not = both("authconfigs_authconfig", config.id)
    attach = f'href="{reverse("admin:integrations_connection_add")}?config={config.id}"'
    assert "No integration uses this auth config yet, so nothing is sent with it." in plain(may)
    assert attach in may
    assert attach not in may_not
    assert "An editor attaches it: ask one." in plain(may_not)

    connection = make_connection(Integration.objects.get(), environment, config)
    may, may_not = both("integrations_connection", connection.id)
    assert "Press “Test connection” above." in plain(may)
    assert "An operator tests it: ask one." in plain(may_not)
