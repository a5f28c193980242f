from functools import lru_cache

from django.conf import settings

from authconfigs.transport.addresses import Network
from authconfigs.transport.door import Door
from authconfigs.transport.policy import NetworkPolicy


def default_door() -> Door:
    """The process's door, with the operator's OUTBOUND_* settings."""
    return _door(
        tuple(settings.OUTBOUND_ALLOW_NETWORKS),
        settings.OUTBOUND_CA_BUNDLE,
        settings.OUTBOUND_PROXY,
    )


def new_door() -> Door:
    """A door like it with connections of its own: who tests a connection wants to see it opened."""
    return Door(
        NetworkPolicy(tuple(settings.OUTBOUND_ALLOW_NETWORKS)),
        ca_bundle=settings.OUTBOUND_CA_BUNDLE,
        proxy=settings.OUTBOUND_PROXY,
    )


@lru_cache(maxsize=4)
def _door(networks: tuple[Network, ...], ca_bundle: str | None, proxy: str | None) -> Door:
    return Door(NetworkPolicy(networks), ca_bundle=ca_bundle, proxy=proxy)
