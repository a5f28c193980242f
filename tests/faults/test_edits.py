"""A config is edited or deleted in one process while a worker waits for the token that another edit would outdate."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from authconfigs.models import AuthConfig, Credential, OAuthToken, TokenEvent
from authconfigs.saving import draft_of, save_config
from integrations.demo.provider import Provider, accounts
from tenants.scope import tenant_scope
from tests.factories import make_environment, make_tenant
from tests.faults import FULL
from tests.faults.consoles import BEAT, Console, beats, connected, make_due, ready, token_of
from tests.faults.own_servers import poll

pytestmark = pytest.mark.faults

EDITS: dict[str, dict[str, Any]] = {
    "nothing": {"description": "edited"},
    "new-access-token": {"secrets": {"client_secret": "another secret"}},
    "new-grant": {"options": {"client_id": accounts.ODD_CLIENT.client_id}},
}


def edit(config: AuthConfig, change: dict[str, Any]) -> None:
    with tenant_scope(config.tenant_id):
        now = AuthConfig.objects.select_related("environment").get(pk=config.pk)
        draft = draft_of(now)
        change = {**change, "options": {**draft.options, **change.get("options", {})}}
        save_config(
            replace(draft, **change),
            environment=now.environment,
            config=now,
            as_admin=True,
            widen_origins=True,
        )


def kinds(config: AuthConfig) -> set[str]:
    with tenant_scope(config.tenant_id):
        return set(TokenEvent.objects.filter(config_id=config.pk).values_list("kind", flat=True))


@pytest.mark.parametrize("kind", ["files", "servers"] if FULL else ["servers"])
def test_edit_while_the_refresh_is_under_way(
    console: Console, kind: str, tell: Callable[[str], None]
) -> None:
    staging = make_environment(make_tenant())
    with ExitStack() as stack:
        providers = {name: stack.enter_context(Provider()) for name in (*EDITS, "deleted")}
        configs = {name: connected(staging, name, one) for name, one in providers.items()}
        secrets = {name: revealed(config) for name, config in configs.items()}
        worker, clock = console.worker(), console.beat()
        ready(worker, clock)
        for provider in providers.values():
            provider.switches.token_delay = 2
        make_due(*configs.values())
        poll(
            "all are in flight",
            lambda: all(one.count("POST /token") for one in providers.values()),
            within=3 * BEAT,
            every=0.01,
        )
        clock.kill()
        for provider in providers.values():
            provider.switches.token_delay = 0
        for name, change in EDITS.items():
            edit(configs[name], change)
        with tenant_scope(staging.tenant_id):
            AuthConfig.objects.get(pk=configs["deleted"].pk).delete()
        poll("what was kept", lambda: token_of(configs["nothing"]).generation == 2, within=6)
        poll(
            "what was discarded",
            lambda: all(
                "discarded" in kinds(configs[n]) for n in ("new-access-token", "new-grant")
            ),
            within=2,
        )
        # No late result changes anything any more.
        beats(0.5)

        kept = token_of(configs["nothing"])
        assert (kept.state, "discarded" in kinds(configs["nothing"])) == ("valid", False)
        narrower = token_of(configs["new-access-token"])
        # The worker may have asked anew meanwhile, with the new secret, which the provider refuses.
        assert (narrower.access_token, narrower.lease_owner) == (None, None)
        assert narrower.refresh_token is not None
        dropped = token_of(configs["new-grant"])
        assert (dropped.access_token, dropped.refresh_token) == (None, None)
        with tenant_scope(staging.tenant_id):
            assert not OAuthToken.objects.filter(config_id=configs["deleted"].pk).exists()
            assert not TokenEvent.objects.filter(config_id=configs["deleted"].pk).exists()
            assert AuthConfig.objects.count() == len(EDITS)
        assert revealed(configs["nothing"]) == secrets["nothing"]
        assert revealed(configs["new-access-token"])["client_secret"] != accounts.CLIENT.secret
        assert "raised" not in worker.text

        # The one that was rotated meanwhile is used: nobody has to consent again.
        edit(configs["new-access-token"], {"secrets": {"client_secret": accounts.CLIENT.secret}})
        console.beat()
        poll(
            "the next token",
            lambda: token_of(configs["new-access-token"]).generation >= 2,
            within=3 * BEAT + 6,
        )
        assert sum(one.count("refresh_reuse") for one in providers.values()) == 0
        tell(
            f"edits while the refresh is under way, {kind}: 1 kept, 2 discarded, 1 deleted, 0 reused"
        )


def revealed(config: AuthConfig) -> dict[str, Any]:
    with tenant_scope(config.tenant_id):
        credential = Credential.objects.get(config_id=config.pk)
        assert credential.secrets is not None
        found: dict[str, Any] = credential.secrets.reveal()
    return found
