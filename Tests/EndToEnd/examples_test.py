"""The examples beside the programs: map file, benchmark, console, CGI, and what all pages have in common."""

import os
import re
import shlex
import subprocess
import urllib.request

import pytest
from browsing import PAGES, USES_PYTHON, Window, browser, one_browser, site  # noqa: F401 (fixtures)
from conftest import REPOSITORY
from selenium.webdriver.common.keys import Keys
from websockets.sync.client import connect
from wire import BINARY, CLOSE, DEADLINE, TEXT, Wire, close_body, wait_until

ALL_PAGES = sorted(path.name for path in PAGES.glob("*.html"))


# --- Handlers ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("alias, existing", [("/", "/suffix"), ("/tutorial", "/echo")])
def test_the_map_file(site, alias, existing):
    answers = []
    for path in (alias, existing):
        with connect(site.server.url(path)) as client:
            client.send("ok")
            answers.append(client.recv(timeout=DEADLINE))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 3 << 20])
def test_benchmark_helper(site, size):
    with connect(site.server.url("/benchmark_helper"), max_size=None) as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        client.send(f"receive {size}")
        assert client.recv(timeout=DEADLINE) == b"a" * size
        client.send("send 0")
        client.send(os.urandom(size))
        assert client.recv(timeout=DEADLINE) == str(size)
        client.send("send 1")
        client.send("ü" if size == 1 else "b" * size)
        assert client.recv(timeout=DEADLINE) == ("The bytes are not all the same." if size == 1 else str(size))


@pytest.mark.parametrize("line", ["", "receive", "receive -1", "receive 67108865", "receive x", "send", "send 2",
                                  "receive 99999999999999999999", "hello there"])
def test_benchmark_helper_explains_itself(site, line):
    with connect(site.server.url("/benchmark_helper")) as client:
        client.send(line)
        assert "receive BYTES" in client.recv(timeout=DEADLINE)
        client.send("receive 1")
        assert client.recv(timeout=DEADLINE) == b"a"


def test_chat_ignores_binary_and_refuses_long_messages(site):
    with Wire.open(site.server, "/chat") as wire:
        assert "came" in wire.text()
        wire.send_frame(BINARY, b"\0\1")
        wire.send_frame(TEXT, "a&b<c>d\"e'f")
        assert "a&amp;b&lt;c&gt;d&quot;e&#39;f" in wire.text()
        wire.send_frame(TEXT, "x" * 4_097)
        assert wire.close_frame()[0] == 1009


def test_a_slow_member_holds_nobody_up(site):
    """Two talk; a third one reads nothing, and is sent away when its queue is full."""
    text, count = "x" * 4_000, 3_000
    with Wire.open(site.server, "/chat", receive_buffer=4_096) as slow, \
            Wire.open(site.server, "/chat") as one, Wire.open(site.server, "/chat") as two:
        for wire in (one, two):
            while "came" not in wire.text():
                pass
        sent = []
        while len(sent) < count:
            marker = f"<{len(sent)}>"
            two.send_frame(TEXT, text + marker)
            sent.append(marker.replace("<", "&lt;").replace(">", "&gt;"))
            for wire in (one, two):
                while not ((line := wire.text()).endswith(f"{sent[-1]}</span></li>")):
                    assert "notice" in line, line[:200]
        # Both got all of them in order, and the room has let the slow one go.
        one.send_frame(TEXT, "who is here?")
        assert "who is here?" in one.text()
        code, reason = slow.close_frame()
        assert (code, reason) == (1013, "too far behind")


def test_all_members_get_all_in_the_same_order(site):
    wires = [Wire.open(site.server, "/names") for _ in range(4)]
    try:
        for number in range(100):
            for index, wire in enumerate(wires):
                wire.send_frame(TEXT, f"{index}/{number}")
        lines = []
        for wire in wires:
            said = []
            while len(said) < 400:
                if " say: " in (line := wire.text()):
                    said.append(line)
            lines.append(said)
        assert all(said == lines[0] for said in lines)
        for index in range(4):
            own = [line.split("say: ")[1] for line in lines[0] if f"say: {index}/" in line]
            assert own == [f"{index}/{number}" for number in range(100)]
    finally:
        for wire in wires:
            wire.socket.close()


@pytest.mark.parametrize("leave", ["quit", "close", "reset"])
def test_names_tells_each_way_to_leave(site, leave):
    with Wire.open(site.server, "/names") as one:
        assert one.text().startswith("Welcome, ")
        two = Wire.open(site.server, "/names")
        address = "%s:%d" % two.socket.getsockname()
        wait_until(lambda: one.text() == f"Welcome, {address} !")
        if leave == "quit":
            two.send_frame(TEXT, "quit")
        elif leave == "close":
            two.send_frame(CLOSE, close_body(1001))
        else:
            two.reset()
        assert re.fullmatch(rf"\d\d:\d\d:\d\d {re.escape(address)} logged out", one.text())
        if leave == "quit":
            assert two.text() == f"Welcome, {address} !"
            assert two.text().endswith("logged out")
            assert two.close_frame() == (1000, "")


# --- CGI --------------------------------------------------------------------------------------------

