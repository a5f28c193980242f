"""The add and change pages of auth configs: what is typed, what is kept, what is refused."""

from typing import Any

import pytest
from django.utils import timezone

from authconfigs.methods import METHODS
from authconfigs.methods.base import AuthMethod
from authconfigs.models import AuthConfig, OAuthToken
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, drawn, html, post_config, url
from tests.authconfigs.methods.samples import SAMPLES
from tests.factories import make_config, make_environment, posted

OAUTH = {"token_url": "https://auth.example.com/token", "client_id": "console"}


def stored(config: AuthConfig) -> Any:
    return config.credentials.get(slot="current").secrets.reveal()


def connected(tenant: Tenant) -> AuthConfig:
    """An authorization code config whose consent is stored."""
    config = make_config(
        make_environment(tenant),
        "mail",
        method="oauth2_authorization_code",
        options={**OAUTH, "authorization_url": "https://auth.example.com/authorize"},
        secrets={"client_secret": "planted"},
    )
    token = OAuthToken.objects.get(config=config)
    token.access_token, token.refresh_token = "planted-access", "planted-refresh"
    token.state, token.obtained_at = OAuthToken.State.VALID, timezone.now()
    token.save()
    return config


def test_choosing_shows_every_method_with_its_guidance(tenant: Tenant) -> None:
    page = html(browser(tenant).get(url("add")))
    for method in METHODS:
        assert method.label in page
        assert method.best_for in page.replace("&#x27;", "'")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.code)
def test_config_is_made_with_the_fields_of_its_method(tenant: Tenant, method: AuthMethod) -> None:
    environment, sample = make_environment(tenant), SAMPLES[method.code]
    typed = {**sample["options"], **sample["secrets"]}
    data = posted(tenant, method=method.code, name="new", environment=environment.id, **typed)
    response = browser(tenant).post(url("add"), data)
    config = AuthConfig.objects.get()
    assert response.headers["Location"] == url("change", config.id)
    assert stored(config) == sample["secrets"]


def test_form_shows_only_the_fields_of_its_method(tenant: Tenant) -> None:
    page = html(browser(tenant).get(url("add") + "?method=basic"))
    assert 'name="password"' in page
    assert 'name="token_url"' not in page


