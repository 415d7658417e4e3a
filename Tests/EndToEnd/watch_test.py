"""Save a handler, it is live: nobody is refused, nobody is dropped, and a mistake costs nothing."""

import os
import shutil
import subprocess
import time

import pytest
from browsing import complaints, open_browser
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from websockets.sync.client import connect

from authoring import BUILD_TIMEOUT, Callers, Talkers, ask, echo, save, wait_for_answer
from conftest import REPOSITORY, START_TIMEOUT
from wire import DEADLINE, wait_until

pytestmark = pytest.mark.skipif(
    "standalone.sh" not in os.environ.get("WEBSOCKETHOST_COMMAND", "standalone.sh"),
    reason="only standalone.sh builds")

USES_SHARED = """import Shared
import WebSocketHost

public let handler = WebSocketHandler { socket in
    for try await _ in socket { try await socket.send(greeting) }
}
"""


@pytest.fixture
def watched(start_server, tmp_path):
    """A directory with one handler, and a server that watches it."""
    folder = tmp_path / "my handlers"
    save(folder, "echo_wsh.swift", echo("v0"))
    return folder, start_server("--watch", handlers=folder)


def changed(server, start, text="live after"):
    return server.wait_for_line(text, BUILD_TIMEOUT, start=start)


def test_changes(watched):
    """New connections meet the new code, open ones go on with theirs, and nobody notices anything else."""
    folder, server = watched
    talkers = Talkers(server, 20)
    with Callers(server, per_second=100) as callers:
        for version in range(1, 4):
            start = len(server.stderr_lines())
            save(folder, "echo_wsh.swift", echo(f"v{version}"))
            line = changed(server, start)
            assert "echo_wsh.swift changed: live after" in line and "1 route" in line
            assert ask(server) == f"v{version} x"
    wait_until(lambda: talkers.count > 100)
    talkers.stop()
    assert not callers.failures and callers.count > 50
    assert not talkers.failures


def test_files_come_and_go(watched):
    folder, server = watched
    start = len(server.stderr_lines())
    save(folder, "sub/new_wsh.swift", echo("new"))
    assert "sub/new_wsh.swift added" in changed(server, start)
    assert ask(server, "/sub/new") == "new x"
    start = len(server.stderr_lines())
    (folder / "sub").rename(folder / "other")
    assert "2 routes" in changed(server, start)
    assert ask(server, "/other/new") == "new x"
    start = len(server.stderr_lines())
    (folder / "other" / "new_wsh.swift").unlink()
    assert "other/new_wsh.swift removed" in changed(server, start)
    assert ask(server) == "v0 x"


def test_mistake(watched):
    """The message names the author's line; what worked goes on, on the page too; mending it is enough."""
    folder, server = watched
    with connect(server.url("/.websockethost/changes"), origin=server.http_url("")) as page:
        version, failure = page.recv(DEADLINE).split("\n", 1)
        assert failure == ""
        start = len(server.stderr_lines())
        save(folder, "echo_wsh.swift", echo("v1").replace("socket.send(", "socket.sendd("))
        changed(server, start, "does not compile; the previous version keeps serving")
        lines = server.stderr_lines()[start:]
        position = next(index for index, line in enumerate(lines) if "echo_wsh.swift:5:" in line)
        assert lines[position].startswith(f"{folder}/echo_wsh.swift:5:") and "error: " in lines[position]
        assert "sendd(" in lines[position + 1] and "^" in lines[position + 2]
        assert not [line for line in lines if ".build/" in line]
        same_version, failure = page.recv(DEADLINE).split("\n", 1)
        assert same_version == version
        assert "echo_wsh.swift:5:" in failure and "sendd(" in failure
        assert ask(server) == "v0 x"
        start = len(server.stderr_lines())
        save(folder, "echo_wsh.swift", echo("v2"))
        changed(server, start)
        assert ask(server) == "v2 x"