def run_cgi(name, **environment):
    """The head as a dictionary, and the body."""
    done = subprocess.run([PAGES / "cgi-bin" / name], capture_output=True, text=True, timeout=DEADLINE,
                          env={"PATH": os.environ["PATH"], "SCRIPT_NAME": f"/cgi-bin/{name}", **environment})
    assert (done.returncode, done.stderr) == (0, "")
    head, body = done.stdout.split("\n\n", 1)
    return dict(line.split(": ", 1) for line in head.split("\n")), body


def test_hi():
    assert run_cgi("hi") == ({"Content-Type": "text/plain; charset=utf-8"}, "Hi from /cgi-bin/hi\n")


@pytest.mark.parametrize("host, taken", [
    ("localhost:9998", "localhost:9998"), ("[::1]:9998", "[::1]:9998"),
    ("a.test\"><script> 'none'; x", "a.testscriptnonex"), ("", ""),
])
def test_special_headers_takes_nothing_but_a_host(host, taken):
    head, body = run_cgi("special_headers", HTTP_HOST=host)
    assert head["Content-Security-Policy"] == f"connect-src ws://{taken} wss://{taken}"
    assert host == "" or host == taken or host not in body


@pytest.mark.skipif(USES_PYTHON, reason="needs the server's own CGI")
def test_hi_by_the_server(site):
    with urllib.request.urlopen(site.server.http_url("/cgi-bin/hi"), timeout=DEADLINE) as response:
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.read() == b"Hi from /cgi-bin/hi\n"


@pytest.mark.skipif(USES_PYTHON, reason="needs the server's own CGI")
def test_special_headers_in_a_browser(one_browser, site):
    window = Window(one_browser, site.page_url("cgi-bin/special_headers"))
    window.wait_for_text("#own", "connected")
    window.wait_for_text("#other", "refused by the policy")
    one_browser.get_log("browser")  # which tells of the refusal


# --- The commands of docs/EXAMPLES.md ---------------------------------------------------------------

EXAMPLES = (REPOSITORY / "docs" / "EXAMPLES.md").read_text()
COMMANDS = sorted(set(re.findall(r"^(?:\|.*`)?\./standalone\.sh (-[^`\n]*)", EXAMPLES, re.M)))


def test_there_are_commands():
    assert len(COMMANDS) == 5


@pytest.mark.skipif(USES_PYTHON, reason="needs the server's own document root")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_documented_commands(start_server, command):
    server = start_server(*shlex.split(command))
    with connect(server.url("/suffix")) as client:
        client.send("ok")
        assert client.recv(timeout=DEADLINE) == "ok – grüße, 世界 🌍"
    if "-d " in command:
        with urllib.request.urlopen(server.http_url("/chat.html"), timeout=DEADLINE) as response:
            assert response.read() == (PAGES / "chat.html").read_bytes()


# --- Pages ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("page", ALL_PAGES)
def test_pages_need_no_network(page):
    text = (PAGES / page).read_text()
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//[^"']*""", text) == []
    for name in re.findall(r"""(?:src|href)=["']([^"']+)["']""", text):
        assert (PAGES / name).is_file(), name
    assert "Content-Security-Policy" in text and 'name="viewport"' in text and '<html lang="en">' in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("page", ALL_PAGES)
def test_pages_fit_their_window(browser, site, page, width, scheme):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    try:
        window = Window(browser, site.page_url(page))
        client, content = window.run("const {clientWidth, scrollWidth} = document.documentElement;"
                                     "return [clientWidth, scrollWidth]")
        assert width - 20 <= client == content <= width  # a scroll bar may take some
        background = window.run("return getComputedStyle(document.documentElement).backgroundColor")
        assert background == {"light": "rgb(246, 247, 248)", "dark": "rgb(21, 24, 27)"}[scheme]
        # Every field has a name, for those who do not see it.
        assert window.run("""return Array.from(document.querySelectorAll("input, select, textarea"))
            .filter((field) => field.labels.length === 0).length""") == 0
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_overview_leads_to_all_pages(browser, site):
    window = Window(browser, site.page_url("index.html"))
    linked = {link.get_attribute("href").rsplit("/", 1)[1] for link in window.all("a")}
    assert linked == set(ALL_PAGES) - {"index.html"}


# --- The console ------------------------------------------------------------------------------------

@pytest.fixture
def console(browser, site):
    window = Window(browser, site.page_url("console.html"))
    window.run("localStorage.clear()")

    def open_address(path, subprotocols=""):
        window.type("[name=address]", site.server.url(path))
        window.type("[name=subprotocols]", subprotocols)
        window.click("form.connect button")
        window.wait_for_state("OPEN")
        return window

    return open_address


def test_console_sends_text_and_shows_its_state(console):
    window = console("/echo")
    window.type("[name=text]", "grüße <b>世界</b>")
    window.click("form.send button")
    window.wait_for_line("received", "grüße <b>世界</b>")
    window.click(".print-state")
    window.wait_for_line("note", "readyState 1 (OPEN)")
    window.click(".times")
    assert not window.find(".log time").is_displayed()
    window.type("[name=text]", "Goodbye")
    window.click("form.send button")
    window.wait_for_line("note", "closed with 1000 (normal closure)")
    assert not window.find("form.send button").is_enabled()


