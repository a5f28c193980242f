import pytest

from authconfigs.saving import EditConflict, InvalidDraft
from integrations.models import Connection, Integration, IntegrationRevision
from integrations.saving import IntegrationDraft, save_integration
from tenants.models import AuditEvent, Environment
from tests.authconfigs.saving.drafts import acting
from tests.factories import make_connection, make_environment, make_tenant

pytestmark = pytest.mark.django_db

DRAFT = IntegrationDraft(slug="billing", name="Billing", headers={"Accept": "application/json"})
XML = IntegrationDraft(slug="billing", name="Billing", headers={"Accept": "text/xml"})


@pytest.fixture
def staging() -> Environment:
    return make_environment(make_tenant())


def test_a_new_integration_has_a_head(staging: Environment) -> None:
    with acting(None, staging):
        saved = save_integration(DRAFT)
        stored = Integration.objects.get()

    assert saved.created
    assert stored.head is not None
    assert stored.head.number == 1
    assert stored.head.headers == {"Accept": "application/json"}
    assert stored.head.created_by == "root"


def test_equal_content_is_the_same_revision(staging: Environment) -> None:
    with acting(None, staging):
        integration = save_integration(DRAFT).integration
        save_integration(XML, integration=integration)
        save_integration(DRAFT, integration=integration)

        assert Integration.objects.get().head.number == 1  # type: ignore[union-attr]
        assert IntegrationRevision.objects.count() == 2


def test_saving_what_is_stored_writes_nothing(staging: Environment) -> None:
    with acting(None, staging):
        integration = save_integration(DRAFT).integration
        assert save_integration(DRAFT, integration=integration).fields == ()
        assert AuditEvent.objects.count() == 1


def test_a_new_head_moves_the_connections_of_unprotected_environments_alone(
    staging: Environment,
) -> None:
    production = make_environment(staging.tenant, "production", protected=True)
    with acting(None, staging):
        integration = save_integration(DRAFT).integration
    moving = make_connection(integration, staging)
    staying = make_connection(integration, production)
    with acting(None, staging):
        saved = save_integration(XML, integration=integration)
        moving.refresh_from_db()
        staying.refresh_from_db()

        assert saved.moved == (moving,)
        assert moving.revision.headers == XML.headers
        assert moving.revision_number == 2
        assert staying.revision.headers == DRAFT.headers
        assert staying.revision_number == 1


def test_a_file_moves_no_connection_by_itself(staging: Environment) -> None:
    with acting(None, staging):
        integration = save_integration(DRAFT).integration
    make_connection(integration, staging)
    with acting(None, staging):
        saved = save_integration(XML, integration=integration, moves_connections=False)

        assert saved.moved == ()
        assert Connection.objects.get().revision.headers == DRAFT.headers


def test_another_name_moves_nothing(staging: Environment) -> None:
    with acting(None, staging):
        integration = save_integration(DRAFT).integration
        renamed = IntegrationDraft(slug="billing", name="Invoices", headers=DRAFT.headers)
        saved = save_integration(renamed, integration=integration)

        assert saved.fields == ("name",)
        assert Integration.objects.get().name == "Invoices"


def test_saving_over_an_unseen_change_is_refused(staging: Environment) -> None:
    with acting(None, staging):
        integration = save_integration(DRAFT).integration
        mine = Integration.objects.get()
        save_integration(XML, integration=integration)
        renamed = IntegrationDraft(slug="billing", name="Mine", headers=DRAFT.headers)
        with pytest.raises(EditConflict, match="open it"):
            save_integration(renamed, integration=mine)

        assert Integration.objects.get().name == "Billing"


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (IntegrationDraft(slug="Not a slug", name="x"), "slug"),
        (IntegrationDraft(slug="a", name=""), "name"),
        (IntegrationDraft(slug="a", name="x" * 201), "name"),
        (IntegrationDraft(slug="a", name="x", headers={"Content-Length": "1"}), "headers"),
        (IntegrationDraft(slug="a", name="x", headers={"a b": "1"}), "headers"),
        (IntegrationDraft(slug="a", name="x", headers={"a": "1\n"}), "headers"),
        (IntegrationDraft(slug="a", name="x", query={"a": ["1", "\0"]}), "query"),
        (IntegrationDraft(slug="a", name="x", query={"\ud800": "1"}), "query"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    staging: Environment, draft: IntegrationDraft, field: str
) -> None:
    with acting(None, staging):
        with pytest.raises(InvalidDraft) as refused:
            save_integration(draft)

        assert list(refused.value.errors) == [field]
        assert not Integration.objects.exists()


def test_a_slug_is_taken_per_tenant(staging: Environment) -> None:
    with acting(None, staging):
        save_integration(DRAFT)
        with pytest.raises(InvalidDraft, match="already"):
            save_integration(DRAFT)
