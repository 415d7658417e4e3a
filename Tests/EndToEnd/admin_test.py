"""What the owner of a server asks it: whether it lives and is ready, over the socket in the run directory."""

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import threading

import pytest

from authoring import CRASH, echo, save
from conftest import Server
from wire import DEADLINE, HANDLERS, TEXT, Wire, handshake, request, run_program, wait_until

BLOCKED_MILLISECONDS = 4 * DEADLINE * 1_000

# Its handler is made once the file GATE is there.
SLOW = """import Glibc
import WebSocketHost

public let handler: WebSocketHandler = {{
    while access("{gate}", F_OK) != 0 {{ usleep(10_000) }}
    return WebSocketHandler {{ socket in for try await _ in socket {{ fatalError("asked for") }} }}
}}()
"""


@pytest.fixture
def run_directory(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def start(start_server, run_directory):
    """Starts a server with the test handlers, which stops soon although some of them block."""
    return lambda *options, handlers=HANDLERS: start_server(
        "--drain-timeout", "1", "--run-directory", run_directory, *options, handlers=handlers)


class AdminConnection(http.client.HTTPConnection):
    """As `curl --unix-socket`."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(self._path)


def ask(place, target, method="GET", headers={}):
    """Status and text; `place` is the path of a socket, or a port of 127.0.0.1."""
    connection = (http.client.HTTPConnection("127.0.0.1", place, timeout=DEADLINE)
                  if isinstance(place, int) else AdminConnection(place))
    with contextlib.closing(connection):
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def blocked(server):
    """A connection whose handler blocks its thread."""
    wire = Wire.open(server, "/block")
    wire.send_frame(TEXT, str(BLOCKED_MILLISECONDS))
    return wire


def no_server_lines(server):
    return [line for line in server.stderr_lines() if "/ready" in line or "/live" in line]


# Whether it lives and is ready.


def test_serving(start, run_directory):
    server = start("--log-level", "debug")
    path = run_directory / f"{server.port}.sock"
    assert ask(path, "/ready") == (200, "ready\n")
    assert ask(path, "/live") == (200, "live\n")
    assert ask(path, "/ready", "HEAD") == (200, "")
    assert ask(path, "/ready", "POST")[0] == 405
    assert no_server_lines(server) == []
    # Nowhere else.
    assert request(server, b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 404


def test_a_loop_is_blocked(start, run_directory):
    """It lives no more, for another process would help; but new clients are served, so it is ready."""
    server = start("--threads", "2")
    path = run_directory / f"{server.port}.sock"
    with blocked(server):
        status, text = wait_until(lambda: (answer := ask(path, "/live"))[0] == 503 and answer)
        assert "event loop" in text and "/block has been blocking its thread for" in text
        assert len(text.splitlines()) == 1
        assert ask(path, "/ready") == (200, "ready\n")


def test_all_loops_are_blocked(start, run_directory):
    server = start("--threads", "1", "--spare-threads", "0")
    path = run_directory / f"{server.port}.sock"
    with blocked(server):
        wait_until(lambda: ask(path, "/ready") == (503, "not ready: all 1 event loops are blocked by handlers\n"))


def test_before_the_first_process_is_ready_and_after_a_trap(run_directory, tmp_path):
    """The supervisor answers while no server process does, and says why."""
    gate = tmp_path / "gate"
    handlers = tmp_path / "handlers"
    save(handlers, "slow_wsh.swift", SLOW.format(gate=gate))
    server = None

    def start():
        nonlocal server
        server = Server("--start-timeout", "600", "--run-directory", run_directory, handlers=handlers)

    thread = threading.Thread(target=start)
    thread.start()
    try:
        path = wait_until(lambda: next(iter(run_directory.glob("*.sock")), None), timeout=900)
        text = "not ready: the server starts: the handler of slow_wsh.swift is being made\n"
        wait_until(lambda: ask(path, "/ready") == (503, text))
        assert ask(path, "/live") == (200, "live\n")
        status, text = ask(path, "/topics")
        assert status == 503 and "Nothing was done" in text
        gate.touch()
        thread.join(DEADLINE)
        # At once: whoever reads that it serves may ask.
        assert ask(path, "/ready") == (200, "ready\n")
        assert ask(path, "/topics")[0] == 200
        gate.unlink()
        with Wire.open(server, "/slow") as wire:
            wire.send_frame(TEXT, "9")
            wait_until(lambda: ask(path, "/ready")[0] == 503)
            assert "slow_wsh.swift is being made" in wait_until(
                lambda: "made" in (text := ask(path, "/ready")[1]) and text)
        gate.touch()
        wait_until(lambda: ask(path, "/ready") == (200, "ready\n"))
        assert ask(path, "/topics")[0] == 200
    finally:
        gate.touch()
        thread.join()
        if server:
            server.stop()


# Health checks of a load balancer, on the port of the public.


@pytest.mark.parametrize("head", [
    b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health HTTP/1.0\r\n\r\n", b"OPTIONS /health HTTP/1.0\r\n\r\n"],
    ids=["1.1", "1.0", "as HAProxy"])
def test_health_path(shared_health, head):
    answer = request(shared_health, head)
    assert (answer.status, answer.body) == (200, b"ready\n")


@pytest.fixture(scope="module")
def shared_health():
    server = Server("--basic-auth", "--health-path", "/health", "--log-level", "debug", handlers=HANDLERS)
    yield server
    server.stop()


def test_health_path_is_all_that_needs_no_password(shared_health):
    assert request(shared_health, b"HEAD /health HTTP/1.0\r\n\r\n", has_body=False).status == 200
    for target in (b"/", b"/echo", b"/health/x", b"/healthy", b"/ready"):
        assert request(shared_health, b"GET %s HTTP/1.0\r\n\r\n" % target).status == 401, target
    assert request(shared_health, b"POST /health HTTP/1.0\r\nContent-Length: 0\r\n\r\n").status == 405
    assert request(shared_health, handshake("/health")).status == 401
    assert not [line for line in shared_health.stderr_lines() if " /health " in line and "401" not in line]


def test_health_path_that_is_none():
    code, _, errors = run_program("--health-path", "health")
    assert code == 2 and "--health-path: expected a path such as /health, found 'health'" in errors


def test_haproxy_checks_a_server_that_asks_for_a_password(shared_health, tmp_path):
    """By its default check, which has no Host; a server without the option is taken for dead."""
    haproxy = next((path for path in ("/usr/sbin/haproxy", "/usr/bin/haproxy") if os.access(path, os.X_OK)), None)
    if haproxy is None:
        pytest.skip("haproxy is missing")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = tmp_path / "haproxy.cfg"
    file.write_text(f"""defaults
 mode http
 timeout connect 3s
 timeout client 9s
 timeout server 9s
listen one
 bind 127.0.0.1:{port}
 option httpchk OPTIONS /health
 server one 127.0.0.1:{shared_health.port} check inter 200 fall 1 rise 1
""")
    process = subprocess.Popen([haproxy, "-db", "-f", file], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
    reader.start()

    def status():
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask(port, "/echo")[0]

    try:
        wait_until(lambda: status() == 401, what=lambda: "".join(lines))
        assert not [line for line in lines if "DOWN" in line], lines
    finally:
        process.terminate()
        process.wait()
