"""Django's `csrf_token`, and with it the tenant that the form is drawn for. Settings put it in the place of Django's."""

from typing import Any

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tenants.drawn_for import FIELD
from tenants.scope import active_tenant_id_or_none

register = template.Library()


@register.simple_tag(takes_context=True)
def csrf_token(context: template.Context) -> str | SafeString:
    """The hidden fields of a form that posts."""
    token: Any = CsrfTokenNode().render(context)
    tenant_id = active_tenant_id_or_none()
    if tenant_id is None:
        return format_html("{}", token)
    return format_html('{}<input type="hidden" name="{}" value="{}">', token, FIELD, tenant_id)
