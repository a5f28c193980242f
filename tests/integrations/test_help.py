"""Help pages: every symptom has one that says what it means and what to check, and a result leads to its own."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from authconfigs.symptoms import Symptom
from integrations.diagnosis.words import MEANINGS, ROWS
from integrations.models import ConnectionTest
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html
from tests.factories import make_connection, make_environment, make_integration, posted


def test_every_symptom_has_a_meaning_of_its_own() -> None:
    assert set(MEANINGS) == set(Symptom)
    assert len(set(MEANINGS.values())) == len(MEANINGS)
    assert all(len(meaning) > 30 and meaning.endswith(".") for meaning in MEANINGS.values())


@pytest.mark.parametrize("symptom", list(Symptom))
def test_page_shows_every_case_with_its_checks(tenant: Tenant, symptom: Symptom) -> None:
    page = html(browser(tenant, Role.VIEWER).get(reverse("help_symptom", args=[symptom])))

    rows = [row for row in ROWS if row.symptom is symptom]
    assert page.count('<ol class="c-checks">') == len(rows)
    assert page.count("</li>") >= sum(len(row.checks) for row in rows)
    assert not re.search(r"\{[a-z_]+\}", page)


def test_facts_are_shown_by_their_names(tenant: Tenant) -> None:
    page = html(browser(tenant).get(reverse("help_symptom", args=["timeout"])))

    assert "Is the host in the base URL right: <var>base URL</var>?" in page


def test_all_symptoms_are_reached_from_the_sidebar(tenant: Tenant) -> None:
    client = browser(tenant, Role.VIEWER)
    assert f'href="{reverse("help_symptoms")}"' in html(client.get(reverse("admin:index")))

    page = html(client.get(reverse("help_symptoms")))
    for symptom in Symptom:
        assert f'href="{reverse("help_symptom", args=[symptom])}"' in page
    assert "Works in Postman, fails here" in page


def test_result_leads_to_the_page_of_its_symptom(tenant: Tenant) -> None:
    connection = make_connection(make_integration(tenant), make_environment(tenant))
    client = browser(tenant)
    url = reverse("admin:integrations_connection_test", args=[connection.id])
    page = html(client.post(url, posted(tenant), follow=True))

    symptom = ConnectionTest.objects.get().symptom
    assert f'href="{reverse("help_symptom", args=[symptom])}"' in page


def test_what_is_no_symptom_has_no_page(tenant: Tenant) -> None:
    assert browser(tenant).get("/admin/help/no-such-symptom/").status_code == 404


def test_help_is_for_who_is_logged_in(client: Client) -> None:
    assert client.get(reverse("help_symptoms")).status_code == 302
