"""What the owner of a server asks it: whether it lives and is ready, over the socket in the run directory."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading

import pytest

from authoring import CRASH, echo, save
from conftest import Server
from wire import DEADLINE, HANDLERS, TEXT, Wire, freeze, handshake, request, run_program, wait_until

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


def ask_while_it_traps(place, target):
    """No status, if the process that traps has accepted the connection: it is lost with the process."""
    try:
        return ask(place, target)
    except ConnectionError:
        return None, ""


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
        status, text = ask(path, "/status")
        assert status == 503 and json.loads(text)["processes"] == [] and "being made" in json.loads(text)["reason"]
        gate.touch()
        thread.join(DEADLINE)
        # At once: whoever reads that it serves may ask.
        assert ask(path, "/ready") == (200, "ready\n")
        assert ask(path, "/topics")[0] == 200
        gate.unlink()
        with Wire.open(server, "/slow") as wire:
            wire.send_frame(TEXT, "9")
            wait_until(lambda: ask_while_it_traps(path, "/ready")[0] == 503)
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


# On an address of its own.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def admin_port(server):
    return int(server.wait_for_line("answers its owner on ").split("127.0.0.1:")[1].split()[0])


@pytest.mark.parametrize("options", [(), ("--no-supervisor",)], ids=["supervised", "alone"])
def test_an_address_of_its_own(start, options):
    """It answers while the server drains, up to its end, and no page of a browser."""
    server = start("--admin-listen", "127.0.0.1:0", "--drain-timeout", "20", *options)
    port = admin_port(server)
    with Wire.open(server) as wire:
        wire.echo()
        assert ask(port, "/ready") == (200, "ready\n")
        assert [each["route"] for each in connections(port)["connections"]] == ["/echo"]
        assert ask(port, "/ready", headers={"Host": "evil.example"})[0] == 403
        assert ask(port, "/ready", headers={"Origin": f"http://127.0.0.1:{port}"})[0] == 403
        server.signal(signal.SIGTERM)
        assert wire.close_frame() == (1001, "")
        status, text = ask(port, "/ready")
        assert status == 503 and text == "not ready: the server stops: 1 connections are still open\n"
        assert ask(port, "/live") == (200, "live\n")
        assert json.loads(ask(port, "/status")[1])["processes"][0]["state"] == "stopping"
    assert server.wait() == 0
    with pytest.raises(OSError):
        ask(port, "/ready")


def test_old_processes_drain_after_the_last_one(start):
    """Then the supervisor says that the server stops."""
    server = start("--admin-listen", "127.0.0.1:0", "--drain-timeout", "20")
    port = admin_port(server)
    with Wire.open(server) as old:
        old.echo()
        server.signal(signal.SIGHUP)
        server.wait_for_line("1 connection stays on the old version")
        server.signal(signal.SIGTERM)
        assert old.close_frame() == (1001, "")
        wait_until(lambda: ask(port, "/ready") == (503, "not ready: the server stops\n"))
    assert server.wait() == 0


def test_a_socket_for_others(start, tmp_path):
    path = tmp_path / "admin.sock"
    server = start("--admin-listen", f"unix:{path},mode=0660", "--no-run-directory")
    assert path.stat().st_mode & 0o777 == 0o660
    assert ask(path, "/ready") == (200, "ready\n")
    server.signal(signal.SIGHUP)
    server.wait_for_line("a new process: live")
    assert ask(path, "/ready") == (200, "ready\n")
    assert server.stop() == 0
    assert not path.exists()


def test_a_process_that_is_ended_leaves_it_to_the_next(start):
    server = start("--admin-listen", "127.0.0.1:0", "--drain-timeout", "20")
    port = admin_port(server)
    with Wire.open(server) as wire:
        wire.echo()
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: '"number":2,"state":"serving"' in ask(port, "/status")[1])
        assert ask(port, "/ready") == (200, "ready\n")
        assert wire.close_frame() == (1001, "")


def test_addresses_that_cannot_be(tmp_path):
    port = free_port()
    code, _, errors = run_program("-p", port, "--admin-listen", f"localhost:{port}")
    assert code == 2 and f"--admin-listen: localhost:{port} is where clients connect (-p)" in errors
    code, _, errors = run_program("-p", port, "--admin-listen", f"127.0.0.1:{port}")
    assert code == 3 and "--admin-listen" in errors and "is in use" in errors
    code, _, errors = run_program("-p", "0", "--admin-listen", "none.invalid:1")
    assert code == 3 and "(--admin-listen)" in errors
    (tmp_path / "file").touch()
    code, _, errors = run_program("-p", "0", "--admin-listen", f"unix:{tmp_path}/file")
    assert code == 3 and str(tmp_path) in errors


def test_others_may_reach_it(start):
    server = start("--admin-listen", "0.0.0.0:0")
    assert "without a password" in server.wait_for_line("--admin-listen: other machines may reach 0.0.0.0:")


# Connections.


def connections(place, query=""):
    status, text = ask(place, "/connections" + query)
    assert status == 200, text
    answer = json.loads(text)
    assert answer["missing"] == []
    return answer


def test_connections_of_all_processes(start, run_directory):
    """Those of a process that was replaced are listed with its number, and closed there."""
    server = start()
    path = run_directory / f"{server.port}.sock"
    with Wire.open(server) as old:
        old.echo()
        server.signal(signal.SIGHUP)
        server.wait_for_line("1 connection stays on the old version")
        with Wire.open(server, "/who") as new:
            found = wait_until(lambda: len(found := connections(path)["connections"]) == 2 and found)
            by_process = {each["id"].split("-")[0]: each for each in found}
            assert set(by_process) == {"1", "2"}
            assert by_process["1"]["route"] == "/echo" and by_process["2"]["route"] == "/who"
            assert by_process["1"]["messagesIn"] == by_process["1"]["messagesOut"] == 1
            assert [each["route"] for each in connections(path, "?route=/echo")["connections"]] == ["/echo"]
            status = json.loads(ask(path, "/status")[1])
            assert [(each["number"], each["state"], each["connections"]) for each in status["processes"]] == [
                (2, "serving", 1), (1, "retired", 1)]
            assert ask(path, f"/connections/{by_process['1']['id']}?code=1008&reason=enough", "DELETE")[0] == 202
            assert old.close_frame() == (1008, "enough")
            assert ask(path, "/connections/9-1", "DELETE")[0] == 404
            assert new is not None


def test_a_process_that_does_not_answer(start, run_directory):
    """It is named in the answer, which does not wait for long."""
    server = start()
    path = run_directory / f"{server.port}.sock"
    with Wire.open(server) as old:
        old.echo()
        pid = server.pid
        server.signal(signal.SIGHUP)
        server.wait_for_line("1 connection stays on the old version")
        freeze(pid)
        try:
            status, text = ask(path, "/connections")
            assert status == 200
            assert json.loads(text)["missing"] == ["server process 1, which does not answer"]
            assert ask(path, "/connections/1-1", "DELETE")[0] == 503
        finally:
            os.kill(pid, signal.SIGCONT)


# The command status.

needs_script = pytest.mark.skipif(
    "standalone.sh" not in os.environ.get("WEBSOCKETHOST_COMMAND", "standalone.sh"),
    reason="status is a command of standalone.sh")


@needs_script
def test_status(start, run_directory):
    server = start("--threads", "1", "--spare-threads", "0")
    place = "-p", server.port, "--run-directory", run_directory
    with Wire.open(server):
        code, text, errors = run_program("status", *place)
        lines = text.splitlines()
        assert code == 0 and errors == "", errors
        assert lines[0].startswith("WebSocketHost ") and lines[0].endswith(", ready")
        assert lines[1:3] == ["PROCESS  STATE    CONNECTIONS", "1        serving            1"]
        assert any(line.split() == ["/echo", "1"] for line in lines)
        code, text, _ = run_program("status", *place, "--json")
        status = json.loads(text)
        assert code == 0 and status["ready"] and {"path": "/echo", "connections": 1} in status["routes"]
    with blocked(server):
        code, text, _ = wait_until(lambda: (done := run_program("status", *place))[0] == 1 and done)
        assert "not ready: all 1 event loops are blocked by handlers" in text.splitlines()[0]
        line = wait_until(lambda: next((line for line in run_program("status", *place)[1].splitlines()
                                        if line.startswith("blocked: ")), None))
        assert "/block has been blocking its thread for" in line


@needs_script
def test_status_and_publish_by_an_address(start, tmp_path):
    path = tmp_path / "admin.sock"
    tcp, unix = start("--admin-listen", "127.0.0.1:0"), start("--admin-listen", f"unix:{path}")
    for address in (f"http://127.0.0.1:{admin_port(tcp)}", f"unix:{path}"):
        code, text, errors = run_program("status", "--server", address)
        assert code == 0 and text.splitlines()[0].endswith(", ready"), errors
        code, text, errors = run_program("publish", "room", "--server", address)
        assert (code, text, errors) == (0, "", "")
    tcp.stop()
    code, _, errors = run_program("status", "--server", f"http://127.0.0.1:{admin_port(tcp)}")
    assert code == 1 and f"status: the server at http://127.0.0.1:{admin_port(tcp)} is not reached: " in errors


@needs_script
@pytest.mark.parametrize("arguments, text", [
    (("--server", "localhost"), "--server: expected an address such as http://127.0.0.1:9999"),
    (("name",), "name"), (("--timeout", "0"), "--timeout")])
def test_wrong_arguments_of_status(arguments, text):
    code, _, errors = run_program("status", *arguments)
    assert code == 2 and text in errors


@needs_script
def test_status_of_nobody(tmp_path):
    code, text, errors = run_program("status", "-p", "1", "--run-directory", tmp_path)
    assert (code, text) == (1, "") and "status: the server on port 1 is not reached: nobody listens on 1.sock" in errors
    code, _, errors = run_program("status", "--server", f"unix:{tmp_path}/none.sock")
    assert code == 1 and "none.sock is not reached" in errors


# What a reload takes.


def test_reload(start, run_directory, tmp_path):
    """What the file has by then; what needs a new start is named; a file that is wrong changes nothing."""
    file = tmp_path / "server.ini"
    file.write_text("[websockethost]\nhealth_path = /one\n")
    server = start("--config", file)
    first = server.pid

    def status(path):
        return request(server, b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path).status

    assert (status(b"/one"), status(b"/two")) == (200, 404)
    file.write_text("[websockethost]\nhealth_path = /two\nqueue = 5\nmax_old_generations = 3\nmax_message_size = 9\n")
    server.signal(signal.SIGHUP)
    server.wait_for_line("a new process: live")
    assert (status(b"/one"), status(b"/two")) == (404, 200)
    line = server.wait_for_line("in effect only when the server is started anew")
    assert line.endswith("anew: --queue, --max-old-generations")
    assert server.pid != first
    second = server.pid
    for text, reason in [("health_path = two", "server.ini:2: health_path: expected a path such as /health"),
                         ("\nhelth_path = /x", "server.ini:3: unknown option helth_path; did you mean health_path?")]:
        file.write_text(f"[websockethost]\n{text}\n")
        start_line = len(server.stderr_lines())
        server.signal(signal.SIGHUP)
        line = server.wait_for_line("the running process goes on", start=start_line)
        assert reason in line and " error " in line
        assert server.pid == second and status(b"/two") == 200


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
