import sys

from django.conf import settings
from django.core import mail
from django.test import RequestFactory, override_settings
from django.utils.log import AdminEmailHandler
from django.views.debug import technical_500_response

from config.logs import MaskingFilter
from tests.config.test_logs import record

PLANTED = "planted-secret"


def failing_request_page() -> tuple[str, str]:
    """The page of DEBUG and the error mail for a request that is full of secrets."""
    request = RequestFactory().post(
        f"/admin/?code={PLANTED}",
        {"token": PLANTED, "description": PLANTED},
        headers={"X-Api-Key": PLANTED, "Cookie": f"sessionid={PLANTED}"},
    )
    local_variable = PLANTED
    try:
        raise ValueError(f"refused: https://api.example/?key={PLANTED}")
    except ValueError as error:
        assert local_variable
        page = technical_500_response(request, *sys.exc_info()).content.decode()
        made = record("Internal Server Error: %s", "/admin/", error=error)
    made.request = request
    made.status_code = 500
    MaskingFilter().filter(made)
    handler = AdminEmailHandler(include_html=True)
    handler.emit(made)
    [message] = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    html = str(message.alternatives[0][0])
    return page, f"{message.subject}\n{message.body}\n{html}"


@override_settings(ADMINS=[("Operator", "operator@console.example")])
def test_error_page_and_error_mail_hold_no_value() -> None:
    for text in failing_request_page():
        assert "ValueError" in text
        assert "description" in text
        assert PLANTED not in text
        assert settings.SECRET_KEY not in text
        assert settings.FIELD_ENCRYPTION_KEYS not in text