def test_page(watched):
    """It shows the mistake, forgets it, and shows itself anew when there is something new."""
    folder, server = watched
    browser = open_browser()
    try:
        browser.get(server.http_url("/"))
        wait = WebDriverWait(browser, BUILD_TIMEOUT, 0.05, [StaleElementReferenceException])
        failure = browser.find_element(By.ID, "failure")
        assert not failure.is_displayed()
        save(folder, "echo_wsh.swift", echo("v1").replace("socket.send(", "socket.sendd("))
        wait.until(lambda _: failure.is_displayed())
        text = failure.find_element(By.TAG_NAME, "pre").text
        assert "echo_wsh.swift:5:" in text and "sendd(" in text and "^" in text
        assert os.environ.get("WEBSOCKETHOST_SCREENSHOTS") is None or browser.save_screenshot(
            os.path.join(os.environ["WEBSOCKETHOST_SCREENSHOTS"], "failure.png"))
        save(folder, "echo_wsh.swift", echo("v2"))
        wait.until(lambda _: not browser.find_element(By.ID, "failure").is_displayed())
        save(folder, "chat_wsh.swift", echo("chat"))
        wait.until(lambda _: browser.find_elements(By.CSS_SELECTOR, "[data-name='/chat']"))
        # A conversation under way is not thrown away: it is asked first.
        browser.find_element(By.CSS_SELECTOR, "[data-name='/chat'] summary").click()
        wait.until(lambda _: browser.find_elements(By.CSS_SELECTOR, "[data-name='/chat'] form.connect button"))
        browser.find_element(By.CSS_SELECTOR, "[data-name='/chat'] form.connect button").click()
        state = browser.find_element(By.CSS_SELECTOR, "[data-name='/chat'] .state")
        wait.until(lambda _: state.text == "open")
        save(folder, "chat_wsh.swift", echo("another"))
        renewal = browser.find_element(By.ID, "renewal")
        wait.until(lambda _: renewal.is_displayed())
        assert state.text == "open"
        renewal.find_element(By.TAG_NAME, "button").click()
        wait.until(lambda _: not browser.find_element(By.ID, "renewal").is_displayed())
        assert complaints(browser) == []
    finally:
        browser.quit()


