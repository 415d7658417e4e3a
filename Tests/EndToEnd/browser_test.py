"""The page at `/`, and WebSockets of a real browser: headless Chromium."""

import pytest
from browsing import complaints, open_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


@pytest.fixture(scope="module")
def browser():
    browser = open_browser()
    yield browser
    browser.quit()


@pytest.fixture
def page(browser, server):
    """The page at `/`, freshly loaded; fails if the browser complains of the page itself."""
    browser.get_log("browser")
    browser.get(server.http_url("/"))
    yield Page(browser)
    assert complaints(browser) == []


class Page:
    def __init__(self, browser):
        self.browser = browser

    def open(self, path):
        """Opens the forms of a route."""
        for route in self.browser.find_elements(By.CSS_SELECTOR, "details.route"):
            if route.get_attribute("data-name") == path:
                route.find_element(By.TAG_NAME, "summary").click()
                forms = RouteForms(route, WebDriverWait(self.browser, 10, poll_frequency=0.05))
                forms.wait.until(lambda _: route.find_elements(By.CSS_SELECTOR, "form.connect"))
                return forms
        raise AssertionError(f"the page does not list {path}")


class RouteForms:
    def __init__(self, route, wait):
        self.route = route
        self.wait = wait

    def find(self, selector):
        return self.route.find_element(By.CSS_SELECTOR, selector)

    def type(self, selector, text):
        self.find(selector).clear()
        self.find(selector).send_keys(text)

    def connect(self, query=""):
        self.find("[name=address]").send_keys(query)
        self.find("form.connect button").click()

    def send(self, text):
        self.type("[name=text]", text)
        self.find("form.send button").click()

    def close(self, code, reason):
        self.type("[name=code]", code)
        self.type("[name=reason]", reason)
        self.find("form.close button").click()

    def wait_for_state(self, state):
        self.wait.until(lambda _: self.find(".state").text == state, f"state {state!r}")

    def wait_for_line(self, kind, text):
        lines = f".log .{kind} .what"
        self.wait.until(
            lambda _: any(text in line.text for line in self.route.find_elements(By.CSS_SELECTOR, lines)),
            f"{kind} line with {text!r}")


def test_echo_by_the_form(page):
    echo = page.open("/echo")
    echo.connect()
    echo.wait_for_state("open")
    text = "grüße <b>&amp; 世界"
    echo.send(text)
    echo.wait_for_line("sent", text)
    echo.wait_for_line("received", text)
    echo.send("Goodbye")
    echo.wait_for_state("closed with 1000")
    echo.wait_for_line("state-line", "closed with 1000 (normal closure)")


def test_close_by_the_form(page):
    close = page.open("/close")
    close.connect()
    close.wait_for_state("open")
    close.close("4001", "so long")
    close.wait_for_line("state-line", "closed with 4001, reason: so long")
    close.connect()
    close.wait_for_state("open")
    close.close("1005", "")  # the browser refuses; the connection stays
    close.wait_for_line("error", "1005")
    close.send("3000 had enough")
    close.wait_for_line("state-line", "closed with 3000, reason: had enough")


def test_several_routes_at_once(page):
    say, hello, echo = page.open("/say"), page.open("/hello"), page.open("/echo")
    say.connect()
    hello.connect("?seconds=0.2")
    echo.connect()
    echo.wait_for_state("open")
    say.send("one")
    echo.send("two")
    say.wait_for_line("received", "You said one")
    echo.wait_for_line("received", "two")
    hello.wait.until(lambda _: len(hello.route.find_elements(By.CSS_SELECTOR, ".log .received")) >= 3)
    assert say.find(".state").text == hello.find(".state").text == "open"


def test_ways_to_fail_are_told_apart(page):
    refused = page.open("/origin_check")
    refused.connect()
    refused.wait_for_state("not connected")
    refused.wait_for_line("error", "handshake was refused")
    dropped = page.open("/abort")
    dropped.connect()
    dropped.wait_for_state("closed with 1006")
    error = page.open("/internal_error")
    error.connect()
    error.wait_for_state("closed with 1011")


def test_the_focus_follows_the_steps(page):
    echo = page.open("/echo")
    echo.connect()
    echo.wait_for_state("open")
    active = page.browser.switch_to.active_element
    assert active.get_attribute("name") == "text"
    active.send_keys("by keyboard\n")
    echo.wait_for_line("received", "by keyboard")


