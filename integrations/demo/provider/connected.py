"""The person's own page: which clients have access, and the button that withdraws it, as providers have in their settings."""

from html import escape
from urllib.parse import parse_qsl

from integrations.demo.provider import accounts
from integrations.demo.provider.ledger import Ledger
from integrations.demo.provider.messages import Answer, Received, html_answer
from integrations.demo.provider.pages import page

PATH = "/connected"


class ConnectedPage:
    """Answers for /connected: GET lists, POST withdraws one."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def answer(self, received: Received) -> Answer:
        """The page, or a redirect back to it."""
        if received.method == "POST":
            form = dict(parse_qsl(received.body.decode("utf-8", "replace")))
            self._ledger.withdraw(form.get("consent", ""))
            return Answer(303, headers=(("Location", PATH),))
        rows = "".join(
            f"""<form method="post" action="{PATH}"><p><b>{escape(grant.client_id)}</b>:
<code>{escape(grant.scope)}</code> <button name="consent" value="{escape(name)}">Withdraw</button></p></form>"""
            for name, grant in self._ledger.consents()
        )
        listed = rows or "<p>None at present.</p>"
        return html_answer(
            page(
                "Connected software",
                f"<p>These may act as <b>{accounts.OAUTH_USERNAME}</b>:</p>{listed}",
            )
        )
