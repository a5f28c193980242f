"""What the authorization server remembers: codes, access tokens, and families of refresh tokens. Thread-safe."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from integrations.demo.provider.switches import Switches

KEPT = 50_000


class Refused(Exception):
    """An OAuth error (RFC 6749 §5.2): code, description, status."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


@dataclass
class Family:
    """All tokens that descend from one consent; reuse of a spent refresh token kills it as a whole."""

    alive: bool = True
    current: str = ""
    previous: str = ""


@dataclass(frozen=True)
class Grant:
    """Who may do what: behind every code and token."""

    client_id: str
    subject: str
    scope: str
    family: Family = field(default_factory=Family)


@dataclass(frozen=True)
class AccessToken:
    """An access token that was issued; `expires_at` is on the monotonic clock."""

    grant: Grant
    expires_at: float

    @property
    def expires_in(self) -> float:
        """Seconds left; negative when it has expired."""
        return self.expires_at - time.monotonic()


@dataclass(frozen=True)
class Code:
    """An authorization code, bound to what its request said (RFC 6749 §4.1.3, RFC 7636)."""

    grant: Grant
    redirect_uri: str
    challenge: str
    expires_at: float


class Ledger:
    """The memory of one provider. `count(name)` is told of what tests want to count."""

    def __init__(self, switches: Switches, count: Callable[[str], None]) -> None:
        self._switches, self._count = switches, count
        self._lock = threading.Lock()
        self._codes: dict[str, Code] = {}
        self._spent_codes: dict[str, Grant] = {}
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, Grant] = {}
        self._consents: dict[str, Grant] = {}

    def issue(self, grant: Grant, *, with_refresh: bool) -> dict[str, Any]:
        """A token answer (RFC 6749 §5.1) for a grant."""
        with self._lock:
            return self._issue(grant, with_refresh)

    def refresh(self, token: str, *, client_id: str, scope: str) -> dict[str, Any]:
        """A token answer for a refresh token (RFC 6749 §6), rotated as the switch says. Raises Refused."""
        with self._lock:
            grant = self._refresh.get(token)
            if grant is None or not grant.family.alive or grant.client_id != client_id:
                raise Refused(
                    "invalid_grant", "The refresh token is unknown, revoked or another client's."
                )
            if not set(scope.split()) <= set(grant.scope.split()):
                raise Refused("invalid_scope", "The scope goes beyond what was granted.")
            family = grant.family
            spent = token != family.current
            if spent and self._switches.refresh == "grace" and token == family.previous:
                self._count("refresh_grace")
            elif spent and self._switches.refresh != "keep":
                family.alive = False
                self._count("refresh_reuse")
                raise Refused(
                    "invalid_grant",
                    "The refresh token was used before: all of its tokens are revoked.",
                )
            answered = replace(grant, scope=scope or grant.scope)
            if self._switches.refresh == "keep":
                return self._issue(answered, False)
            family.previous = token
            return self._issue(answered, True, of=grant)

    def new_code(self, grant: Grant, *, redirect_uri: str, challenge: str) -> str:
        """An authorization code, good for one use until its short life ends."""
        code = _random("code")
        with self._lock:
            expires_at = time.monotonic() + self._switches.code_lifetime
            self._codes[code] = Code(grant, redirect_uri, challenge, expires_at)
            _prune(self._codes)
        return code

    def spend_code(self, code: str) -> Code:
        """The code's grant, once; a second use revokes what the first one gave (RFC 6749 §4.1.2). Raises Refused."""
        with self._lock:
            if code in self._spent_codes:
                self._spent_codes[code].family.alive = False
                self._count("code_reuse")
                raise Refused("invalid_grant", "The code was used before: its tokens are revoked.")
            found = self._codes.pop(code, None)
            if found is None:
                raise Refused("invalid_grant", "The code is unknown.")
            self._spent_codes[code] = found.grant
            _prune(self._spent_codes)
        if found.expires_at < time.monotonic():
            raise Refused("invalid_grant", "The code has expired.")
        with self._lock:
            self._consents[_random("consent")] = found.grant
            _prune(self._consents)
        return found

    def consents(self) -> list[tuple[str, Grant]]:
        """What persons have agreed to and not withdrawn, each with a name."""
        with self._lock:
            return [(name, grant) for name, grant in self._consents.items() if grant.family.alive]

    def withdraw(self, name: str) -> None:
        """Let no token of that consent work any more, as its person wishes."""
        with self._lock:
            if name in self._consents:
                self._consents[name].family.alive = False

    def access(self, token: str) -> AccessToken | None:
        """What is known of an access token, expired ones included; None when unknown or revoked."""
        with self._lock:
            found = self._access.get(token)
        return found if found is not None and found.grant.family.alive else None

    def revoke(self, token: str, *, client_id: str) -> None:
        """Forget a token (RFC 7009); a refresh token takes its whole family along. Unknown ones are no error."""
        with self._lock:
            found = self._access.get(token)
            grant = self._refresh.get(token) or (found.grant if found else None)
            if grant is None or grant.client_id != client_id:
                return
            if token in self._refresh:
                grant.family.alive = False
            self._access.pop(token, None)

    def revoke_all(self) -> None:
        """Forget every token and code that was issued."""
        with self._lock:
            for memory in (self._codes, self._spent_codes, self._access, self._refresh):
                memory.clear()
            self._consents.clear()

    def expire_all(self) -> None:
        """Let every access token expire now; refresh tokens stay good."""
        with self._lock:
            past = time.monotonic() - 1
            self._access = {t: replace(one, expires_at=past) for t, one in self._access.items()}

    def _issue(
        self, grant: Grant, with_refresh: bool, *, of: Grant | None = None
    ) -> dict[str, Any]:
        lifetime = self._switches.token_lifetime
        access = _random("access")
        self._access[access] = AccessToken(grant, time.monotonic() + lifetime)
        _prune(self._access)
        self._count("tokens")
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(lifetime) if lifetime == int(lifetime) else lifetime,
            "scope": grant.scope,
        }
        if with_refresh:
            answer["refresh_token"] = grant.family.current = _random("refresh")
            self._refresh[grant.family.current] = of or grant
            _prune(self._refresh)
        return answer


def _random(kind: str) -> str:
    return f"{kind}-{secrets.token_urlsafe(24)}"


def _prune(memory: dict[str, Any]) -> None:
    if len(memory) > KEPT:
        del memory[next(iter(memory))]


def counter() -> tuple[Counter[str], Callable[[str], None]]:
    """A counter, and the thread-safe function that adds one to a name."""
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def count(name: str) -> None:
        with lock:
            counts[name] += 1

    return counts, count
