"""Buttons that somebody may regret say first what they do: in a dialog, and on a page of its own where no script runs."""

from html import unescape

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authconfigs.admin.consequences import ASKED
from authconfigs.models import AuthConfig, OAuthToken
from tenants.models import Membership, Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html, url
from tests.authconfigs.test_admin_saving import connected
from tests.factories import log_in, make_environment, make_member, make_user, posted


def asked_first(client: Client, page: str, button: str) -> str:
    """What the page says before `button` (the address that takes its POST) does something, and the page that asks as well."""
    shown = unescape(html(client.get(page)))
    _, opener, rest = shown.partition(f'action="{button}ask/" data-ask="')
    assert opener, button
    dialog_id = rest.partition('"')[0]
    dialog = rest.partition(f'<dialog class="c-dialog" id="{dialog_id}"')[2].partition("</dialog>")[
        0
    ]
    # Nothing else on the page sends the POST.
    assert shown.count(f'action="{button}"') == dialog.count(f'action="{button}"') == 1
    assert 'method="dialog"' in dialog
    words = dialog.partition(f'id="{dialog_id}-text">')[2].partition("</p>")[0]
    assert len(words.split()) > 15
    asking = unescape(html(client.get(f"{button}ask/")))
    assert words in asking
    assert f'<form method="post" action="{button}">' in asking
    assert f'href="{page}">Cancel' in asking
    return words


def test_buttons_of_a_config_say_what_they_do(tenant: Tenant) -> None:
    config = connected(tenant)
    client, page = browser(tenant), url("change", config.id)
    texts = {name: asked_first(client, page, url(name, config.id)) for name in ASKED}
    assert "until it is switched on again. Its OAuth token" in texts["switch"]
    assert "until somebody connects it again" in texts["disconnect"]
    assert "counts as expired" in texts["expire"]
    config.refresh_from_db()
    assert config.disabled_at is None
    assert OAuthToken.objects.get(config=config).state == OAuthToken.State.VALID


def test_what_harms_nothing_is_one_click(tenant: Tenant) -> None:
    config = connected(tenant)
    AuthConfig.objects.filter(id=config.id).update(disabled_at=timezone.now())
    client = browser(tenant)
    page = html(client.get(url("change", config.id)))
    test = url("test", config.id, app="integrations_config")
    for button in (test, url("refresh", config.id), url("switch", config.id)):
        assert f'<form method="post" action="{button}">' in page
        assert f'action="{button}ask/"' not in page
    assert client.get(url("switch_ask", config.id))["Location"] == url("change", config.id)


def test_only_who_may_press_a_button_is_asked(tenant: Tenant) -> None:
    config = connected(tenant)
    viewer = browser(tenant, Role.VIEWER)
    assert "<dialog" not in html(viewer.get(url("change", config.id)))
    for name in ASKED:
        assert viewer.get(url(f"{name}_ask", config.id)).status_code == 403
        assert (
            browser(tenant).post(url(f"{name}_ask", config.id), posted(tenant)).status_code == 405
        )


def test_password_link_says_that_it_ends_a_password(tenant: Tenant) -> None:
    make_environment(tenant)
    user = make_member(tenant, Role.VIEWER, username="colleague", password="as it was")
    person = Membership.objects.get(user=user)
    link = reverse("admin:tenants_membership_password_link", args=[person.pk])
    page = reverse("admin:tenants_membership_change", args=[person.pk])
    assert "stops working at once" in asked_first(browser(tenant), page, link)
    user.refresh_from_db()
    assert user.check_password("as it was")
    assert browser(tenant, Role.EDITOR).get(f"{link}ask/").status_code == 403


def test_switching_a_tenant_off_says_who_is_kept_out(tenant: Tenant) -> None:
    operator = Client()
    log_in(operator, make_user("operator", superuser=True))
    switch = reverse("admin:tenants_tenant_switch_off", args=[tenant.pk])
    page = reverse("admin:tenants_tenant_change", args=[tenant.pk])
    assert "Nobody of the tenant gets in" in asked_first(operator, page, switch)
    tenant.refresh_from_db()
    assert tenant.disabled_at is None
    assert browser(tenant).get(f"{switch}ask/").status_code in (403, 404)
    operator.post(switch, {"_tenant": str(tenant.id)})
    assert operator.get(f"{switch}ask/")["Location"] == page
