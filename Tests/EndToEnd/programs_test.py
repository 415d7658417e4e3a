"""The programs of docs/EXAMPLES.md, each with its page in headless Chromium."""

import contextlib
import re

import pytest
from browsing import PAGES, OtherOrigin, Window, browser, one_browser, site  # noqa: F401 (fixtures)
from selenium.webdriver.common.keys import Keys

SUFFIX = " – grüße, 世界 🌍"
SCRIPTS = ["Grüße", "Привет", "你好，世界", "مرحبا بالعالم", "שלום", "नमस्ते", "こんにちは",
           "👋🏽🌍", "a\tb <b>\\n</b>"]


@contextlib.contextmanager
def second_window(browser, url):
    window = Window(browser, url, is_new=True)
    try:
        yield window
    finally:
        if window.handle in browser.window_handles:
            window.close()


# --- Raw echo ---------------------------------------------------------------------------------------

def raw_echo(browser, site, url):
    window = Window(browser, url)
    window.type("[name=address]", f"ws://127.0.0.1:{site.server.port}/")
    window.click("form.connect button")
    window.wait_for_line("received", "ok" + SUFFIX)
    assert window.texts(".log .sent .what") == ["ok"]
    return window


def test_raw_echo_for_a_page_of_the_server(browser, site):
    raw_echo(browser, site, site.page_url("raw_echo.html"))


def test_raw_echo_for_a_page_that_is_a_file(browser, site):
    window = Window(browser, (PAGES / "raw_echo.html").as_uri())
    assert window.run("return document.forms[0].address.value") == "ws://127.0.0.1:9998/"
    raw_echo(browser, site, (PAGES / "raw_echo.html").as_uri())


def test_raw_echo_for_a_page_of_another_origin(browser, site):
    other = OtherOrigin()
    try:
        raw_echo(browser, site, other.url("raw_echo.html"))
    finally:
        other.stop()


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 20 << 20])
def test_raw_echo_of_all_sizes(browser, site, size):
    window = raw_echo(browser, site, site.page_url("raw_echo.html"))
    window.choose("[name=size]", str(size))
    window.click("form.sizes button")
    # The page counts as JavaScript does; the globe is two there.
    whole = "x" * size + SUFFIX if size <= 126 else f"{SUFFIX} ({size + len(SUFFIX) + 1} characters)"
    window.wait_for_line("received", whole, timeout=60)
    assert window.texts(".state") == ["open"]


# --- Receiver ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", SCRIPTS)
def test_receiver(browser, site, text):
    window = Window(browser, site.page_url("receiver.html"))
    window.wait_for_state("open")
    start = len(site.server.stdout_lines())
    window.type("[name=text]", text)
    window.click("form.send button")
    # Everything but control characters is printed as it came.
    site.server.wait_for_line(text.replace("\\", "\\\\").replace("\t", "\\t"), stream="stdout", start=start)
    assert window.texts(".log .received .what") == []


# --- Chat room --------------------------------------------------------------------------------------

def open_chat(window):
    window.wait_for_state("open")
    window.wait_for_text("#room .notice", "came")
    return window


def test_chat_in_two_windows(browser, site):
    one = open_chat(Window(browser, site.page_url("chat.html")))
    with second_window(browser, site.page_url("chat.html")) as two:
        open_chat(two)
        one.wait_for_text("#room .notice", "2 here")
        one.find("[name=text]").send_keys("by Enter" + Keys.ENTER)
        two.wait_for_text("#room .text", "by Enter")
        two.type("[name=text]", "by the button, grüße 世界 🌍")
        two.click("form.say button")
        for window in (one, two):
            window.wait_for_text("#room .text", "by the button, grüße 世界 🌍")
            assert window.texts("#room .text") == ["by Enter", "by the button, grüße 世界 🌍"]
            assert len(set(window.texts("#room .author"))) == 2
            assert window.find("[name=text]").get_attribute("value") == ""


def test_chat_escapes(browser, site):
    window = open_chat(Window(browser, site.page_url("chat.html")))
    texts = ["<script>document.title = 'caught'</script>", "<img src=x onerror=\"document.title='caught'\">",
             "&lt;b&gt; & \"quotes\" 'too' </span></li>"]
    for text in texts:
        window.type("[name=text]", text)
        window.find("[name=text]").send_keys(Keys.ENTER)
        window.wait_for_text("#room .text", text)
    assert window.texts("#room .text") == texts
    assert window.all("#room script, #room img") == []
    assert window.browser.title != "caught"


def test_chat_forgets_a_window_that_is_closed(browser, site):
    one = open_chat(Window(browser, site.page_url("chat.html")))
    with second_window(browser, site.page_url("chat.html")) as two:
        open_chat(two)
        one.wait_for_text("#room .notice", "2 here")
        two.close()
        one.wait_for_text("#room .notice", "left, 1 here")
        one.find("[name=text]").send_keys("alone" + Keys.ENTER)
        one.wait_for_text("#room .text", "alone")


def test_chat_fills_the_box_and_follows_its_end(browser, site):
    window = open_chat(Window(browser, site.page_url("chat.html")))
    for number in range(30):
        window.find("[name=text]").send_keys(f"line {number}" + Keys.ENTER)
    window.wait_for_text("#room .text", "line 29")
    heights = window.run("const {scrollTop, clientHeight, scrollHeight} = document.querySelector('#room');"
                         "return [scrollTop + clientHeight, scrollHeight, clientHeight]")
    assert heights[1] > heights[2] and heights[1] - heights[0] < 2


