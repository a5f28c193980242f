import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory

from authconfigs.models import AuthConfig
from integrations.models import Connection
from tenants.admin_base import TenantAdmin
from tenants.audit import record
from tenants.lists import CappedPaginator
from tenants.models import AuditEvent, Environment, Tenant
from tenants.refusals import InUse
from tenants.roles import Role
from tenants.scope import tenant_scope
from tenants.site import ConsoleSite
from tests.factories import (
    log_in,
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_tenant,
    make_user,
    posted,
)
from tests.tenants import pages

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.pages")]

ENVIRONMENTS = "/admin/tenants/environment/"
ACTIVITY = "/admin/tenants/auditevent/"
INTEGRATIONS = "/admin/integrations/integration/"
CONNECTIONS = "/admin/integrations/connection/"
CONFIGS = "/admin/authconfigs/authconfig/"


def acme_as(client: Client, role: Role) -> Tenant:
    acme = make_tenant("acme")
    log_in(client, make_member(acme, role))
    return acme


def test_a_viewer_sees_and_changes_nothing(client: Client) -> None:
    acme = acme_as(client, Role.VIEWER)
    address = f"{INTEGRATIONS}{make_integration(acme).id}/"
    assert client.get(f"{address}change/").status_code == 200
    for refused in (f"{address}delete/", f"{INTEGRATIONS}add/"):
        assert client.get(refused).status_code == 403
        assert client.post(refused, posted(acme, post="yes")).status_code == 403
    assert client.post(f"{address}change/", posted(acme, name="X")).status_code == 403


def test_an_editor_changes_what_isnt_protected(client: Client) -> None:
    acme = acme_as(client, Role.EDITOR)
    integration = make_integration(acme)
    for slug, protected, status in (("staging", False, 200), ("production", True, 403)):
        connection = make_connection(integration, make_environment(acme, slug, protected=protected))
        address = f"{CONNECTIONS}{connection.id}/"
        assert client.get(f"{address}change/").status_code == 200
        assert client.get(f"{address}delete/").status_code == status
        denied = client.post(f"{address}change/", posted(acme)).status_code == 403
        assert denied == protected


def test_an_editor_cant_add_to_a_protected_environment(client: Client) -> None:
    acme = acme_as(client, Role.EDITOR)
    staging = make_environment(acme, "staging")
    production = make_environment(acme, "production", protected=True)
    form = {"name": "billing", "method": "bearer"}
    refused = client.post(f"{CONFIGS}add/", posted(acme, **form, environment=production.id))
    assert "isn&#x27;t one of those on offer" in refused.content.decode()
    added = client.post(f"{CONFIGS}add/", posted(acme, **form, environment=staging.id))
    assert added.status_code == 302


class OffersEveryEnvironment(TenantAdmin):
    fields = ("name", "environment", "method")

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        everything = Environment.objects.all()
        return super().formfield_for_foreignkey(db_field, request, queryset=everything, **kwargs)


def test_a_row_that_is_more_than_the_user_may_write_is_refused(tenant: Tenant) -> None:
    page = OffersEveryEnvironment(AuthConfig, ConsoleSite())
    request = RequestFactory().post("/")
    request.user = make_member(tenant, Role.EDITOR)
    for protected in (False, True):
        environment = make_environment(tenant, f"env-{protected}".lower(), protected=protected)
        data = {"name": "billing", "method": "bearer", "environment": environment.id}
        form = page.get_form(request)(data)
        assert form.is_valid()
        if protected:
            with pytest.raises(PermissionDenied):
                page.save_form(request, form, False)
        else:
            assert page.save_form(request, form, False).environment == environment


