"""Looks at a page as a strict visitor would: errors, foreign hosts, jumps, sideways scrolling, and what axe-core says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, ViewportSize

WIDE = ViewportSize(width=1440, height=900)
NARROW = ViewportSize(width=390, height=844)

_AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

# What moves by itself once it is drawn; what follows a click or a key within half a second is no surprise.
_WATCH_JUMPS = """
    window.jumps = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        const moved = entry.sources.map(({ node, previousRect: from, currentRect: to }) =>
          `${(node?.outerHTML ?? node?.textContent ?? "?").slice(0, 120)} from ${from.x},${from.y}`
          + ` ${from.width}x${from.height} to ${to.x},${to.y} ${to.width}x${to.height}`);
        window.jumps.push(`${entry.value.toFixed(4)}: ${moved.join(" and ")}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
"""
_DRAWN = """
    async () => {
      await document.fonts.ready;
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    }
"""
_UNFOLD = """
    () => document.querySelectorAll("main details, #main details, .c-panel details")
      .forEach((folded) => { folded.open = true; })
"""
_TOO_WIDE = """
    () => {
      if (document.documentElement.scrollWidth <= innerWidth) return "";
      const out = (element) => element.getBoundingClientRect().right > innerWidth + 0.5;
      const wide = [...document.body.querySelectorAll("*")].filter(out).slice(0, 3);
      return wide.map((element) => element.outerHTML.slice(0, 120)).join(" and ") || "the page";
    }
"""
# The theme looks at the system's choice when a page is loaded; this is what its switch does.
_SWITCH = """
    async (scheme) => {
      Alpine.$data(document.documentElement).switchTheme(scheme);
      await new Promise(requestAnimationFrame);
      const ends = (animation) => Number.isFinite(animation.effect.getComputedTiming().endTime);
      await Promise.all(document.getAnimations().filter(ends).map((each) => each.finished.catch(() => {})));
      return document.documentElement.classList.contains("dark") === (scheme === "dark");
    }
"""
_ASK_AXE = """
    async (selector) => {
      const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
      const options = { runOnly: { type: "tag", values }, resultTypes: ["violations"] };
      const { violations } = await axe.run(selector ? selector : document, options);
      return violations.flatMap((rule) => rule.nodes.map((node) => {
        const why = [...node.any, ...node.all, ...node.none].map((check) => check.message);
        return `${rule.id}: ${node.html.slice(0, 200)} ${why.join("; ")}`;
      }));
    }
"""


@cache
def _axe() -> str:
    if _AXE.exists():
        return _AXE.read_text(encoding="utf-8")
    reason = "no axe-core: make dev installs it where npm is (Debian: apt install npm)"
    if os.environ.get("BROWSER") == "required":
        pytest.fail(f"BROWSER=required, and {reason}")
    pytest.skip(reason)


@contextmanager
def looking(page: Page, base_url: str) -> Iterator["Looker"]:
    """Somebody who looks at the pages of the console at `base_url`; all that is wrong with them fails the test at the end.

    Skips the test where axe-core isn't installed, or fails it with BROWSER=required.
    """
    looker = Looker(page, base_url, axe=_axe())
    yield looker
    assert not looker.problems, "\n".join(looker.problems)


class Looker:
    """Notes in `problems` what is wrong with the pages that a browser shows. `axe` is the source of axe-core."""

    def __init__(self, page: Page, base_url: str, *, axe: str) -> None:
        self.problems: list[str] = []
        self._page = page
        self._base_url = base_url
        self._axe = axe
        self._awaited: set[Request] = set()
        page.add_init_script(_WATCH_JUMPS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._note(f"error: {error}"))
        page.on("request", self._asked)
        page.on("requestfinished", lambda request: self._awaited.discard(request))
        page.on("requestfailed", lambda request: self._awaited.discard(request))

    def open(self, address: str) -> None:
        """Load a page of the console and look at it."""
        self._page.set_viewport_size(NARROW)
        self._page.goto(self._base_url + address)
        self.look()

    def look(self) -> None:
        """Look at the page as it stands: on a phone, then on a desk, with all that is folded in it, in both themes."""
        self._page.set_viewport_size(NARROW)
        self._settle()
        for jump in self._page.evaluate("window.jumps"):
            self._note(f"jumps {jump}")
        self._look_for_width()
        self._page.evaluate(_UNFOLD)
        self._look_for_width()
        self._page.set_viewport_size(WIDE)
        self.ask_axe()
        for number in range(self._page.locator("dialog").count()):
            dialog = self._page.locator("dialog").nth(number)
            dialog.evaluate("(dialog) => dialog.showModal()")
            self.ask_axe("dialog[open]")
            dialog.evaluate("(dialog) => dialog.close()")

    def ask_axe(self, selector: str = "") -> None:
        """Have axe-core check what is shown, or a part of it, in the dark and in the light."""
        if not self._page.evaluate("'axe' in window"):
            self._page.evaluate(self._axe)
        for scheme in ("dark", "light"):
            assert self._page.evaluate(_SWITCH, scheme)
            for violation in self._page.evaluate(_ASK_AXE, selector):
                self._note(f"{scheme}: {violation}")

    def _note(self, problem: str) -> None:
        """Add a problem of the page that is shown."""
        self.problems.append(f"{self._page.url.removeprefix(self._base_url)} {problem}")

    def _settle(self) -> None:
        self._page.evaluate(_DRAWN)
        while self._awaited:
            self._page.wait_for_timeout(20)
        self._page.evaluate(_DRAWN)

    def _look_for_width(self) -> None:
        if wide := self._page.evaluate(_TOO_WIDE):
            self._note(f"scrolls sideways: {wide}")

    def _said(self, message: ConsoleMessage) -> None:
        # Of an error page the browser says that it is one.
        says_status = message.text.startswith("Failed to load resource: the server responded")
        is_page = says_status and message.location["url"] == self._page.url
        if message.type == "error" and not is_page:
            self._note(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        self._awaited.add(request)
        if request.is_navigation_request() and request.frame == self._page.main_frame:
            # Somebody pressed what leads there.
            return
        if not request.url.startswith((f"{self._base_url}/", "data:", "blob:")):
            self._note(f"asks another host: {urlsplit(request.url).netloc}")
