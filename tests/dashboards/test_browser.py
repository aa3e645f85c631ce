"""The desk in a real browser: two people decide a case, in both languages, and nothing leaves the machine."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize, sync_playwright

from cropcredit.bootstrap import build
from cropcredit.config import Settings
from cropcredit.model import Decision
from tests.builders import PASSWORD

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "build" / "screens"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)

pytestmark = pytest.mark.debian


@pytest.fixture(scope="module")
def workspace(_pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one workspace to all visits: a server takes seconds to start."""
    return Path(shutil.copytree(_pristine, tmp_path_factory.mktemp("browser") / "workspace"))


@pytest.fixture(scope="module")
def desk(workspace: Path) -> Iterator[str]:
    """Serve the workspace with the command a lender would type; gives the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, "-m", "cropcredit", "dashboard", "--home", str(workspace), "--port", str(port)]
    server = subprocess.Popen([*line, "--no-browser"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until(lambda: _healthy(url) or server.poll() is not None, seconds=40)
        assert server.poll() is None, "the desk did not start"
        yield url
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def browser(debian_tool: Callable[[str], Path]) -> Iterator[Browser]:
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=str(debian_tool("chromium")), args=list(QUIET))
        yield opened
        opened.close()


class Visit:
    """One person at one screen; remembers every request that would have left the machine."""

    def __init__(self, browser: Browser, url: str, size: ViewportSize) -> None:
        self.abroad: list[str] = []
        self.size = size
        self.page: Page = browser.new_page(viewport=size)
        self.page.set_default_timeout(120_000)
        self.page.on("request", self._note)
        self.page.goto(url)

    def _note(self, request: Request) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", request.url):
            self.abroad.append(request.url)

    def sign_in(self, username: str) -> None:
        self.page.locator(".st-key-sign_in_name input").fill(username)
        self.page.locator(".st-key-sign_in_password input").fill(PASSWORD)
        self.page.locator(".st-key-enter button").click()
        self.page.locator("[class*=st-key-row_]").first.wait_for()

    def speak(self, language: str, expected: str) -> None:
        if self.size is PHONE:
            self.page.get_by_test_id("stExpandSidebarButton").click()
        self.page.get_by_text(language, exact=True).click()
        self.page.get_by_role("heading", name=expected).first.wait_for()
        if self.size is PHONE:
            self.page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()

    def open(self, application_id: str) -> None:
        self.page.locator(f".st-key-open_{application_id} button").click()
        self.page.get_by_test_id("stVegaLiteChart").nth(3).wait_for()
        self.page.get_by_test_id("stDeckGlJsonChart").locator("canvas").first.wait_for()

    def press(self, key: str, then: str) -> None:
        self.page.locator(f".st-key-{key} button").click()
        self.page.get_by_text(then).first.wait_for()

    def keep(self, name: str, *, whole: bool = True) -> None:
        """Keep a picture of the whole page (or of what is in sight), and look for an exception box."""
        assert self.page.get_by_test_id("stException").count() == 0
        main = self.page.get_by_test_id("stMain")
        height = main.evaluate("element => element.scrollHeight") if whole else 0
        self.page.set_viewport_size(ViewportSize(width=self.size["width"], height=max(height, self.size["height"])))
        self.page.wait_for_function("document.querySelector('[data-testid=stStatusWidget]') === null")
        self.page.wait_for_timeout(400)  # the map fades in; only the picture needs it
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png")
        self.page.set_viewport_size(self.size)

    def leave(self) -> None:
        assert self.abroad == []
        self.page.close()


def test_two_people_take_a_case_to_its_approval_and_nothing_leaves_the_machine(
    desk: str, browser: Browser, workspace: Path
) -> None:
    officer = Visit(browser, desk, DESKTOP)
    officer.keep("sign-in-zh")
    officer.sign_in("li.na")
    officer.keep("queue-zh")
    officer.open("A1")
    officer.keep("case-zh")
    officer.press("recommend_send", then="意见已提交")
    officer.keep("recommended-zh", whole=False)
    officer.leave()

    approver = Visit(browser, desk, DESKTOP)
    approver.sign_in("zhao")
    approver.speak("English", "Queue")
    approver.keep("queue-en")
    approver.open("A1")
    approver.keep("case-en")
    approver.press("approve_send", then="Approved.")
    approver.keep("approved-en", whole=False)
    approver.leave()

    decisions = build(Settings.load(workspace)).facts.find(Decision, application_id="A1")
    assert [(decision.step.value, decision.by) for decision in decisions] == [
        ("recommend", "li.na"),
        ("approve", "zhao"),
    ]


def test_the_desk_is_read_on_a_phone(desk: str, browser: Browser) -> None:
    phone = Visit(browser, desk, PHONE)
    phone.sign_in("li.na")
    phone.keep("phone-queue-zh")
    phone.open("A1")
    phone.keep("phone-case-zh")
    wide = "element => element.scrollWidth > element.clientWidth + 1"
    assert not phone.page.get_by_test_id("stMain").evaluate(wide), "the page must not scroll sideways"
    phone.leave()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _wait_until(holds: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.1)