def test_half_written_file(watched):
    """Written in place, with a save in the middle of it."""
    folder, server = watched
    text = echo("v1")
    start = len(server.stderr_lines())
    with open(folder / "echo_wsh.swift", "w") as file:
        file.write(text[:len(text) // 2])
    changed(server, start, "does not compile; the previous version keeps serving")
    assert ask(server) == "v0 x"
    (folder / "echo_wsh.swift").write_text(text)
    wait_for_answer(server, "v1 x")


def test_shared_code(start_server, tmp_path):
    save(tmp_path, "words.swift", 'public let greeting = "hello"\n')
    save(tmp_path, "greet_wsh.swift", USES_SHARED)
    save(tmp_path, "echo_wsh.swift", echo("v0"))
    server = start_server("--watch", handlers=tmp_path)
    assert ask(server, "/greet") == "hello"
    start = len(server.stderr_lines())
    save(tmp_path, "words.swift", 'public let greeting = "good bye"\n')
    assert "words.swift changed" in changed(server, start)
    assert ask(server, "/greet") == "good bye"
    start = len(server.stderr_lines())
    save(tmp_path, "words.swift", 'public let greeting = \n')
    changed(server, start, "the previous version keeps serving")
    assert any(f"{tmp_path}/words.swift:" in line for line in server.stderr_lines()[start:])
    assert ask(server, "/greet") == "good bye" and ask(server) == "v0 x"
    save(tmp_path, "words.swift", 'public let greeting = "hello again"\n')
    wait_for_answer(server, "hello again", "/greet")


def test_directory_goes_and_comes_back(watched):
    folder, server = watched
    aside = folder.with_name("aside")
    folder.rename(aside)
    server.wait_for_line("is gone; the last version keeps serving until it is back")
    assert ask(server) == "v0 x"
    save(aside, "echo_wsh.swift", echo("v1"))
    aside.rename(folder)
    server.wait_for_line("is back")
    wait_for_answer(server, "v1 x")


def test_directory_goes_while_it_is_read(watched):
    """However short it is away: a directory that could not be read is not one without handlers."""
    folder, server = watched
    aside = folder.with_name("aside")
    with Callers(server) as callers:
        for milliseconds in range(40):
            folder.rename(aside)
            time.sleep(milliseconds / 1000)
            aside.rename(folder)
            done = callers.count
            wait_until(lambda: callers.count > done or callers.failures)
        save(folder, "echo_wsh.swift", echo("v1"))
        wait_for_answer(server, "v1 x")
    assert not callers.failures


def test_new_version_that_does_not_start(watched):
    """A trap when the handler is made: that handler is left out, no more."""
    folder, server = watched
    start = len(server.stderr_lines())
    save(folder, "bad_wsh.swift", "import WebSocketHost\n\nlet none: Int? = nil\n"
         "public let handler = WebSocketHandler { [some = none!] socket in try await socket.send(\"\\(some)\") }\n")
    assert "1 left out" in changed(server, start)
    assert ask(server) == "v0 x"
    assert any("bad_wsh.swift:4" in line and "trapped" in line for line in server.stderr_lines()[start:])


def test_two_servers_of_one_directory(watched, start_server):
    folder, server = watched
    other = start_server("--watch", handlers=folder)
    save(folder, "echo_wsh.swift", echo("v1"))
    for one in (server, other):
        wait_for_answer(one, "v1 x")
    assert server.port != other.port


def test_folder_with_an_odd_name(watched):
    """Not UTF-8: what is in it is not served, and all else is watched on."""
    folder, server = watched
    os.mkdir(os.fsencode(folder) + b"/caf\xe9")
    save(folder, "echo_wsh.swift", echo("v1"))
    wait_for_answer(server, "v1 x")
    assert not [line for line in server.stderr_lines() if "is gone" in line]


def test_mistake_that_is_undone(watched):
    folder, server = watched
    start = len(server.stderr_lines())
    save(folder, "echo_wsh.swift", "no Swift")
    changed(server, start, "does not compile; the previous version keeps serving")
    save(folder, "echo_wsh.swift", echo("v0"))
    with connect(server.url("/.websockethost/changes"), origin=server.http_url("")) as page:
        while page.recv(BUILD_TIMEOUT).split("\n", 1)[1]:
            pass
    start = len(server.stderr_lines())
    assert ask(server) == "v0 x"
    server.wait_for_line("close /echo", start=start)
    assert not any("websockethost/changes" in line for line in server.stderr_lines()), "the page's feed is not logged"


def test_build_that_cannot_be(start_server, tmp_path, monkeypatch):
    """Such as on a full disk: the reason is told, and what there is goes on."""
    save(tmp_path / "handlers", "echo_wsh.swift", echo("v0"))
    swift = tmp_path / "bin" / "swiftc"
    real = shutil.which("swiftc")
    save(tmp_path, "bin/swiftc", f'#!/bin/sh\n[ ! -e {tmp_path}/full ] || '
         f'{{ echo "error: No space left on device" >&2; exit 1; }}\nexec {real} "$@"\n')
    swift.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    server = start_server("--watch", handlers=tmp_path / "handlers")
    (tmp_path / "full").touch()
    start = len(server.stderr_lines())
    save(tmp_path / "handlers", "echo_wsh.swift", echo("v1"))
    changed(server, start, "the previous version keeps serving")
    assert any("No space left on device" in line for line in server.stderr_lines()[start:])
    assert ask(server) == "v0 x"
    (tmp_path / "full").unlink()
    save(tmp_path / "handlers", "echo_wsh.swift", echo("v2"))
    wait_for_answer(server, "v2 x")


def run_script(*arguments):
    """standalone.sh to its end: exit code, both streams."""
    command = [str(REPOSITORY / "standalone.sh"), *map(str, arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=START_TIMEOUT)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("hooks", [[], ["--hooks", "all"]], ids=["one hook", "all hooks"])
def test_new_handler(start_server, tmp_path, hooks):
    """The templates compile without a warning and answer; nothing is ever written over."""
    code, said, _ = run_script("new", "game/room", "-w", tmp_path, *hooks)
    assert code == 0 and "game/room" in said
    assert run_script("--check", "-w", tmp_path)[0] == 0
    server = start_server(handlers=tmp_path)
    assert not [line for line in server.stderr_lines() if "warning" in line]
    assert "hello" in ask(server, "/game/room", "hello").lower()
    before = (tmp_path / "game" / "room_wsh.swift").read_text()
    code, _, errors = run_script("new", "game/room", "-w", tmp_path)
    assert code == 1 and "room_wsh.swift" in errors
    assert (tmp_path / "game" / "room_wsh.swift").read_text() == before


def test_check(tmp_path):
    """Prints the routes and what is wrong, serves nothing."""
    save(tmp_path, "echo_wsh.swift", echo("v0"))
    code, listing, errors = run_script("--check", "-w", tmp_path)
    assert (code, listing) == (0, "/echo\techo_wsh.swift\n"), errors
    for name in ("a", "b"):
        save(tmp_path, f"{name}_wsh.swift", echo(name).replace("socket.send(", "socket.sendd("))
    for _ in range(2):  # also when there is nothing to build
        code, listing, errors = run_script("--check", "-w", tmp_path)
        assert code == 4
        assert [line.split("\t")[0] for line in listing.splitlines()] == ["/a", "/b", "/echo"]
        assert all(f"{tmp_path}/{name}_wsh.swift:5:" in errors for name in ("a", "b"))
    assert run_script("--check", "-w", tmp_path, "-d", tmp_path / "none")[0] == 1
    assert run_script("--check", "-w", tmp_path, "--port", "many")[0] == 2
