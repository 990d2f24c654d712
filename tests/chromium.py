"""A page as a browser sees it: what it asks for, draws, and says, and what axe-core finds wrong with it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from playwright import sync_api

CHROMIUM = Path("/usr/bin/chromium")
HEIGHT = 844
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
_SERVE = """
import sys
from pathlib import Path
from archiver.browse.server import serve
serve(Path(sys.argv[1]), "127.0.0.1", 0, False, ready=lambda url: print(url, flush=True))
"""
_EVERYTHING = """async () => {
  for (const folded of document.querySelectorAll("details")) { folded.open = true; }
  for (const image of document.images) { image.loading = "eager"; }
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
}"""
UNDRAWN = "[...document.images].filter(image => image.naturalWidth === 0).map(image => image.src)"
_WIDTH = "document.documentElement.scrollWidth"
_AXE = """async rules => {
  const found = await axe.run(document, {resultTypes: ["violations"], ...rules});
  const grave = found.violations.filter(each => ["serious", "critical"].includes(each.impact));
  return grave.flatMap(({id, nodes}) =>
    nodes.map(node => `${id}: ${node.target.join(" ")} ${node.any.map(one => one.message)[0] || ""}`));
}"""
_TABBED = """() => {
  const can = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter(
    each => each.checkVisibility() && !each.disabled && each.type !== "hidden" && each.tabIndex >= 0);
  const shown = each => each.outerHTML.slice(0, 120);
  window.reached = new Set(); window.dim = [];
  addEventListener("focusin", event => {
    const style = getComputedStyle(event.target);
    window.reached.add(event.target);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1) {
      window.dim.push(shown(event.target));
    }
  });
  window.missed = () => can.filter(each => !window.reached.has(each)).map(shown);
  return can.length;
}"""
# What people wrote who are not us: archived text states its language, names of theirs stand apart.
_THEIRS = ".name, [lang]:not(html), bdi, code, textarea, option, a[href^=http]"
_WORDS = """theirs => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), said = [];
  while (walk.nextNode()) {
    if (!walk.currentNode.parentElement.closest(theirs)) { said.push(walk.currentNode.data); }
  }
  for (const each of document.querySelectorAll("[aria-label], [placeholder], [title]")) {
    if (!each.closest(theirs)) {
      said.push(each.ariaLabel || "", each.placeholder || "", each.tagName === "A" ? "" : each.title);
    }
  }
  return said.map(each => each.trim().replace(/\\s+/g, " "));
}"""


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """Serve the archive on a free port of 127.0.0.1, by a process of its own: the URL of its start page."""
    command = [sys.executable, "-c", _SERVE, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None:
            raise RuntimeError("the server has no pipe")
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@contextmanager
def chromium() -> Iterator[sync_api.Browser]:
    """Debian's Chromium; it finds no host but this one."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class Sight:
    """A page of the browser, closed at the end.

    said: what was written to the console, and that a script ran; elsewhere: what was asked of other hosts.
    """

    def __init__(self, browser: sync_api.Browser, url: str, **options: Any) -> None:
        width = options.pop("width", 1280)
        self._home = urlsplit(url)[:2]
        self.page = browser.new_page(viewport={"width": width, "height": HEIGHT}, **options)
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._interrupted)
        self.page.on("request", lambda request: self._asked(request.url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()

    def _asked(self, url: str) -> None:
        if urlsplit(url)[:2] != self._home and not url.startswith("data:"):
            self.elsewhere.append(url)

    def _interrupted(self, dialog: sync_api.Dialog) -> None:
        self.said.append("a script ran")
        dialog.dismiss()

    def go(self, url: str) -> int:
        """Load it, open all that is folded, draw all pictures; the status."""
        answer = self.page.goto(url, wait_until="load")
        self.page.evaluate(_EVERYTHING)
        return answer.status if answer else 0

    @property
    def undrawn(self) -> list[str]:
        """Addresses of pictures that are not there."""
        found: list[str] = self.page.evaluate(UNDRAWN)
        return found

    @property
    def width(self) -> int:
        """Of all that is on the page, in CSS pixels."""
        found: int = self.page.evaluate(_WIDTH)
        return found

    def violations(self, *rules: str) -> list[str]:
        """Serious and critical ones that axe-core finds; by these rules only, if any are given."""
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(_axe())
        only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
        found: list[str] = self.page.evaluate(_AXE, only)
        return found

    @property
    def words(self) -> list[str]:
        """What the page itself says, without what it shows of others."""
        found: list[str] = self.page.evaluate(_WORDS, _THEIRS)
        return found

    def tabbed(self) -> tuple[list[str], list[str]]:
        """What Tab does not reach, and what does not show that it was reached."""
        count = self.page.evaluate(_TABBED)
        for _ in range(count + 1):
            self.page.keyboard.press("Tab")
        missed: list[str] = self.page.evaluate("window.missed()")
        dim: list[str] = self.page.evaluate("window.dim")
        return missed, dim