# --- Chat with names --------------------------------------------------------------------------------

ADDRESS = r"(?:127\.0\.0\.1|\[::1\]):\d+"


def room(window):
    return window.texts("#room li")


def open_names(window):
    """The window's address."""
    window.wait_for_state("open")
    window.wait(lambda: room(window), "a welcome")
    return re.fullmatch(rf"Welcome, ({ADDRESS}) !", room(window)[0])[1]


def test_names_in_two_windows(browser, site):
    one = Window(browser, site.page_url("names.html"))
    first = open_names(one)
    with second_window(browser, site.page_url("names.html")) as two:
        second = open_names(two)
        one.wait_for_text("#room li", f"Welcome, {second} !")
        two.type("[name=text]", "grüße <b>世界</b>")
        two.click("form.say button")
        for window in (one, two):
            window.wait_for_text("#room li", "say:")
            line = room(window)[-1]
            assert re.fullmatch(rf"[012]\d:[0-5]\d:[0-5]\d {re.escape(second)} say: grüße <b>世界</b>", line)
        two.find("[name=text]").send_keys("quit" + Keys.ENTER)
        two.wait_for_state("closed with 1000")
        for window in (one, two):
            window.wait_for_text("#room li", f"{second} logged out")
        one.find("[name=text]").send_keys("alone" + Keys.ENTER)
        one.wait_for_text("#room li", f"{first} say: alone")
        assert not any("alone" in line for line in room(two))
        two.click(".join")
        one.wait(lambda: len([line for line in room(one) if line.startswith("Welcome")]) == 3, "a third welcome")


def test_names_tell_that_a_window_was_closed(browser, site):
    one = Window(browser, site.page_url("names.html"))
    open_names(one)
    with second_window(browser, site.page_url("names.html")) as two:
        second = open_names(two)
        two.close()
        one.wait_for_text("#room li", f"{second} logged out")


# --- Push and answer --------------------------------------------------------------------------------

def test_push_and_answer(browser, site):
    window = Window(browser, site.page_url("push.html"))
    window.wait_for_text("#push .received .what", "hello world")
    window.wait_for_text("#answer .received .what", "You are connected")
    window.type("#answer [name=text]", "grüße 世界")
    window.click("#answer button")
    window.wait_for_text("#answer .received .what", "You said grüße 世界")
    # Ten seconds later, without being asked.
    window.wait(lambda: window.texts("#push .received .what") == ["hello world"] * 2, "a second one", timeout=20)


# --- Ticker -----------------------------------------------------------------------------------------

def test_ticker(browser, site):
    """All windows show the same prices, of one feed, each second."""
    one = Window(browser, site.page_url("ticker.html"))
    one.wait_for_state("open")
    with second_window(browser, site.page_url("ticker.html")) as two:
        two.wait_for_state("open")
        for window in (one, two):
            window.wait(lambda: len(window.all("#prices tr")) == 3, "three shares", timeout=20)
            window.wait_for_text("#number", "Tick ")
        before = one.texts("#number")[0]
        one.wait(lambda: one.texts("#number")[0] != before, "another tick", timeout=20)
        assert [window.texts("#prices td:first-child") for window in (one, two)] == [["Ada", "Grace", "Mary"]] * 2
        script = "return [document.querySelector('#number').textContent, document.querySelector('#prices').textContent]"
        one.wait(lambda: one.run(script) == two.run(script), "the same prices", timeout=20)
        for window in (one, two):
            assert len(window.texts("#feeds .what")) == 1


# --- The tutorial's echo ----------------------------------------------------------------------------

def steps(window):
    return dict(zip(["support", "connecting", "opened", "sent", "received", "closed"],
                    window.texts(".steps .what"), strict=True))


def test_tutorial(browser, site):
    window = Window(browser, site.page_url("echo.html"))
    window.wait_for_state("open")
    assert "supports WebSocket" in steps(window)["support"]
    assert steps(window)["sent"] == steps(window)["closed"] == ""
    window.type("[name=text]", "grüße 世界")
    window.click("form.send button")
    window.wait_for_text("#received .what", "grüße 世界")
    assert "grüße 世界" in steps(window)["sent"]
    window.click(".close")
    window.wait_for_text("#closed .what", "closed with 1000 (normal closure), reason: enough")
    window.click(".again")
    window.wait_for_state("open")
    window.type("[name=text]", "Goodbye")
    window.click("form.send button")
    window.wait_for_text("#closed .what", "closed with 1000 (normal closure)")
    assert len(window.all(".steps li.done")) == 6


def test_tutorial_says_that_nobody_answers(browser):
    # A page that is a file looks for its server at the usual port.
    window = Window(browser, (PAGES / "echo.html").as_uri())
    if window.run("return socket.url") != "ws://127.0.0.1:9998/echo":
        pytest.fail("the page has another address")
    window.run("""
        addressOf = () => arguments[0];
        if (socket.readyState !== WebSocket.CLOSED) socket.onclose = null;
        connect();""", "ws://127.0.0.1:1/echo")
    window.wait_for_text("#opened .what", "nobody answers")
    window.wait_for_state("not connected")
