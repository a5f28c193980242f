"""Minutes of tokens that live for a minute, at a provider that fails, with workers that are killed: nothing lost, nothing twice.

`python -m tests.faults.soak --minutes 10` prints its figures and ends with 1 when a promise was broken. Web, clock and one
worker are spared the kills: their memory is what is compared.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import environment as _settings_of_tests  # noqa: F401 - before Django's are loaded

CONFIGS = 200
LIFETIME = 60
BEAT = 2.0
FAULTY = 0.1
# Of some of them a token was made, but its answer is no use.
LOSING = ("garbled", "lost")
FAULTS = ("500", "503", "429", "html_500", "empty", "close", *LOSING)
KILL_EVERY = (8.0, 16.0)
WARM_SECONDS = 120.0
MOST_GROWTH_MIB = 10.0


@dataclass
class Seen:
    """What the provider has seen of each client's refresh tokens."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    faults: Counter[str] = field(default_factory=Counter)
    flying: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    slowest_ms: float = 0


@contextmanager
def provider_with_faults(seen: Seen) -> Iterator[Any]:
    """A provider of which one answer in ten is a fault; a client that asks twice at once is noticed."""
    from urllib.parse import parse_qs

    from integrations.demo.provider import Provider, Received
    from integrations.demo.provider.messages import Answer

    class Faulty(Provider):
        calm = False

        def respond(self, received: Received) -> Answer:
            if received.endpoint != "/token":
                return super().respond(received)
            token = parse_qs(received.body.decode()).get("refresh_token", [""])[0]
            chance = random.random()  # noqa: S311 - picks faults, guards nothing
            with seen.lock:
                seen.flying[token] += 1
                seen.at_once += seen.flying[token] > 1
            try:
                if chance < FAULTY and not self.calm:
                    name = random.choice(FAULTS)  # noqa: S311
                    with seen.lock:
                        seen.faults[name] += 1
                    received = received.at(f"/fail/{name}{received.path}")
                return super().respond(received)
            finally:
                with seen.lock:
                    seen.flying[token] -= 1

    with Faulty() as provider:
        provider.switches.refresh = "grace"
        provider.switches.token_lifetime = LIFETIME
        provider.switches.token_delay = 0.1
        provider.switches.retry_after = "2"
        yield provider


