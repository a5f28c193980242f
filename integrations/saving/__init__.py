"""Saving integrations and connections: the one path of pages and files."""

from authconfigs.saving import EditConflict, InUse, InvalidDraft, delete
from integrations.saving.connections import delete_connection, save_connection
from integrations.saving.drafts import (
    ConnectionDraft,
    IntegrationDraft,
    SavedConnection,
    SavedIntegration,
)
from integrations.saving.integrations import save_integration
from integrations.saving.revisions import revision_of

__all__ = [
    "ConnectionDraft",
    "EditConflict",
    "InUse",
    "IntegrationDraft",
    "InvalidDraft",
    "SavedConnection",
    "SavedIntegration",
    "delete",
    "delete_connection",
    "revision_of",
    "save_connection",
    "save_integration",
]
