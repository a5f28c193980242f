"""What a button does that somebody may regret. It is said before: in a dialog, or on a page of its own where no script runs."""

from dataclasses import dataclass

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


@dataclass(frozen=True)
class Consequence:
    """`label` and `icon` are the button's, `button` confirms, in red where something `ends`. `url` takes the POST; below it is the page that asks."""

    url: str
    label: str
    icon: str
    title: str
    text: str
    button: str
    ends: bool = False

    @property
    def ask_url(self) -> str:
        return f"{self.url}ask/"

    @property
    def dialog_id(self) -> str:
        return f"ask-{self.icon}"


def ask_page(
    request: HttpRequest,
    admin: "ModelAdmin[Model]",
    consequence: Consequence,
    *,
    original: Model,
    back: str,
) -> HttpResponse:
    """The page that asks; nothing is done yet. `back` is the page that the button stands on."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": consequence.title,
        "original": original,
        "consequence": consequence,
        "back": back,
    }
    return TemplateResponse(request, "console/ask_page.html", context)
