"""The consent page: RFC 6749 §4.1.1, PKCE demanded (RFC 7636, S256 alone), the answer names its issuer (RFC 9207)."""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from integrations.demo.provider import accounts
from integrations.demo.provider.ledger import Grant, Ledger, Refused
from integrations.demo.provider.messages import Answer, Received, html_answer
from integrations.demo.provider.pages import page
from integrations.demo.provider.switches import Switches
from integrations.demo.provider.tokens import granted_scope


class ConsentPage:
    """Answers for /authorize: GET asks the person (or the switch), POST is the person's answer."""

    def __init__(self, switches: Switches, ledger: Ledger, *, base_url: str) -> None:
        self._switches, self._ledger, self._base_url = switches, ledger, base_url

    def answer(self, received: Received) -> Answer:
        """A page, or a redirect back to the client with a code or an error."""
        if received.method not in {"GET", "HEAD", "POST"}:
            return html_answer(page("Not like this", "<p>GET or POST.</p>"), 405)
        asked = dict(received.query)
        client = accounts.CLIENTS.get(asked.get("client_id", ""))
        redirect_uri = asked.get("redirect_uri", "")
        if client is None or not _usable(redirect_uri):
            # RFC 6749 §4.1.2.1: nobody is sent to an address that can't be trusted.
            reason = "client_id isn't known here" if client is None else "redirect_uri isn't usable"
            return html_answer(page("This link can't work", f"<p>Its {reason}.</p>"), 400)
        try:
            if asked.get("response_type") != "code":
                raise Refused("unsupported_response_type", "Only code is known here.")
            if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
                raise Refused("invalid_request", "PKCE with S256 is demanded.")
            scope = granted_scope(asked.get("scope", ""))
        except Refused as refusal:
            return self._back(asked, error=refusal.error, error_description=refusal.description)
        decision = self._switches.consent
        if received.method == "POST":
            form = dict(parse_qsl(received.body.decode("utf-8", "replace")))
            decision = form.get("decision", "")
            if decision == "narrow":
                scope, decision = _narrower(scope), "allow"
            elif decision != "allow":
                decision = "deny"
        if decision == "ask":
            return html_answer(_question(client, scope, redirect_uri, received.path))
        if decision == "deny":
            return self._back(asked, error="access_denied", error_description="Consent was denied.")
        grant = Grant(client.client_id, accounts.OAUTH_USERNAME, scope)
        code = self._ledger.new_code(
            grant, redirect_uri=redirect_uri, challenge=asked["code_challenge"]
        )
        return self._back(asked, code=code)

    def _back(self, asked: dict[str, str], **answer: str) -> Answer:
        if "state" in asked:
            answer["state"] = asked["state"]
        issuer = self._switches.consent_issuer or self._base_url
        if issuer != "none":
            answer["iss"] = issuer
        uri = asked["redirect_uri"]
        joint = "&" if urlsplit(uri).query else "?"
        location = f"{uri}{joint}{urlencode(answer)}"
        return Answer(303, headers=(("Location", location), ("Cache-Control", "no-store")))


def _usable(redirect_uri: str) -> bool:
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    plain = redirect_uri.isascii() and redirect_uri.isprintable() and " " not in redirect_uri
    return plain and parts.scheme in {"http", "https"} and bool(parts.netloc) and not parts.fragment


def _narrower(scope: str) -> str:
    """The scope without its last name, if it has another."""
    return " ".join(scope.split()[:-1]) or scope


def _question(client: accounts.Client, scope: str, redirect_uri: str, path: str) -> str:
    scopes = "".join(f"<li><code>{escape(one)}</code></li>" for one in scope.split())
    host = escape(urlsplit(redirect_uri).netloc)
    narrower = (
        f'<button name="decision" value="narrow">Allow all but {escape(scope.split()[-1])}</button>'
        if len(scope.split()) > 1
        else ""
    )
    return page(
        "Allow access?",
        f"""<p>You are signed in to the demo provider as <b>{accounts.OAUTH_USERNAME}</b>.</p>
<p><b>{escape(client.client_id)}</b> asks for:</p><ul>{scopes}</ul>
<p>Your answer takes you back to <code>{host}</code>.</p>
<form method="post" action="{escape(path)}">
<button name="decision" value="allow" class="main">Allow</button>
{narrower}
<button name="decision" value="deny">Deny</button></form>""",
    )
