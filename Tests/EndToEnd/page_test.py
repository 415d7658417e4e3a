"""The page at `/` is for the author: whom it answers, where it is shown, and what others get."""

import json
import os
import urllib.parse

import pytest
from browsing import open_browser
from selenium.webdriver.common.by import By

from authoring import echo, save
from wire import HANDLERS, TEXT, Wire, handshake, request, run_program, wait_until

TOPICS = "/.websockethost/topics"
BROKEN = echo("x").replace("socket.send(", "socket.sendd(")


def get(server, host, path="/", extra=""):
    return request(server, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode())


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A directory with a handler that works and one that does not, and a server that watches it."""
    from conftest import Server
    folder = tmp_path_factory.mktemp("handlers")
    save(folder, "echo_wsh.swift", echo("v0"))
    save(folder, "broken_wsh.swift", BROKEN)
    server = Server("--watch", handlers=folder)
    yield server
    server.stop()


@pytest.mark.parametrize("host", [
    "localhost", "localhost:PORT", "LOCALHOST.:PORT", "dev.localhost:PORT", "127.0.0.1:PORT", "127.0.0.9",
    "[::1]:PORT", "[0:0:0:0:0:0:0:1]:PORT"])
def test_own_hosts(watched, host):
    host = host.replace("PORT", str(watched.port))
    page = get(watched, host)
    assert page.status == 200 and "/echo" in page.text and "sendd(" in page.text
    assert "sendd(" in get(watched, host, "/broken").text
    with Wire.connect(watched) as wire:
        wire.send(handshake("/.websockethost/changes", host=host, Origin=f"http://{host}"))
        assert wire.head().status == 101
    assert json.loads(get(watched, host, TOPICS).body) == {"topics": [], "isCut": False}


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:PORT", "localhost.evil.example:PORT", "127.0.0.1.evil.example", "192.0.2.1:PORT",
    "0.0.0.0:PORT", ""])
def test_other_hosts(watched, host):
    """A name that a stranger pointed here (DNS rebinding) shows the stranger's page nothing of the author's."""
    host = host.replace("PORT", str(watched.port))
    refused = get(watched, host)
    assert refused.status == 421 and "--server-name" in refused.text
    broken = get(watched, host, "/broken")
    assert broken.status == 503 and broken.fields["x-content-type-options"] == "nosniff"
    nothing = get(watched, host, "/nothing")
    assert nothing.status == 404
    assert get(watched, host, TOPICS).status == 421
    feed = request(
        watched, handshake("/.websockethost/changes", host=host, Origin=f"http://{host}" if host else "null"))
    assert feed.status == (421 if host else 403)
    for answer in (refused, broken, nothing, feed):
        assert "echo" not in answer.text and "sendd" not in answer.text and "broken_wsh" not in answer.text


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_health_check_without_host(watched, method):
    """As HAProxy sends it by default. A browser always names the host."""
    assert request(watched, f"{method} / HTTP/1.0\r\n\r\n".encode(), has_body=method == "GET").status == 200


def test_the_line_of_an_absolute_request_counts(watched):
    """RFC 9112 §3.2.2: it comes before the Host field."""
    port = watched.port
    assert get(watched, "localhost", f"http://evil.example:{port}/").status == 421
    assert get(watched, "evil.example", f"http://localhost:{port}/").status == 200


def test_the_feed_is_for_pages_of_this_server(watched):
    for origin in ("http://evil.example", "null", f"http://localhost:{watched.port + 1}"):
        answer = request(watched, handshake("/.websockethost/changes", host=f"localhost:{watched.port}", Origin=origin))
        assert answer.status == 403


def test_handlers_stay_open_to_all(watched):
    with Wire.connect(watched) as wire:
        wire.send(handshake("/echo", host="evil.example", Origin="http://evil.example"))
        assert wire.head().status == 101


def test_no_frame_and_no_script_has_the_page(watched):
    fields = get(watched, "localhost").fields
    assert "frame-ancestors 'none'" in fields["content-security-policy"]
    assert fields["x-frame-options"] == "DENY" and fields["x-content-type-options"] == "nosniff"
    assert fields["cross-origin-resource-policy"] == "same-origin" and fields["referrer-policy"] == "no-referrer"


def test_the_log_names_the_option(watched):
    start = len(watched.stderr_lines())

    def is_named():
        # Such lines are limited to ten a second, which the tests before this one may have had.
        get(watched, "evil.example:80")
        lines = watched.stderr_lines()[start:]
        return any("--server-name" in line and "evil.example:80" in line for line in lines)
    wait_until(is_named)


def test_without_a_page(start_server):
    server = start_server("--no-index-page")
    answer = get(server, f"localhost:{server.port}")
    assert answer.status == 404 and "/echo" not in answer.text
    assert not any("try them at" in line or "no page at" in line for line in server.stderr_lines())
    with Wire.open(server) as wire:
        wire.echo()


def test_open_to_the_network(start_server, tmp_path):
    """Other machines could read it: off unless asked for, and said."""
    save(tmp_path, "echo_wsh.swift", echo("v0"))
    save(tmp_path, "broken_wsh.swift", BROKEN)
    server = start_server("-H", "*", handlers=tmp_path)
    assert "no page at" in server.wait_for_line("--index-page")
    answer = get(server, f"localhost:{server.port}")
    assert answer.status == 404 and "--index-page" in answer.text
    broken = get(server, f"localhost:{server.port}", "/broken")
    assert broken.status == 503 and "sendd" not in broken.text
    server = start_server("-H", "*", "--index-page", "--server-name", "dev.example,Other.example", handlers=tmp_path)
    assert not any("no page at" in line for line in server.stderr_lines())
    for host in ("dev.example", "other.example:1", "127.0.0.1", "localhost"):
        assert get(server, host).status == 200
    for host in ("evil.example", "192.0.2.1"):
        assert get(server, host).status == 421


def test_a_program_without_the_script(start_server, monkeypatch, tmp_path):
    """What `build` makes is for other machines: no author is beside it."""
    save(tmp_path, "echo_wsh.swift", echo("v0"))
    program = os.readlink(f"/proc/{start_server(handlers=tmp_path).pid}/exe")
    monkeypatch.setenv("WEBSOCKETHOST_COMMAND", program)
    server = start_server()
    assert "no page at" in server.wait_for_line("--index-page")
    assert get(server, "localhost").status == 404
    assert get(start_server("--index-page"), "localhost").status == 200


def test_own_index_is_for_all(start_server, tmp_path):
    (tmp_path / "index.html").write_text("mine")
    server = start_server("-d", tmp_path, "-H", "*")
    assert get(server, "evil.example").text == "mine"


def test_options_that_exclude_each_other():
    code, _, errors = run_program("--index-page", "--no-index-page")
    assert code == 2 and "exclude each other" in errors
    code, _, errors = run_program("--server-name", "a b")
    assert code == 2 and "--server-name" in errors


def test_in_a_browser(watched):
    """The browser takes the stranger's name for this server, as after a rebinding."""
    browser = open_browser("--host-resolver-rules=MAP evil.example 127.0.0.1")
    try:
        browser.get(f"http://evil.example:{watched.port}/")
        text = browser.find_element(By.TAG_NAME, "body").text
        assert "answers only to the names of its server" in text and "echo" not in text
        browser.get(f"http://localhost:{watched.port}/")
        assert browser.find_elements(By.CSS_SELECTOR, "[data-name='/echo']")
        wait_until(lambda: "sendd(" in browser.page_source)
        browser.get(f"data:text/html,<iframe src='http://localhost:{watched.port}/'></iframe>")
        browser.switch_to.frame(0)
        assert not browser.find_elements(By.CSS_SELECTOR, "[data-name='/echo']")
    finally:
        browser.quit()


def test_topics(start_server):
    """The page shows names as text, who subscribed and how much is published, and the log is spared."""
    server = start_server("--log-level", "debug", handlers=HANDLERS)
    name = "<b>&\"'\u202eroom\n"
    path = "/topics?topic=" + urllib.parse.quote(name)
    browser = open_browser()
    try:
        with Wire.open(server, path) as one, Wire.open(server, path):
            browser.get(f"http://localhost:{server.port}/")

            def cells():
                one.send_frame(TEXT, "hello")
                one.text()
                return browser.execute_script(
                    "return [...document.querySelectorAll('#topics td')].map((cell) => cell.textContent)")
            wait_until(lambda: len(shown := cells()) == 3 and shown[2] not in ("–", "0"))
            assert cells()[:2] == [name, "2"]
            assert browser.find_element(By.ID, "topics").is_displayed()
        wait_until(lambda: not browser.find_element(By.ID, "topics").is_displayed())
    finally:
        browser.quit()
    assert not any(TOPICS in line for line in server.stderr_lines())