def test_odd_names_and_broken_handlers(browser, start_server, tmp_path):
    names = ["it's <b>&amp;", "grüße 世界", "sub/100% #1?"]
    source = "import WebSocketHost\npublic let handler = WebSocketHandler { socket in\n" \
             "    for try await message in socket { try await socket.send(message) }\n}\n"
    (tmp_path / "sub").mkdir()
    for name in names:
        (tmp_path / f"{name}_wsh.swift").write_text(source)
    (tmp_path / "broken_wsh.swift").write_text(
        "import WebSocketHost\npublic let handler: WebSocketHandler = \"<script>alert(1)</script>\"\n")
    # A file name must not have them, an alias may.
    aliases = tmp_path / "aliases.txt"
    aliases.write_text('/"quo\\ted"onclick="x /sub/100%_1\n')
    (tmp_path / "sub" / "100%_1_wsh.swift").write_text(source)
    server = start_server("-m", aliases, handlers=tmp_path)
    browser.get(server.http_url("/"))
    page = Page(browser)
    for name in names + ['"quo\\ted"onclick="x']:
        forms = page.open("/" + name)
        forms.connect()
        forms.wait_for_state("open")
        forms.send("hello")
        forms.wait_for_line("received", "hello")
    broken = browser.find_element(By.CSS_SELECTOR, "details.broken")
    broken.find_element(By.TAG_NAME, "summary").click()
    assert "broken_wsh.swift:2" in broken.find_element(By.TAG_NAME, "pre").text
    assert "1 does not compile" in browser.find_element(By.TAG_NAME, "header").text
    assert browser.find_elements(By.CSS_SELECTOR, "b") == []


def test_an_empty_directory_says_what_to_do(browser, start_server, tmp_path):
    server = start_server(handlers=tmp_path)
    browser.get(server.http_url("/"))
    text = browser.find_element(By.TAG_NAME, "main").text
    assert "echo_wsh.swift" in text and "public let handler" in text


# --- The browser's own WebSocket --------------------------------------------------------------------

# Runs a function of a promise in the page: it gets the arguments, and what it returns is the result.
IN_PAGE = """
    const done = arguments[arguments.length - 1], given = Array.from(arguments).slice(0, -1);
    (%s)(...given).then((value) => done({value}), (error) => done({error: String(error)}));
"""


def run(page, function, *arguments):
    result = page.browser.execute_async_script(IN_PAGE % function, *arguments)
    assert "error" not in result, result
    return result["value"]


EXCHANGE = """async (url, kind, size) => {
    let message = "x".repeat(size);
    if (kind === "non-ASCII") message = "grüße 世界 🌍".repeat(size / 24 | 0);
    if (kind === "binary") message = Uint8Array.from({length: size}, (_, index) => index * 7).buffer;
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
    const answer = new Promise((resolve) => { socket.onmessage = (event) => resolve(event.data); });
    const closed = new Promise((resolve) => { socket.onclose = resolve; });
    socket.send(message);
    const data = await Promise.race([answer, closed.then((end) => `closed ${end.code}`)]);
    socket.close(1000);
    const {code, wasClean} = await closed;
    const text = (value) => typeof value === "string" ? value : new TextDecoder("latin1").decode(value);
    const isSame = typeof data === typeof message && text(data) === text(message);
    return {isSame, code, wasClean};
}"""


@pytest.mark.parametrize("kind", ["ASCII", "non-ASCII", "binary"])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 1 << 20])
def test_messages(page, server, kind, size):
    result = run(page, EXCHANGE, server.url("/echo"), kind, size)
    assert result == {"isSame": True, "code": 1000, "wasClean": True}


CLOSING = """async (url, message, code, reason) => {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
    const closed = new Promise((resolve) => { socket.onclose = resolve; });
    if (message !== null) socket.send(message);
    else if (code !== null) socket.close(code, reason);
    else socket.close();
    const end = await closed;
    return [end.code, end.reason, end.wasClean];
}"""


@pytest.mark.parametrize("code, reason", [
    (1000, ""), (1000, "done"), (1001, "going"), (1011, "oops"), (3000, "grüße"), (4999, "x" * 123),
])
def test_the_server_closes(page, server, code, reason):
    result = run(page, CLOSING, server.url("/close"), f"{code} {reason}", None, None)
    assert result == [code, reason, True]


@pytest.mark.parametrize("code, reason", [(1000, ""), (1000, "done"), (3000, "grüße"), (4999, "x" * 123)])
def test_the_page_closes(page, server, code, reason):
    assert run(page, CLOSING, server.url("/close"), None, code, reason) == [code, reason, True]


def test_the_page_closes_without_a_code(page, server):
    assert run(page, CLOSING, server.url("/close"), None, None, None) == [1005, "", True]


def test_too_long_a_message_is_1009(page, server):
    code, _, was_clean = run(page, CLOSING, server.url("/echo"), "x" * ((1 << 20) + 1), None, None)
    assert (code, was_clean) == (1009, True)
