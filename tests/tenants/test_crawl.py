"""Another tenant's things don't exist: on every address that the console has, for every model, also those to come."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.sites import AdminSite
from django.db import models
from django.test import Client
from django.urls import path

from tenants.admin_base import TenantAdmin
from tenants.lists import lookups
from tenants.models import AuditEvent, Environment, Tenant, User
from tenants.scope import TenantModel, unscoped
from tenants.site import ConsoleSite, site
from tests.factories import (
    log_in,
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_tenant,
    posted,
)
from tests.tenants import pages
from tests.tenants.crawler import (
    MISSING,
    Answer,
    address,
    ask,
    differences,
    ids_for,
    routes,
    takes_an_id,
)
from tests.tenants.pages import TENANT_MODELS
from tests.tenants.rows import Rows, plant, snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.walk]

CANARY = "planted-canary-of-globex"

every_console = pytest.mark.parametrize(
    "console",
    [
        pytest.param(pages.site, id="base", marks=pytest.mark.urls("tests.tenants.pages")),
        pytest.param(site, id="console", marks=pytest.mark.urls("config.urls")),
    ],
)


def acme_beside_globex(client: Client) -> tuple[Tenant, Tenant, Rows]:
    """An admin of acme, logged in; globex, full of canaries; globex's rows."""
    acme, globex = make_tenant("acme"), make_tenant("globex", name=CANARY)
    environment = make_environment(acme)
    make_environment(acme, "production", protected=True)
    make_connection(make_integration(acme), environment, make_config(environment))
    foreign: Rows = {**plant(globex, CANARY), Tenant: globex}
    log_in(client, make_member(acme), tenant=acme)
    return acme, globex, foreign


def ids_of(rows: Rows) -> list[str]:
    return [str(row.pk) for row in rows.values()]


def tell_tale(answer: Answer, foreign: Rows) -> list[str]:
    """What an answer tells of globex."""
    text = answer.body + answer.location + "".join(answer.messages)
    return [word for word in (CANARY, *ids_of(foreign)) if word in text]


@every_console
def test_foreign_ids_answer_as_missing_ones_do(client: Client, console: ConsoleSite) -> None:
    acme, globex, foreign = acme_beside_globex(client)
    before = snapshot(globex)
    assert any(map(takes_an_id, routes()))
    assert differences(client, acme, foreign) == []
    assert snapshot(globex) == before


@every_console
def test_an_id_with_a_nul_is_missing_and_recorded(client: Client, console: ConsoleSite) -> None:
    acme, _, _ = acme_beside_globex(client)
    for route in filter(takes_an_id, routes()):
        for data in (None, posted(acme, post="yes")):
            before = refusals()
            assert ask(client, address(route, "%00"), data=data).status == 404, route
            assert refusals() == before + 1, route


@every_console
def test_a_nul_in_a_query_finds_nothing(client: Client, console: ConsoleSite) -> None:
    acme, _, foreign = acme_beside_globex(client)
    for pattern, _, _ in questions(console, foreign):
        assert ask(client, pattern.format("%00")).status == 404, pattern
    for model, page in console._registry.items():
        for lookup in lookups(page.list_filter, page.date_hierarchy):
            assert ask(client, f"{changelist(model)}?{lookup}=%00").status == 404, model
        for name in [action[1] for action in page._get_base_actions()]:
            for ticked in ("\0", "no-id"):
                data = posted(acme, action=name, index="0", **{ACTION_CHECKBOX_NAME: ticked})
                assert ask(client, changelist(model), data=data).status in (403, 404), name


@every_console
def test_no_page_tells_of_another_tenant(client: Client, console: ConsoleSite) -> None:
    acme, _, foreign = acme_beside_globex(client)
    own = own_rows(console, acme)
    asked = 0
    for route in routes():
        for page in filled(route, own):
            answer = ask(client, page)
            assert answer.status < 500, page
            assert tell_tale(answer, foreign) == [], page
            asked += 1
    assert asked > len(console._registry)


