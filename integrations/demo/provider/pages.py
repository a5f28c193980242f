"""The landing page: every endpoint with a command to try, the example credentials, and the switches as buttons."""

from collections.abc import Sequence
from dataclasses import asdict
from html import escape

from integrations.demo.provider import accounts
from integrations.demo.provider.metadata import METADATA_PATHS
from integrations.demo.provider.switches import ALL_FAILURES, CHOICES, FAILURES, MEANINGS, Switches

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-top: 1px solid #8886; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
td:first-child code, label { white-space: nowrap; }
input, select, button { font: inherit; padding: .3rem .5rem; }
button { cursor: pointer; min-height: 2.2rem; } button.main { font-weight: 700; }
form { margin: .5rem 0; } .scroll { overflow-x: auto; } .scroll table { min-width: 40rem; }
.on { border-left: 4px solid #b45309; padding-left: .8rem; }
"""


def page(title: str, body: str) -> str:
    """A whole HTML page. `title` is text, `body` is markup that was escaped by its maker."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} – demo provider</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><main><h1>{escape(title)}</h1>
{body}</main></body></html>
"""


def landing(base_url: str, switches: Switches) -> str:
    """The page at `/`."""
    return page(
        "Demo provider",
        f"""<p>A small API with an OAuth 2.0 server, made to be called, broken and mended while you
watch. It runs on this machine alone. Every credential here is an example.</p>
{_state(switches)}
<h2>API endpoints</h2>
<p>Each also answers for every path below it, such as <code>/bearer/invoices</code>.</p>
{_table(("Endpoint", "Wants", "Try it"), _endpoints(base_url))}
<h2>OAuth 2.0</h2>
{_table(("What", "Value"), _oauth(base_url))}
<h2>Make it fail</h2>
<p>For one address: put <code>/fail/NAME</code> in front of a path, as in
<code>{escape(base_url)}/fail/403/bearer</code> or <code>{escape(base_url)}/fail/expires_junk/token</code>.
For all of them: turn a switch.</p>
{_switch_forms(switches)}
<p>From a program: <code>curl {escape(base_url)}/switches -H 'Content-Type: application/json'
-d '{{"api": "403", "token_lifetime": 5}}'</code>. GET shows all switches.</p>
<h2>Names of failures</h2>
{_table(("Name", "What happens", "Where"), _failures())}""",
    )


def _state(switches: Switches) -> str:
    usual = asdict(Switches())
    turned = {name: value for name, value in asdict(switches).items() if value != usual[name]}
    if not turned:
        return "<p>All switches are as they started: nothing fails on purpose.</p>"
    listed = ", ".join(
        f"<code>{name} = {escape(str(value))}</code>" for name, value in turned.items()
    )
    return f'<p class="on"><b>Switched:</b> {listed}.</p>'


def _endpoints(base_url: str) -> list[tuple[str, ...]]:
    bearer = f"-H 'Authorization: Bearer {accounts.BEARER_TOKEN}'"
    key = f"-H '{accounts.API_KEY_HEADER}: {{}}'"
    basic = f"-u '{accounts.BASIC_USERNAME}:{accounts.BASIC_PASSWORD}'"
    query = f"?{accounts.API_KEY_PARAMETER}={accounts.API_KEY}"
    rows = [
        ("/bearer", "A Bearer token, this one or one from /token", bearer, ""),
        (
            "/scoped",
            f"A token with the scope {accounts.REPORTS_SCOPE}; this one lacks it",
            bearer,
            "",
        ),
        ("/key-header", "An API key in a header", key.format(accounts.API_KEY), ""),
        ("/key-query", "An API key in the query", "", query),
        ("/basic", "User name and password (UTF-8)", basic, ""),
        (
            "/rotating",
            "A key that the switch rotated replaces",
            key.format(accounts.ROTATING_KEY),
            "",
        ),
        ("/open", "Nothing: it is open to everybody", "", ""),
    ]
    return [
        (_code(path), escape(wants), _code(f"curl -i {options} '{base_url}{path}{query}'"))
        for path, wants, options, query in rows
    ]


def _oauth(base_url: str) -> list[tuple[str, ...]]:
    clients = [
        (f"Client{note}", f"{_code(client.client_id)} secret {_code(client.secret or 'none')}")
        for note, client in (
            ("", accounts.CLIENT),
            (" with odd characters", accounts.ODD_CLIENT),
            (", public", accounts.PUBLIC_CLIENT),
        )
    ]
    return [
        ("Token URL", _code(f"{base_url}/token")),
        ("Authorization URL", _code(f"{base_url}/authorize")),
        ("Revocation URL", _code(f"{base_url}/revoke")),
        (
            "Issuer",
            f"{_code(base_url)} (metadata at {' and '.join(map(_code, METADATA_PATHS))})",
        ),
        ("Grants", "client credentials, password, authorization code (PKCE), refresh token"),
        ("Client authentication", "basic, post, none; form or JSON body"),
        *clients,
        ("User", f"{_code(accounts.OAUTH_USERNAME)} password {_code(accounts.OAUTH_PASSWORD)}"),
        (
            "Connected software",
            '<a href="/connected">What persons have consented to</a>, and the button to withdraw it',
        ),
        ("Scopes", ", ".join(_code(scope) for scope in accounts.SCOPES)),
    ]


def _switch_forms(switches: Switches) -> str:
    rows = []
    for name, value in asdict(switches).items():
        label = f'<label for="{name}">{name}</label>'
        choices = CHOICES.get(name) or (("false", "true") if isinstance(value, bool) else ())
        if choices:
            shown = str(value).lower() if isinstance(value, bool) else value
            options = "".join(
                f"<option{' selected' if choice == shown else ''}>{choice}</option>"
                for choice in choices
            )
            field = f'<select id="{name}" name="{name}">{options}</select>'
        else:
            field = f'<input id="{name}" name="{name}" value="{escape(str(value))}">'
        rows.append((label, field, escape(MEANINGS[name])))
    return f"""<form method="post" action="/switches">{_table(("Switch", "Value", "Meaning"), rows)}
<button class="main">Set these</button></form>
<form method="post" action="/switches"><button name="action" value="reset">Reset all</button>
<button name="action" value="revoke_tokens">Revoke every token</button>
<button name="action" value="expire_tokens">Let every access token expire</button></form>"""


def _failures() -> list[tuple[str, ...]]:
    return [
        (_code(name), escape(text), "anywhere" if name in FAILURES else "token URL")
        for name, text in ALL_FAILURES.items()
    ]


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
