"""What the buttons of a config's page say before they do something that somebody may regret."""

from collections.abc import Callable

from django.urls import reverse

from authconfigs import methods
from authconfigs.models import AuthConfig
from tenants.consequences import Consequence


def _expire(config: AuthConfig, url: str) -> Consequence:
    return Consequence(
        url=url,
        label="Simulate expiry",
        icon="hourglass_disabled",
        title=f"Simulate the expiry of {config.name}'s token?",
        text="The stored access token counts as expired from now on, and the next call or “Refresh token” has to get a new one. Where that fails, calls fail until it works again.",
        button="Simulate it now",
    )


def _disconnect(config: AuthConfig, url: str) -> Consequence:
    return Consequence(
        url=url,
        label="Disconnect",
        icon="link_off",
        title=f"Disconnect {config.name}?",
        text="Its tokens are forgotten here, and withdrawn at the provider where it has an address for that. All calls with it fail until somebody connects it again.",
        button="Disconnect now",
        ends=True,
    )


def _switch_off(config: AuthConfig, url: str) -> Consequence:
    uses_token = methods.stored(config.method).uses_token
    meanwhile = " Its OAuth token isn't renewed meanwhile." if uses_token else ""
    return Consequence(
        url=url,
        label="Switch off",
        icon="toggle_off",
        title=f"Switch off {config.name}?",
        text=f"The next call or test with it is refused, until it is switched on again.{meanwhile} Nothing that is stored is lost.",
        button="Switch off now",
        ends=True,
    )


# By the name of the button; what isn't here is done at once.
ASKED: dict[str, Callable[[AuthConfig, str], Consequence]] = {
    "expire": _expire,
    "switch": _switch_off,
    "disconnect": _disconnect,
}


def consequence(name: str, config: AuthConfig) -> Consequence | None:
    """What that button of the config says first; None where it harms nothing, as to switch on does."""
    if name not in ASKED or (name == "switch" and config.disabled_at is not None):
        return None
    return ASKED[name](config, reverse(f"admin:authconfigs_authconfig_{name}", args=[config.id]))