def test_foreign_and_missing_ids_get_the_same_answer(client: Client) -> None:
    acme_as(client, Role.ADMIN)
    foreign = make_environment(make_tenant("globex"), name="Of Globex")
    missing = "00000000-0000-4000-8000-000000000000"
    for page in ("change", "delete", "history"):
        answers = [
            client.get(f"{ENVIRONMENTS}{wanted}/{page}/") for wanted in (foreign.id, missing)
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content


def test_a_posted_foreign_key_of_another_tenant_is_no_choice(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    foreign = make_environment(make_tenant("globex"), name="Of Globex")
    missing = "00000000-0000-4000-8000-000000000000"
    form = {"name": "billing", "method": "bearer"}
    foreign_answer, missing_answer = (
        client.post(f"{CONFIGS}add/", posted(acme, **form, environment=wanted)).content.decode()
        for wanted in (foreign.id, missing)
    )
    assert "Of Globex" not in foreign_answer
    assert errors(foreign_answer) == errors(missing_answer) != []


def errors(page: str) -> list[str]:
    return re.findall(r"isn&#x27;t one of those on offer[^<]*", page)


def test_people_of_another_tenant_are_no_choice(client: Client) -> None:
    acme_as(client, Role.ADMIN)
    make_member(make_tenant("globex"), username="kim-of-globex")
    page = client.get(f"{CONFIGS}add/").content.decode()
    assert "admin@acme" in page
    assert "kim-of-globex" not in page


def test_the_query_string_fills_in_nothing(client: Client) -> None:
    acme_as(client, Role.ADMIN)
    page = client.get(f"{ENVIRONMENTS}add/", {"name": "Planted name", "slug": "planted"})
    assert page.status_code == 200
    assert 'value="planted' not in page.content.decode().lower()


@pytest.mark.parametrize(
    "query",
    [
        "base_url__startswith=https",
        "auth_config__client_id__startswith=a",
        "auth_config__credentials__secret_state__token__startswith=a",
        "environment__tenant__slug=globex",
        "environment__id__gte=0",
        "tenant=1",
        "tenant__name__startswith=G",
    ],
)
def test_columns_cant_be_probed_through_the_query_string(client: Client, query: str) -> None:
    acme_as(client, Role.ADMIN)
    assert client.get(f"{CONNECTIONS}?{query}").status_code == 400


def test_a_password_hash_cant_be_probed_through_an_owner(client: Client) -> None:
    acme_as(client, Role.ADMIN)
    assert client.get(f"{CONFIGS}?owner__password__startswith=p").status_code == 400
    assert client.get(f"{CONFIGS}?owner__username=robin").status_code == 400


def test_declared_filters_work_and_offer_this_tenant_only(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    integration = make_integration(acme)
    for slug in ("staging", "testing"):
        make_connection(
            integration, make_environment(acme, slug), base_url=f"https://{slug}.example"
        )
    make_environment(make_tenant("globex"), name="Of Globex")
    with tenant_scope(acme.id):
        staging = Environment.objects.get(slug="staging")
    page = client.get(f"{CONNECTIONS}?environment__id__exact={staging.id}").content.decode()
    assert "https://staging.example" in page
    assert "https://testing.example" not in page
    assert "Of Globex" not in page


def test_autocomplete_offers_this_tenant_only(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    make_environment(acme, name="Of Acme")
    make_environment(make_tenant("globex"), name="Of Globex")
    query = {"app_label": "integrations", "model_name": "connection", "field_name": "environment"}
    found = client.get("/admin/autocomplete/", query).json()["results"]
    assert [each["text"] for each in found] == ["Of Acme"]


def test_the_environment_and_the_slug_of_a_row_never_change(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    environment = make_environment(acme, "staging")
    address = f"{ENVIRONMENTS}{environment.id}/change/"
    assert client.post(address, posted(acme, slug="other", name="New name")).status_code == 302
    with tenant_scope(acme.id):
        environment.refresh_from_db()
    assert (environment.slug, environment.name) == ("staging", "New name")


def test_a_name_that_is_taken_is_a_field_error_and_no_error_page(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    make_environment(acme, "staging")
    answer = client.post(f"{ENVIRONMENTS}add/", posted(acme, slug="staging", name="Another"))
    assert answer.status_code == 200
    assert "There is an environment with this slug already." in answer.content.decode()


def test_a_name_of_another_tenant_isnt_taken(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    make_environment(make_tenant("globex"), "staging")
    answer = client.post(f"{ENVIRONMENTS}add/", posted(acme, slug="staging", name="Mine"))
    assert answer.status_code == 302


def test_a_config_cant_be_renamed_to_a_name_that_is_taken(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    environment = make_environment(acme)
    make_config(environment, "taken")
    config = make_config(environment, "billing")
    form = posted(acme, name="taken", method="bearer")
    answer = client.post(f"{CONFIGS}{config.id}/change/", form)
    assert "has an auth config of this name already" in answer.content.decode()


def test_changes_go_to_the_audit_trail_and_not_to_djangos_log(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    client.post(f"{ENVIRONMENTS}add/", posted(acme, slug="staging", name="Secret-free"))
    with tenant_scope(acme.id):
        environment = Environment.objects.get()
    address = f"{ENVIRONMENTS}{environment.id}/"
    client.post(f"{address}change/", posted(acme, name="Changed", protected="on"))
    client.post(f"{address}delete/", posted(acme, post="yes"))
    with tenant_scope(acme.id):
        lines = AuditEvent.objects.filter(object_type="environment").order_by("at")
        assert [(line.action, line.fields) for line in lines] == [
            ("create", ["name", "slug"]),
            ("change", ["name", "protected"]),
            ("delete", []),
        ]
    assert not LogEntry.objects.exists()


def test_saving_without_a_change_records_nothing(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    environment = make_environment(acme, name="Staging")
    client.post(f"{ENVIRONMENTS}{environment.id}/change/", posted(acme, name="Staging"))
    with tenant_scope(acme.id):
        assert not AuditEvent.objects.filter(action="change").exists()


def test_the_history_of_a_row_is_its_part_of_the_audit_trail(client: Client) -> None:
    acme = acme_as(client, Role.VIEWER)
    environment, other = make_environment(acme), make_environment(acme, "other")
    with tenant_scope(acme.id):
        record("change", environment, fields=["name"], outcome="mine")
        record("change", other, outcome="not-mine")
    page = client.get(f"{ENVIRONMENTS}{environment.id}/history/").content.decode()
    assert "mine" in page
    assert "not-mine" not in page


def test_a_line_of_the_activity_has_a_history_too(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    with tenant_scope(acme.id):
        line = record("change", make_config(make_environment(acme)))
    assert client.get(f"{ACTIVITY}{line.id}/history/").status_code == 200


def test_what_is_in_use_cant_be_deleted_and_its_users_are_listed(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    environment = make_environment(acme)
    config = make_config(environment)
    make_connection(make_integration(acme), environment, config, name="invoices")
    address = f"{CONFIGS}{config.id}/delete/"
    assert "invoices" in client.get(address).content.decode()
    assert "still used" in client.post(address, posted(acme, post="yes")).content.decode()
    with tenant_scope(acme.id):
        config.refresh_from_db()


def test_a_use_that_began_meanwhile_is_said_and_nothing_is_deleted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = acme_as(client, Role.ADMIN)
    environment = make_environment(acme)

    def delete_model(request: Any, obj: Any) -> None:
        raise InUse("The environment", users=["connection invoices"])

    monkeypatch.setattr(pages.site._registry[Environment], "delete_model", delete_model)
    address = f"{ENVIRONMENTS}{environment.id}/delete/"
    answer = client.post(address, posted(acme, post="yes"), follow=True)
    assert "still used by connection invoices" in answer.content.decode()
    with tenant_scope(acme.id):
        assert not AuditEvent.objects.filter(action="delete").exists()


def test_what_machines_write_doesnt_keep_a_row_from_being_deleted(client: Client) -> None:
    acme = acme_as(client, Role.ADMIN)
    config = make_config(make_environment(acme))
    assert client.post(f"{CONFIGS}{config.id}/delete/", posted(acme, post="yes")).status_code == 302


def test_an_action_without_permissions_is_an_error_of_the_checks() -> None:
    class Careless(TenantAdmin):
        actions = ("run",)

        @admin.action()
        def run(self, request: Any, queryset: Any) -> None: ...

    class Careful(TenantAdmin):
        actions = ("run",)

        @admin.action(permissions=["change"])
        def run(self, request: Any, queryset: Any) -> None: ...

    def found(page: type[TenantAdmin]) -> list[str | None]:
        return [message.id for message in page(Environment, ConsoleSite()).check()]

    assert found(Careless) == ["tenants.E005"]
    assert found(Careful) == []


def test_a_button_asks_for_the_object_behind_an_id(tenant: Tenant) -> None:
    page = TenantAdmin(Connection, ConsoleSite())
    integration = make_integration(tenant)
    production = make_connection(integration, make_environment(tenant, "prod", protected=True))
    foreign_tenant = make_tenant("globex")
    foreign = make_connection(make_integration(foreign_tenant), make_environment(foreign_tenant))
    request = type("Request", (), {"user": make_member(tenant, Role.EDITOR)})()
    assert page.allows(request, "change")
    assert not page.allows(request, "change", str(production.id))
    assert not page.allows(request, "view", str(foreign.id))


def test_a_list_counts_to_1001_and_no_further(tenant: Tenant) -> None:
    Environment.objects.bulk_create(
        Environment(slug=f"e{number}", name="x") for number in range(1005)
    )
    assert CappedPaginator(Environment.objects.all(), 50).count == 1001


def test_an_operator_of_the_platform_changes_things_inside_a_tenant(client: Client) -> None:
    acme = make_tenant("acme")
    log_in(client, make_user("operator", superuser=True), tenant=acme)
    answer = client.post(f"{ENVIRONMENTS}add/", posted(acme, slug="staging", name="Staging"))
    assert answer.status_code == 302
    with tenant_scope(acme.id):
        assert AuditEvent.objects.get(action="create").actor == "operator"