def resident_mib(pid: int) -> float:
    """The resident memory of a process and its children."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    children = [
        child
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return int(line.split()[1]) / 1024 + sum(resident_mib(int(child)) for child in children)


def soak(minutes: float, folder: Path, stack: ExitStack) -> dict[str, Any]:
    import requests
    from django.utils import timezone

    from authconfigs.models import OAuthToken, TokenEvent
    from integrations.demo.provider import accounts
    from tenants.scope import unscoped
    from tests.factories import make_environment, make_member, make_tenant
    from tests.faults import consoles

    settings = {"BEAT_SECONDS": BEAT, "REFRESH_PER_HOST": 32}
    url, broker = own_places(folder, stack)
    environment = consoles.environment_of(folder, database=url, broker=broker, **settings)
    stack.enter_context(consoles.database_of_this_process(url))
    console = consoles.Console(folder, environment)
    stack.callback(console.end)
    seen = Seen()
    provider = stack.enter_context(provider_with_faults(seen))
    acme = make_tenant()
    staging = make_environment(acme)
    configs = [consoles.connected(staging, f"c-{number}", provider) for number in range(CONFIGS)]
    for first in range(0, CONFIGS, CONFIGS // 10):
        consoles.make_due(*configs[first : first + CONFIGS // 10])
    clock, spared, (web, address) = console.beat(), console.worker(), console.web()
    victim = console.worker()
    browser = consoles.browser_of(make_member(acme), acme, address)
    consoles.ready(clock, spared, victim, web)
    alive = {"web": web, "beat": clock, "worker": spared}

    begun = time.monotonic()
    end, warm = begun + 60 * minutes, begun + min(WARM_SECONDS, 30 * minutes)
    kill_at = begun + random.uniform(*KILL_EVERY)  # noqa: S311
    kills, in_hand, slow_pages, expired = 0, 0, 0.0, 0
    pages, before = Counter[int](), dict[str, float]()
    while time.monotonic() < end:
        time.sleep(0.5)
        asked = time.monotonic()
        try:
            status = browser.get(f"{address}/admin/authconfigs/authconfig/", timeout=30).status_code
        except requests.RequestException:
            status = 0
        pages[status] += 1
        slow_pages = max(slow_pages, time.monotonic() - asked)
        if not before and asked >= warm:
            before = {name: resident_mib(one.process.pid) for name, one in alive.items()}
        with unscoped("the soak looks at all"):
            now = timezone.now()
            if before:
                expired = max(expired, OAuthToken.objects.filter(expires_at__lt=now).count())
        if asked >= kill_at:
            with unscoped("the soak looks at all"):
                in_hand += OAuthToken.objects.exclude(lease_owner=None).count()
            victim.kill()
            kills += 1
            victim = console.worker()
            kill_at = asked + random.uniform(*KILL_EVERY)  # noqa: S311
    after = {name: resident_mib(one.process.pid) for name, one in alive.items()}

    # The weather clears up: whatever was in hand or rests is renewed now.
    provider.calm = True
    still = time.monotonic()
    with unscoped("the soak looks at all"):
        while time.monotonic() < still + LIFETIME + 30:
            rows = OAuthToken.objects.filter(
                state="valid", expires_at__gt=timezone.now(), lease_owner=None
            )
            if rows.count() == CONFIGS:
                break
            time.sleep(0.5)
        states = Counter(OAuthToken.objects.values_list("state", flat=True))
        kinds = Counter(TokenEvent.objects.values_list("kind", flat=True))
        renewed = sum(OAuthToken.objects.values_list("generation", flat=True)) - CONFIGS
        # The provider knows the stored refresh token of each as the current or the previous one.
        stored = [
            row.refresh_token.reveal() for row in OAuthToken.objects.all() if row.refresh_token
        ]
    console.end()
    lost = CONFIGS - len(stored) + provider.count("refresh_reuse")
    for token in stored:
        try:
            provider.ledger.refresh(token, client_id=accounts.CLIENT.client_id, scope="")
        except Exception:
            lost += 1
    # A refresh token is used again only where what came of it was lost on the way.
    explained = in_hand + sum(seen.faults[name] for name in LOSING)
    duplicates = seen.at_once + max(0, provider.count("refresh_grace") - explained)
    growth = {name: round(after[name] - before[name], 1) for name in alive}
    return {
        "minutes": minutes,
        "configs": CONFIGS,
        "renewed": renewed,
        "events": dict(kinds),
        "token_calls": provider.count("POST /token"),
        "faults": dict(seen.faults),
        "kills": kills,
        "in_hand_at_kills": in_hand,
        "lost": lost + CONFIGS - states["valid"],
        "duplicates": duplicates,
        "reuse_detections": provider.count("refresh_reuse"),
        "previous_token_used_again": provider.count("refresh_grace"),
        "most_expired_at_once_when_warm": expired,
        "seconds_until_all_good": round(time.monotonic() - still, 1),
        "pages": {str(status): count for status, count in pages.items()},
        "slowest_page_seconds": round(slow_pages, 2),
        "resident_mib_after_warming": {name: round(mib, 1) for name, mib in before.items()},
        "resident_mib_at_the_end": {name: round(mib, 1) for name, mib in after.items()},
        "growth_mib": growth,
        "broken": broken(
            lost=lost + CONFIGS - states["valid"],
            duplicates=duplicates,
            enough=renewed >= CONFIGS * minutes / 2,
            growth=max(growth.values()),
            pages=set(pages) == {200},
        ),
    }


def broken(*, lost: int, duplicates: int, enough: bool, growth: float, pages: bool) -> list[str]:
    """The promises that weren't kept."""
    kept = {
        "no token is lost": lost == 0,
        "no token is asked for twice": duplicates == 0,
        "tokens are renewed in time": enough,
        f"memory grows by less than {MOST_GROWTH_MIB:.0f} MiB": growth < MOST_GROWTH_MIB,
        "pages work": pages,
    }
    return [promise for promise, holds in kept.items() if not holds]


def own_places(folder: Path, stack: ExitStack) -> tuple[str, str]:
    """A database and a queue: files, or of servers of its own where the caller's are on servers."""
    from tests.faults.own_servers import own_postgres, own_redis

    if os.environ["DATABASE_URL"].startswith("sqlite"):
        return f"sqlite:///{folder}/soak.sqlite3", f"filesystem://{folder}/broker"
    for name in ("postgres", "redis"):
        (folder / name).mkdir()
    postgres = stack.enter_context(own_postgres(folder / "postgres"))
    redis = stack.enter_context(own_redis(folder / "redis"))
    address = f"postgres://postgres@127.0.0.1:{postgres.port}/postgres"
    return address, f"redis://127.0.0.1:{redis.port}/0"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["LOG_LEVEL"] = "WARNING"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    with tempfile.TemporaryDirectory(prefix="console-soak-") as name, ExitStack() as stack:
        Path(name).chmod(0o755)
        import django

        django.setup()
        figures = soak(options.minutes, Path(name), stack)
    if options.json:
        print(json.dumps(figures))
    else:
        for label, value in figures.items():
            print(f"{label.replace('_', ' '):<28} {value}")
    return 1 if figures["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
