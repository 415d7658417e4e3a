"""--base-path: everything below a path, and 404 elsewhere."""

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from authoring import BUILD_TIMEOUT, save
from conftest import Server
from wire import DEADLINE, HANDLERS, Wire, handshake, request, run_program

SCRIPT = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s %s' "$SCRIPT_NAME" "$PATH_INFO"
"""


def get(server, path, extra=()):
    return request(server, "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *extra, "", ""]).encode())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "folder").mkdir()
    (root / "folder" / "file.txt").write_text("content")
    (root / "cgi-bin").mkdir()
    script = root / "cgi-bin" / "say"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    return root


@pytest.fixture(scope="module")
def server(site):
    server = Server(
        "--base-path", "/app/chat", "-d", site, "-x", "/cgi-bin", "--directory-listing", handlers=HANDLERS)
    yield server
    assert server.stop() == 0


def test_start_up_shows_it(server):
    lines = "\n".join(server.stderr_lines())
    assert f"ws://localhost:{server.port}/app/chat/echo" in lines
    assert f"try them at http://localhost:{server.port}/app/chat/" in lines


def test_handlers(server):
    with Wire.open(server, "/app/chat/echo") as wire:
        wire.echo()
    for path in ("/echo", "/app/echo", "/app/chatty/echo", "/app/chat%2Fecho", "/", "/app", "//app/chat/echo"):
        with Wire.connect(server) as wire:
            wire.send(handshake(path))
            assert wire.head().status == 404, path


def test_page(server):
    answer = get(server, "/app/chat/")
    assert answer.status == 200
    for text in ('data-path="/app/chat/echo"', 'data-topics="/app/chat/.websockethost/topics"'):
        assert text in answer.text
    assert get(server, "/app/chat/.websockethost/topics").fields["content-type"] == "application/json"
    answer = get(server, "/app/chat?a=b")
    assert answer.status == 308 and answer.fields["location"] == "/app/chat/?a=b"
    assert "The page at /app/chat/ lists all routes" in get(server, "/app/chat/nothing").text
    for path in ("/", "/.websockethost/topics", "/echo"):
        assert get(server, path).status == 404


def test_files_and_scripts(server):
    assert get(server, "/app/chat/folder/file.txt").text == "content"
    assert get(server, "/folder/file.txt").status == 404
    answer = get(server, "/app/chat/folder?a=b")
    assert answer.status == 301 and answer.fields["location"] == "/app/chat/folder/?a=b"
    listing = get(server, "/app/chat/folder/").text
    assert "<h1><bdi>/app/chat/folder/</bdi></h1>" in listing and 'href="./file.txt"' in listing
    with Wire.connect(server) as wire:
        wire.send(b"GET /app/chat/cgi-bin/say/more HTTP/1.0\r\nHost: localhost\r\n\r\n")
        wire.head()
        text = wire.buffer
        while data := wire.receive():
            text += data
        assert text == b"/app/chat/cgi-bin/say /more"


def test_feed_of_changes(tmp_path):
    save(tmp_path, "one_wsh.swift", "import WebSocketHost\npublic let handler = WebSocketHandler { _ in }\n")
    server = Server("--watch", "--base-path", "/x", handlers=tmp_path)
    try:
        assert 'data-changes="/x/.websockethost/changes"' in get(server, "/x/").text
        with connect(f"ws://localhost:{server.port}/x/.websockethost/changes",
                     origin=f"http://localhost:{server.port}") as page:
            version = page.recv(DEADLINE)
            save(tmp_path, "two_wsh.swift", "import WebSocketHost\npublic let handler = WebSocketHandler { _ in }\n")
            server.wait_for_line("live after", timeout=BUILD_TIMEOUT)
            assert version
        with pytest.raises(InvalidStatus):
            connect(f"ws://localhost:{server.port}/.websockethost/changes")
    finally:
        server.stop()


@pytest.mark.parametrize("value", ["chat", "/a//b", "/a?b", "/..", "/%41"])
def test_wrong_values(value):
    code, _, errors = run_program("--base-path", value)
    assert code == 2 and f"--base-path: '{value}' is not a path" in errors
