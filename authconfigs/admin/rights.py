"""What of a config's actions a user may do, as it is now: for the buttons of its page and for the command palette."""

from authconfigs.models import AuthConfig
from authconfigs.saving.tokens import needs_consent
from tenants.models import User


def rights(
    user: User,
    config: AuthConfig,
    *,
    uses_token: bool,
    attached: bool,
    has_access: bool,
    has_refresh: bool,
) -> dict[str, bool]:
    """Action by action. `has_access` and `has_refresh`: which tokens are stored."""

    def may(perm: str) -> bool:
        return user.has_perm(perm, config)

    by_person = needs_consent(config.method)
    is_renewable = uses_token and (has_refresh or not by_person)
    return {
        # Alone, only a token endpoint can be asked.
        "test": (attached or uses_token) and may("authconfigs.test_authconfig"),
        "refresh": is_renewable and may("authconfigs.refresh_authconfig"),
        # Without a way to renew it, nobody but a person could undo that.
        "expire": has_access and is_renewable and may("authconfigs.simulate_expiry_authconfig"),
        "connect": by_person
        and config.disabled_at is None
        and may("authconfigs.connect_authconfig"),
        "disconnect": by_person
        and (has_access or has_refresh)
        and may("authconfigs.disconnect_authconfig"),
        "change": may("authconfigs.change_authconfig"),
        "delete": may("authconfigs.delete_authconfig"),
        "attach": may("integrations.add_connection"),
    }