def test_blank_secret_keeps_stored_value(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    post_config(browser(tenant), config, description="Changed", token="")
    config.refresh_from_db()
    assert (config.description, stored(config)) == ("Changed", {"token": "planted-token"})


def test_typed_secret_replaces_stored_value(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    post_config(browser(tenant), config, token="another")
    assert stored(config) == {"token": "another"}


def test_box_clears_a_secret_that_isnt_needed(tenant: Tenant) -> None:
    config = make_config(
        make_environment(tenant),
        method="oauth2_client_credentials",
        options=OAUTH,
        secrets={"client_secret": "planted"},
    )
    post_config(browser(tenant), config, **{"clear-client_secret": "on"})
    assert stored(config) == {}


def test_needed_secret_has_no_box_to_clear_it(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    assert "clear-token" not in html(browser(tenant).get(url("change", config.id)))


def test_removed_white_space_is_said(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    client = browser(tenant)
    client.post(url("change", config.id), drawn(config, token=" another \n"))
    page = html(client.get(url("change", config.id)))
    assert "White space around the token was removed" in page
    assert stored(config) == {"token": "another"}


def test_error_stands_beside_its_field_and_quotes_no_secret(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    page = html(post_config(browser(tenant), config, token="Bearer planted-typed"))
    assert 'id="id_token_error"' in page
    assert "planted" not in page
    assert stored(config) == {"token": "planted-token"}


def test_what_was_typed_is_kept_when_it_is_refused(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    page = html(post_config(browser(tenant), config, name="Not A Slug", description="Typed words"))
    assert "Typed words" in page
    assert "Not A Slug" in page


def test_edit_over_another_edit_is_refused_and_what_was_typed_is_kept(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    opened = drawn(config, description="Late", token="planted-late")
    post_config(browser(tenant), config, description="Early")
    page = html(browser(tenant).post(url("change", config.id), opened))
    assert "was changed by" in page
    assert "mend what is marked" not in page
    assert f'<a href="{url("change", config.id)}">Open it again</a>' in page
    assert "Late" in page
    assert "planted-late" not in page
    config.refresh_from_db()
    assert config.description == "Early"


def test_another_token_origin_asks_for_the_secrets_in_the_same_form(tenant: Tenant) -> None:
    config = make_config(
        make_environment(tenant),
        method="oauth2_client_credentials",
        options=OAUTH,
        secrets={"client_secret": "planted"},
    )
    elsewhere = "https://elsewhere.example/token"
    client = browser(tenant, Role.EDITOR)
    page = html(post_config(client, config, token_url=elsewhere))
    assert 'id="id_client_secret_error"' in page
    response = post_config(client, config, token_url=elsewhere, client_secret="planted")
    assert response.status_code == 302


def test_change_that_drops_a_consent_wants_a_tick(tenant: Tenant) -> None:
    config = connected(tenant)
    client = browser(tenant)
    page = html(post_config(client, config, client_id="other"))
    assert 'id="id_drop_grant_error"' in page
    assert post_config(client, config, client_id="other", drop_grant="on").status_code == 302


def test_change_that_keeps_a_consent_wants_no_tick(tenant: Tenant) -> None:
    config = connected(tenant)
    assert post_config(browser(tenant), config, scope="mail.read").status_code == 302
    assert OAuthToken.objects.get(config=config).state == OAuthToken.State.VALID


def test_form_says_before_saving_what_a_change_does_to_the_token(tenant: Tenant) -> None:
    page = html(browser(tenant).get(url("change", connected(tenant).id)))
    assert "A change drops the stored token: somebody has to connect again." in page
    of_client = page.partition('id="id_client_id_helptext"')[2].partition("</p>")[0]
    of_seed = page.partition('id="id_refresh_token_helptext"')[2].partition("</p>")[0]
    assert "drops the stored token" in of_client
    assert "Another one replaces the stored token" in of_seed
    assert "drops the stored token" not in of_seed


def test_another_method_drops_the_secrets_of_the_old_one(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    client = browser(tenant)
    page = html(client.get(url("change", config.id) + "?method=api_key"))
    assert "Saving replaces the method Bearer token" in page
    post_config(client, config, method="api_key", key="X-Key", value="fresh")
    assert stored(config) == {"value": "fresh"}


def test_link_fills_in_no_field_of_the_method(tenant: Tenant) -> None:
    page = html(browser(tenant).get(url("add") + "?method=api_key&key=X-Evil&name=evil"))
    assert "X-Evil" not in page
    assert "evil" not in page


def test_new_config_goes_to_environments_that_the_role_may_write_to(tenant: Tenant) -> None:
    protected = make_environment(tenant, "production", protected=True)
    make_environment(tenant)
    data = posted(tenant, method="bearer", name="new", environment=protected.id, token="t")
    page = html(browser(tenant, Role.EDITOR).post(url("add"), data))
    assert "Choose one of the list." in page
    assert not AuthConfig.objects.exists()


def test_environment_of_a_config_never_changes(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    other = make_environment(tenant, "other")
    post_config(browser(tenant), config, environment=str(other.id), description="x")
    config.refresh_from_db()
    assert config.environment.slug == "staging"


@pytest.mark.parametrize("warned", [("api_key", {"key": "k", "placement": "query"}, "logs")])
def test_weak_choice_is_warned_of(tenant: Tenant, warned: tuple[str, dict[str, str], str]) -> None:
    method, options, word = warned
    config = make_config(
        make_environment(tenant), method=method, options=options, secrets={"value": "v"}
    )
    assert word in html(browser(tenant).get(url("change", config.id)))