@pytest.mark.parametrize("binary_type, name", [("arraybuffer", "ArrayBuffer"), ("blob", "Blob")])
def test_console_sends_a_file(console, tmp_path, binary_type, name):
    window = console("/echo")
    window.choose(".binary-type", binary_type)
    file = tmp_path / "bytes.bin"
    file.write_bytes(bytes(range(256)))
    window.find("[name=file]").send_keys(str(file))
    window.click("form.file button")
    window.wait_for_line("sent", "bytes.bin, 256 bytes")
    window.wait_for_line("received", f"{name} of 256 bytes: 00 01 02 03")


def test_console_closes_with_a_code_and_a_reason(console):
    window = console("/close")
    window.type("[name=code]", "1005")
    window.click("form.close button")
    window.wait_for_line("error", "1005")  # the browser refuses
    window.type("[name=code]", "4001")
    window.type("[name=reason]", "so long")
    window.click("form.close button")
    window.wait_for_line("note", "closed with 4001, reason: so long")
    window.wait_for_state("closed with 4001")


def test_console_offers_subprotocols(console, site):
    window = console("/echo")
    window.run("socket.close()")
    window.wait_for_state("closed with")
    window.type("[name=subprotocols]", "chat, superchat")
    window.click("form.connect button")
    window.wait_for_line("note", "subprotocols chat, superchat")
    window.wait_for_line("error", "handshake was refused")  # /echo chooses none, which browsers do not take
    window.type("[name=subprotocols]", "not a token")
    window.click("form.connect button")
    window.wait_for_line("error", "subprotocol")


def test_console_remembers(console):
    window = console("/echo")
    field = window.find("[name=text]")
    for text in ["one", "two"]:
        field.send_keys(text + Keys.ENTER)
        window.wait_for_line("received", text)
    field.send_keys("draft")
    shown = []
    for key in [Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_DOWN, Keys.ARROW_DOWN]:
        field.send_keys(key)
        shown.append(field.get_attribute("value"))
    assert shown == ["two", "one", "one", "two", "draft"]
    field.send_keys(Keys.SHIFT + Keys.ENTER)
    assert field.get_attribute("value") == "draft\n"
    window.browser.refresh()
    assert "two" in window.run("return messages.list")


# --- The benchmark ----------------------------------------------------------------------------------

@pytest.mark.parametrize("run, runs", [("send", ["send"]), ("receive", ["receive"]), ("batch", ["send", "receive"])])
@pytest.mark.parametrize("data", ["arraybuffer", "blob", "text"])
@pytest.mark.parametrize("in_worker", [False, True])
def test_benchmark(browser, site, run, runs, data, in_worker):
    window = Window(browser, site.page_url("benchmark.html"))
    for name, value in {"sockets": 2, "rounds": 3, "from": 1, "upTo": 65_536, "factor": 256}.items():
        window.type(f"[name={name}]", str(value))
    window.choose("[name=data]", data)
    window.click("[name=verify]")
    if in_worker:
        window.click("[name=worker]")
    window.click(f"[data-run={run}]")
    window.wait_for_state("done")
    cells = window.texts("tbody td")
    rows = [cells[index:index + 6] for index in range(0, len(cells), 6)]
    assert [row[:2] for row in rows] == [[name, size] for name in runs for size in ["1", "256", "65,536"]]
    assert all(float(row[2]) >= float(row[3]) >= 0 for row in rows)


def test_benchmark_in_a_frame(browser, site):
    window = Window(browser, site.page_url("performance_test_iframe.html"))
    inside = "const inside = document.querySelector('iframe').contentDocument;"
    window.wait(lambda: window.run(inside + "return inside.querySelector('[name=address]')?.value"), "the page inside")
    window.run(inside + """
        for (const [name, value] of Object.entries({rounds: 2, from: 1, upTo: 1}))
            inside.querySelector(`[name=${name}]`).value = value;
        inside.querySelector("[data-run=send]").click();""")
    window.wait(lambda: window.run(inside + "return inside.querySelector('.state').textContent") == "done", "done")
    assert window.run(inside + "return inside.querySelectorAll('tbody td')[1].textContent") == "1"


def test_benchmark_tells_what_is_wrong(browser, site):
    window = Window(browser, site.page_url("benchmark.html"))
    window.type("[name=rounds]", "0")
    window.click("[data-run=send]")
    window.wait_for_state("Rounds: 0 is not possible")
    window.type("[name=rounds]", "1")
    window.type("[name=address]", site.server.url("/abort"))
    window.click("[data-run=send]")
    window.wait_for_state("the connection ended with 1006")
    assert window.find("[data-run=send]").is_enabled()


def test_benchmark_stops(browser, site):
    window = Window(browser, site.page_url("benchmark.html"))
    window.type("[name=rounds]", "1000")
    window.click("[data-run=batch]")
    window.wait(lambda: window.texts("tbody td"), "a first line")
    window.click(".stop")
    window.wait_for_state("stopped")
