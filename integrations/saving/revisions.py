"""Revisions: immutable states of what is sent to an integration always. Equal content is the same revision."""

import hashlib
import json
from collections.abc import Mapping

from django.db.models import Max

from authconfigs.outgoing import Query
from authconfigs.saving import InvalidDraft
from integrations.models import Integration, IntegrationRevision
from integrations.saving.judging import Errors, header_errors, query_errors
from tenants.actor import current_actor


def content_hash(headers: Mapping[str, str], query: Query) -> str:
    """The same for equal content, in whatever order."""
    content = json.dumps([dict(headers), dict(query)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def content_errors(headers: Mapping[str, str], query: Query) -> Errors:
    """What keeps these from being a revision."""
    found = {"headers": header_errors(headers), "query": query_errors(query)}
    return {field: messages for field, messages in found.items() if messages}


def revision_of(
    integration: Integration, headers: Mapping[str, str], query: Query
) -> IntegrationRevision:
    """The integration's revision with this content; made if there is none. Raises InvalidDraft."""
    if errors := content_errors(headers, query):
        raise InvalidDraft(errors)
    digest = content_hash(headers, query)
    rows = IntegrationRevision.objects.filter(integration=integration)
    found = rows.filter(content_hash=digest).first()
    if found is not None:
        return found
    last = rows.aggregate(last=Max("number"))["last"] or 0
    return IntegrationRevision.objects.create(
        integration=integration,
        number=last + 1,
        headers=dict(headers),
        query=dict(query),
        content_hash=digest,
        created_by=current_actor().name,
    )
