"""Saving auth configs: the one path of pages and files.

`configs` is the way in; `judging` compares a draft with what is stored, `credentials` seals, `tokens` does to a stored
token what the change of each field declares, `deleting` refuses what is in use.
"""

from authconfigs.saving.configs import (
    draft_of,
    preview_change,
    save_config,
    switch_config,
    typed_secrets,
)
from authconfigs.saving.conflicts import conflict
from authconfigs.saving.deleting import delete
from authconfigs.saving.drafts import (
    ConfigDraft,
    EditConflict,
    InvalidDraft,
    SavedConfig,
    Secret,
)
from authconfigs.saving.judging import KeyLookup, current_credential
from tenants.refusals import InUse

__all__ = [
    "ConfigDraft",
    "EditConflict",
    "InUse",
    "InvalidDraft",
    "KeyLookup",
    "SavedConfig",
    "Secret",
    "conflict",
    "current_credential",
    "delete",
    "draft_of",
    "preview_change",
    "save_config",
    "switch_config",
    "typed_secrets",
]
