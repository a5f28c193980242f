"""Which endpoint answers a request, and which failures apply to it."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from integrations.demo.provider import connected, failures
from integrations.demo.provider.connected import ConnectedPage
from integrations.demo.provider.consent import ConsentPage
from integrations.demo.provider.ledger import Ledger
from integrations.demo.provider.messages import (
    Answer,
    Received,
    html_answer,
    json_answer,
    parameters,
)
from integrations.demo.provider.metadata import METADATA_PATHS, metadata
from integrations.demo.provider.pages import landing
from integrations.demo.provider.resources import Resources, root_of
from integrations.demo.provider.switches import ALL_FAILURES, FAILURES, Switches, names
from integrations.demo.provider.tokens import TokenEndpoint


class Routes:
    """All endpoints of one provider."""

    def __init__(self, switches: Switches, count: Callable[[str], None], *, base_url: str) -> None:
        self.ledger = Ledger(switches, count)
        self._switches, self._count, self._base_url = switches, count, base_url
        self._resources = Resources(switches, self.ledger)
        self._consent = ConsentPage(switches, self.ledger, base_url=base_url)
        tokens = TokenEndpoint(self.ledger, count)
        self._fixed: dict[str, Callable[[Received], Answer]] = {
            "/": lambda received: html_answer(landing(base_url, switches)),
            "/favicon.ico": lambda _: Answer(204),
            "/switches": self._turned,
            "/authorize": self._consent.answer,
            connected.PATH: ConnectedPage(self.ledger).answer,
            "/token": tokens.token,
            "/revoke": tokens.revoke,
            **dict.fromkeys(METADATA_PATHS, lambda _: json_answer(metadata(base_url, switches))),
        }

    def answer(self, received: Received) -> tuple[Answer, Received]:
        """The answer to a request, and the request without its /fail/NAME."""
        try:
            received, wanted = _without_failures(received)
        except ValueError as problem:
            return json_answer({"error": "not_found", "message": str(problem)}, 404), received
        endpoint = received.endpoint
        self._count(f"{received.method} {endpoint}")
        is_token = endpoint in {"/token", "/revoke"}
        if is_token:
            wanted |= names(self._switches.token, allowed=ALL_FAILURES)
        elif root_of(endpoint):
            wanted |= names(self._switches.api, allowed=FAILURES)
        answer = failures.before(
            received, wanted, switches=self._switches, base_url=self._base_url
        ) or self._answer(received, endpoint)
        return failures.onto(answer, wanted, received=received, is_token=is_token), received

    def _answer(self, received: Received, endpoint: str) -> Answer:
        root = root_of(endpoint)
        if root:
            return self._resources.answer(received, root)
        fixed = self._fixed.get(endpoint)
        if fixed:
            return fixed(received)
        return json_answer({"error": "not_found", "message": "/ lists what there is."}, 404)

    def _turned(self, received: Received) -> Answer:
        if received.method != "POST":
            return json_answer({"switches": asdict(self._switches), "failures": ALL_FAILURES})
        from_page = "json" not in (received.header("Content-Type") or "")
        try:
            asked = _asked(received, from_page)
            actions = {str(asked.pop("action", ""))} - {""}
            if unknown := actions - set(self._actions):
                raise ValueError(
                    f"There is no action {unknown.pop()!r}. There are: {', '.join(self._actions)}."
                )
            self._switches.update(asked)
        except ValueError as problem:
            return json_answer({"error": "invalid_request", "message": str(problem)}, 400)
        for action in actions:
            self._actions[action]()
        if from_page:
            return Answer(303, headers=(("Location", "/"),))
        return json_answer({"switches": asdict(self._switches)})

    @property
    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "reset": self._switches.reset,
            "revoke_tokens": self.ledger.revoke_all,
            "expire_tokens": self.ledger.expire_all,
        }


def _asked(received: Received, from_page: bool) -> dict[str, Any]:
    if from_page:
        return dict(parse_qsl(received.body.decode("utf-8", "replace"), keep_blank_values=True))
    return {name: values[0] for name, values in parameters(received).items() if values}


def _without_failures(received: Received) -> tuple[Received, frozenset[str]]:
    wanted: frozenset[str] = frozenset()
    path = received.path
    while path.startswith("/fail/"):
        name, slash, rest = path.removeprefix("/fail/").partition("/")
        wanted |= names(name, allowed=ALL_FAILURES)
        path = slash + rest or "/"
    return received.at(path), wanted
