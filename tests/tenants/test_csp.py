from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tenants.csp import ContentSecurityPolicyMiddleware, allow_form_action


def policy(*origins: str) -> dict[str, str]:
    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        for origin in origins:
            allow_form_action(response, origin)
        return response

    response = ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/"))
    directives = response.headers["Content-Security-Policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def test_pages_load_nothing_from_elsewhere_and_are_framed_nowhere() -> None:
    assert policy() == {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }


def test_page_may_lead_its_forms_to_one_more_origin() -> None:
    once = policy("https://login.example", "https://login.example")
    assert once["form-action"] == "'self' https://login.example"
