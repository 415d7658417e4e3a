"""--tls-port: ws and wss from one process, with the same handlers and topics."""

import os
import re
import socket
import ssl

import pytest

from authoring import BUILD_TIMEOUT, save
from blocking_test import blocked
from conftest import Server
from tls_test import folder, pair  # noqa: F401: a fixture
from wire import DEADLINE, HANDLERS, TEXT, Wire, handshake, occupied_port, run_program


ROOM = """import WebSocketHost

public let handler = WebSocketHandler {{ socket in
    try await socket.subscribe(to: "room")
    try await socket.send("{version} \\(socket.request.isSecure)")
    for try await message in socket {{ socket.topics.publish(message, to: "room") }}
}}
"""


def tls_port(server):
    line = next(line for line in server.stderr_lines() if "and the same at wss://localhost:" in line)
    return int(re.search(r":(\d+)/$", line)[1])


def connect(server, is_secure):
    """On the port for this; any certificate will do."""
    if not is_secure:
        return Wire.connect(server)
    stream = socket.create_connection(("127.0.0.1", tls_port(server)), timeout=DEADLINE)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return Wire(context.wrap_socket(stream, server_hostname="localhost"))


def open_route(server, path, is_secure):
    wire = connect(server, is_secure)
    wire.send(handshake(path))
    assert wire.head().status == 101
    return wire


@pytest.fixture(scope="module")
def both():
    # One of the tests leaves a handler that blocks.
    server = Server(
        "--tls-self-signed", "--tls-port", "0", "--threads", "1", "--drain-timeout", "1", handlers=HANDLERS)
    yield server
    assert server.stop() == 0


def test_each_port_speaks_its_own(both):
    assert tls_port(both) != both.port
    for is_secure in (False, True):
        with open_route(both, "/tls", is_secure) as wire:
            assert wire.text().startswith(f"isSecure: {'true' if is_secure else 'false'}")
        with connect(both, is_secure) as wire:
            wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = wire.answer()
            assert answer.status == 200 and 'data-path="/tls"' in answer.text
    with socket.create_connection(("127.0.0.1", tls_port(both)), timeout=DEADLINE) as plain:
        wire = Wire(plain)
        wire.send(handshake("/tls"))
        answer = wire.answer()
        assert answer.status == 400 and "speaks TLS" in answer.text
    with pytest.raises((ssl.SSLError, OSError)):
        context = ssl.create_default_context()
        context.wrap_socket(
            socket.create_connection(("127.0.0.1", both.port), timeout=DEADLINE), server_hostname="localhost")


def test_start_up_names_both(both):
    lines = both.stderr_lines()
    secure = tls_port(both)
    assert f"  ws://localhost:{both.port}/tls" in "\n".join(lines)
    line = next(line for line in lines if "listening on" in line)
    assert f"127.0.0.1:{both.port}" in line and f"with TLS on 127.0.0.1:{secure}" in line
    assert f"try them at http://localhost:{both.port}/ and https://localhost:{secure}/" in line
    assert any(f"-connect localhost:{secure}" in line for line in lines)


def test_one_topic(both):
    with open_route(both, "/topics?topic=t", False) as plain, open_route(both, "/topics?topic=t", True) as secure:
        for one, other in [(plain, secure), (secure, plain)]:
            one.send_frame(TEXT, "hello")
            assert (one.text(), other.text()) == ("1 0 0", "hello")


def test_while_the_accepting_loop_is_blocked(both):
    """Then another loop accepts, on both ports."""
    with blocked(both):
        for is_secure in (False, True):
            with open_route(both, "/tls", is_secure) as wire:
                assert wire.text().startswith(f"isSecure: {'true' if is_secure else 'false'}")


@pytest.mark.skipif(
    "standalone.sh" not in os.environ.get("WEBSOCKETHOST_COMMAND", "standalone.sh"), reason="only standalone.sh builds")
def test_saving(start_server, tmp_path):
    """Both ports are the new version's, and a topic reaches over versions and ports."""
    save(tmp_path, "room_wsh.swift", ROOM.format(version="v0"))
    server = start_server("--watch", "--tls-self-signed", "--tls-port", "0", handlers=tmp_path)
    old = [open_route(server, "/room", is_secure) for is_secure in (False, True)]
    assert [wire.text() for wire in old] == ["v0 false", "v0 true"]
    start = len(server.stderr_lines())
    save(tmp_path, "room_wsh.swift", ROOM.format(version="v1"))
    server.wait_for_line("live after", BUILD_TIMEOUT, start=start)
    new = [open_route(server, "/room", is_secure) for is_secure in (False, True)]
    assert [wire.text() for wire in new] == ["v1 false", "v1 true"]
    for number, sender in enumerate(old + new):
        sender.send_frame(TEXT, f"from {number}")
        assert [wire.text() for wire in old + new] == [f"from {number}"] * 4
    for wire in old + new:
        wire.socket.close()


@pytest.mark.parametrize("options, expected", [
    (["--tls-port", "0"], "--tls-port needs -c CERTIFICATE and -k KEY"),
    (["--tls-port", "0", "-c", "x.pem"], "--tls-port needs a key (-k) for each certificate (-c)"),
    (["--tls-port", "0", "-t", "--tls-self-signed"], "-t makes -p speak TLS, --tls-port has TLS beside it"),
    (["-p", "9443", "--tls-port", "9443", "--tls-self-signed"], "--tls-port: 9443 is the port of -p"),
    (["--tls-port", "65536", "--tls-self-signed"], "--tls-port"),
    (["--tls-port", "wss", "--tls-self-signed"], "--tls-port"),
])
def test_options_that_do_not_go_together(options, expected):
    code, _, errors = run_program(*options)
    assert code == 2 and expected in errors, errors


def test_port_in_use():
    with occupied_port() as port:
        code, _, errors = run_program(
            "-p", "0", "-H", "127.0.0.1", "--tls-port", port, "--tls-self-signed", "-w", HANDLERS)
    assert code == 3 and f"port {port} on 127.0.0.1 is in use (--tls-port)" in errors, errors


def test_certificate_files(start_server, folder):  # noqa: F811
    """With -c and -k, and without -t."""
    server = start_server("--tls-port", "0", *pair(folder), handlers=HANDLERS)
    assert not any("no effect" in line for line in server.stderr_lines())
    with open_route(server, "/tls", True) as wire:
        assert wire.text().startswith("isSecure: true")
