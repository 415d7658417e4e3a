"""A real browser, headless Chromium, and the pages of `handlers/pages` for it to open."""

import functools
import http.server
import json
import os
import shutil
import threading

import pytest
from conftest import REPOSITORY, Server
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

WHAT_TO_INSTALL = "apt-get install chromium chromium-driver (Debian, Ubuntu)"

HANDLERS = REPOSITORY / "handlers"
PAGES = HANDLERS / "pages"

# Set to anything: Python serves the pages, for work on them without the server's document root.
USES_PYTHON = bool(os.environ.get("WEBSOCKETHOST_PAGES_BY_PYTHON"))


def open_browser(*arguments):
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.fail(f"the browser tests need {WHAT_TO_INSTALL}")
    options = Options()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", *arguments):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    browser.set_script_timeout(30)
    return browser


def complaints(browser):
    """What the browser has to say of the pages themselves, since it was last asked."""
    return [entry["message"] for entry in browser.get_log("browser")
            if "Content Security Policy" in entry["message"] or "Uncaught" in entry["message"]]


class OtherOrigin:
    """The pages at an origin of their own; `server` is what they take for theirs."""

    def __init__(self, server=None):
        address = server and json.dumps(f"127.0.0.1:{server.port}")

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                if address is None or self.path != "/page.js":
                    return super().do_GET()
                script = (PAGES / "page.js").read_text().replace("${location.host}", "${%s}" % address).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/javascript")
                self.send_header("Content-Length", str(len(script)))
                self.end_headers()
                self.wfile.write(script)

            def log_message(self, *_):
                pass

        handler = functools.partial(Handler, directory=str(PAGES))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, page):
        return f"http://127.0.0.1:{self._server.server_port}/{page}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Site:
    """The server as docs/EXAMPLES.md starts it, and its pages."""

    def __init__(self):
        options = ["-m", HANDLERS / "handler_map.txt", "--max-message-size", "21M"]
        if not USES_PYTHON:
            options += ["-d", PAGES, "-x", "/cgi-bin"]
        self.server = Server(*options)
        self._python = OtherOrigin(self.server) if USES_PYTHON else None

    def page_url(self, page):
        return self._python.url(page) if self._python else self.server.http_url("/" + page)

    def stop(self):
        if self._python:
            self._python.stop()
        self.server.stop()


class Window:
    """A window of the browser with one page in it. Each call goes to this window first."""

    def __init__(self, browser, url, is_new=False):
        self.browser = browser
        if is_new:
            browser.switch_to.new_window("window")
        self.handle = browser.current_window_handle
        browser.get(url)

    def find(self, selector):
        return self.all(selector)[0]

    def all(self, selector):
        self.browser.switch_to.window(self.handle)
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        """The text of each such element; asked for in one go, because a page goes on meanwhile."""
        return self.run("return Array.from(document.querySelectorAll(arguments[0]), (one) => one.textContent)",
                        selector)

    def run(self, script, *arguments):
        self.browser.switch_to.window(self.handle)
        return self.browser.execute_script(script, *arguments)

    def type(self, selector, text):
        """Puts text into a field, also what the driver cannot type."""
        self.run("arguments[0].value = arguments[1]", self.find(selector), text)

    def choose(self, selector, value):
        Select(self.find(selector)).select_by_value(value)

    def click(self, selector):
        self.wait(lambda: self.find(selector).is_enabled(), f"{selector} can be clicked")
        self.find(selector).click()

    def wait(self, condition, what, timeout=20):
        WebDriverWait(self.browser, timeout, poll_frequency=0.05).until(lambda _: condition(), what)

    def wait_for_text(self, selector, text, timeout=20):
        try:
            self.wait(lambda: any(text in one for one in self.texts(selector)), "", timeout)
        except TimeoutException:
            pytest.fail(f"no {text!r} in {selector}: {self.texts(selector)}")

    def wait_for_line(self, kind, text, timeout=20):
        self.wait_for_text(f".log .{kind} .what", text, timeout)

    def wait_for_state(self, state):
        self.wait_for_text(".state", state)

    def close(self):
        """Closes the window; the browser needs another one to go on."""
        self.browser.switch_to.window(self.handle)
        self.browser.close()
        self.browser.switch_to.window(self.browser.window_handles[0])


# Fixtures; a module has those that it imports.

@pytest.fixture(scope="module")
def site():
    site = Site()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def one_browser():
    browser = open_browser()
    yield browser
    browser.quit()


@pytest.fixture
def browser(one_browser):
    """Fails the test if the browser complains of the page."""
    one_browser.get("about:blank")
    one_browser.get_log("browser")
    yield one_browser
    assert complaints(one_browser) == []
