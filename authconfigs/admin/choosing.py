"""The page on which a method is chosen: its card, or questions that lead to one. All of it is links."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from authconfigs import methods
from authconfigs.admin.base import OwnPages
from authconfigs.methods.base import AuthMethod
from authconfigs.methods.questions import Answer, Question, walk
from authconfigs.models import AuthConfig

# The fragment puts the reader of a new page where the next question is.
HERE = "#questions"


@dataclass(frozen=True)
class Asked:
    """The questions as they are drawn: what was `given` can be taken back, `answers` lead on, `method` is what they led to."""

    given: list[tuple[Question, Answer, str]]
    question: Question | None
    answers: list[tuple[Answer, str]]
    method: AuthMethod | None
    reason: str


class ChoosingPages(OwnPages):
    def choose_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Another method for a config that exists."""
        config = self.found(request, object_id, verb="change")
        return self.choose_page(request, form_url=self.url_of(config), config=config)

    def choose_page(
        self, request: HttpRequest, *, form_url: str, config: AuthConfig | None
    ) -> HttpResponse:
        """The cards and the questions; each card leads to `form_url` with its method."""
        environment = request.GET.get("environment")
        carried = {"environment": environment} if environment else {}
        return self.page(
            request,
            "choose_method",
            title="How does the API want to be authenticated?",
            original=config,
            methods=[method for method in methods.METHODS if method.available()],
            switched_off=[method for method in methods.METHODS if not method.available()],
            asked=_asked(request.GET.get("answers", ""), carried),
            form_url=form_url,
            carried=f"&{urlencode(carried)}" if carried else "",
            current=config.method if config is not None else "",
        )


def _asked(path: str, carried: Mapping[str, str]) -> Asked:
    walked = walk(path)

    def address(answers: str) -> str:
        query: dict[str, Any] = {**({"answers": answers} if answers else {}), **carried}
        return f"?{urlencode(query)}{HERE}"

    question, found = walked.question, walked.recommendation
    prefix = f"{walked.path}." if walked.path else ""
    return Asked(
        given=[(step.question, step.answer, address(step.before)) for step in walked.steps],
        question=question,
        answers=[
            (answer, address(f"{prefix}{answer.slug}"))
            for answer in (question.open_answers if question else ())
        ],
        method=methods.by_code(found.method) if found else None,
        reason=found.reason if found else "",
    )