@every_console
def test_searches_and_filters_know_this_tenant_only(client: Client, console: ConsoleSite) -> None:
    _, _, foreign = acme_beside_globex(client)
    for pattern, wanted, missing in questions(console, foreign):
        answer = ask(client, pattern.format(wanted), hide=wanted)
        assert answer.status < 500, pattern
        assert answer == ask(client, pattern.format(missing), hide=missing), pattern


@every_console
def test_no_action_reaches_another_tenants_row(client: Client, console: ConsoleSite) -> None:
    acme, globex, foreign = acme_beside_globex(client)
    before = snapshot(globex)
    for model, page in console._registry.items():
        for name in [*(action[1] for action in page._get_base_actions()), "delete_selected"]:
            answers = [
                ask(
                    client,
                    changelist(model),
                    hide=wanted,
                    data=posted(acme, action=name, **{ACTION_CHECKBOX_NAME: wanted}),
                )
                for wanted in (MISSING, str(foreign[model].pk))
            ]
            assert len(set(answers)) == 1, f"{name} of {model.__name__}"
    assert snapshot(globex) == before


@every_console
def test_every_page_of_tenants_rows_derives_from_the_base(console: ConsoleSite) -> None:
    for model, page in console._registry.items():
        if issubclass(model, TenantModel):
            assert isinstance(page, TenantAdmin), model


def test_a_row_of_every_model_is_planted() -> None:
    globex = make_tenant("globex")
    assert set(plant(globex, CANARY)) == {*TENANT_MODELS, User, AuditEvent}
    assert str(snapshot(globex)).count(CANARY) > len(TENANT_MODELS)


class Leaks(TenantAdmin):
    def get_queryset(self, request: Any) -> Any:
        return Environment._base_manager.all()


def test_the_crawler_notices_a_page_that_goes_around_the_scope(
    client: Client, settings: Any
) -> None:
    leaking = ConsoleSite()
    leaking.register(Environment, Leaks)
    settings.ROOT_URLCONF = (*pages.urlpatterns[:1], path("admin/", leaking.urls))
    settings.UNFOLD = {}
    acme, _, foreign = acme_beside_globex(client)
    found = differences(client, acme, foreign)
    assert any("/environment/" in page for page in found)


def own_rows(console: AdminSite, acme: Tenant) -> Rows:
    """One of acme's rows of each model that has pages and rows."""
    rows: Rows = {Tenant: acme}
    for model in console._registry:
        if model is not Tenant:
            row = model._base_manager.filter(tenant_id=acme.id).first()
            rows |= {model: row} if row is not None else {}
    return rows


def filled(route: str, own: Rows) -> Iterator[str]:
    """The route with the ids of acme's rows, or as it is."""
    if "<app_label>" in route:
        for label in {model._meta.app_label for model in own}:
            yield route.replace("<app_label>", label)
    elif "<" in route:
        for wanted in ids_for(route, own):
            yield address(route, wanted)
    else:
        yield route


def refusals() -> int:
    with unscoped("a test"):
        return AuditEvent.objects.filter(action="refused").count()


def changelist(model: type[models.Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def questions(console: AdminSite, foreign: Rows) -> Iterator[tuple[str, str, str]]:
    """Searches, autocompletes and filters: the address, what globex has, and what nobody has."""
    words = (CANARY, "a-word-that-nobody-has-")
    yield ("/admin/search/?s={}", *words)
    yield ("/admin/search/?extended=1&s={}", *words)
    for model in console._registry:
        opts = model._meta
        yield (f"{changelist(model)}?q={{}}", *words)
        for column in opts.concrete_fields:
            if column.related_model is not None:
                wanted = str(foreign[column.related_model].pk)
                yield f"{changelist(model)}?{column.name}__id__exact={{}}", wanted, MISSING
                yield (
                    f"/admin/autocomplete/?app_label={opts.app_label}&model_name={opts.model_name}"
                    f"&field_name={column.name}&term={{}}",
                    *words,
                )
