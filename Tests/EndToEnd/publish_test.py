"""`standalone.sh publish`: from standard input to the subscribers of a topic, over the socket in the run directory."""

import contextlib
import http.client
import json
import os
import queue
import shlex
import signal
import socket
import stat
import subprocess
import threading

import pytest
from websockets.sync.client import connect

from authoring import BUILD_TIMEOUT, save
from conftest import START_TIMEOUT, Server
from wire import DEADLINE, REPOSITORY, is_running, wait_until

PUBLISHED, NOT_PUBLISHED, USAGE = 0, 1, 2

LISTENER = """import WebSocketHost

// {version}
public let handler = WebSocketHandler {{ socket in
    for try await case .text(let text) in socket {{
        try await socket.subscribe(to: text)
        try await socket.send("{version}")
    }}
}}
"""

CRASH = """import WebSocketHost

public let handler = WebSocketHandler { socket in
    for try await _ in socket { fatalError("asked for") }
}
"""

COMMAND = shlex.split(os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh")))

pytestmark = pytest.mark.skipif(
    "standalone.sh" not in COMMAND[-1], reason="publish is a command of standalone.sh")


@pytest.fixture(scope="module")
def handlers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handlers")
    save(folder, "listen_wsh.swift", LISTENER.format(version="v0"))
    return folder


@pytest.fixture
def run_directory(tmp_path, monkeypatch):
    """Where the servers of a test have their sockets, and `publish` looks for them."""
    base = tmp_path / "run"
    base.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
    return base / "websockethost"


@pytest.fixture(scope="module")
def shared(handlers, tmp_path_factory):
    """A server for the tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("shared") / "run"
    server = Server("--run-directory", folder, handlers=handlers)
    server.run_directory = folder
    yield server
    assert server.stop() == 0
    assert list(folder.iterdir()) == []


class Result:
    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr

    def __repr__(self):
        return f"exit code {self.code}\n{self.stdout}\n{self.stderr}"


def start(*arguments, **named):
    return subprocess.Popen(
        [*COMMAND, "publish", *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, **named)


def publish(*arguments, lines=b"", **named):
    done = subprocess.run(
        [*COMMAND, "publish", *map(str, arguments)], input=lines.encode() if isinstance(lines, str) else lines,
        capture_output=True, timeout=START_TIMEOUT, **named)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def said(process):
    """What `publish` itself wrote to standard error; the first start builds something."""
    lines = process.stderr.read().decode().splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith("publish: "))


def to(server):
    """The options that name the shared server."""
    return "-p", server.port, "--run-directory", server.run_directory


class Subscriber:
    """A connection whose messages are read all the time."""

    def __init__(self, server, topic):
        self.socket = connect(server.url("/listen"), open_timeout=DEADLINE, close_timeout=1, compression=None)
        self.socket.send(topic)
        self.version = self.socket.recv(DEADLINE)
        self._messages = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with contextlib.suppress(Exception):
            for message in self.socket:
                self._messages.put(message)
        self._messages.put(None)

    def next(self, timeout=DEADLINE):
        return self._messages.get(timeout=timeout)

    def take(self, count):
        return [self.next() for _ in range(count)]

    def is_empty(self):
        return self._messages.empty()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class AdminConnection(http.client.HTTPConnection):
    """As `curl --unix-socket`."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(self._path)


def request(path, method, target, body=None, headers={}):
    connection = AdminConnection(path)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def listens(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


# What goes out.


def test_lines(shared):
    """Empty ones, CR LF, no end at the end: each is one message, as it is."""
    with Subscriber(shared, "a b/ü") as subscriber:
        result = publish("a b/ü", *to(shared), lines="one\n\ntwo é\r\n  three\t\nfour")
        assert (result.code, result.stdout, result.stderr) == (PUBLISHED, "", "")
        assert subscriber.take(5) == ["one", "", "two é", "  three\t", "four"]
        assert publish("a b/ü", *to(shared), lines=b"").code == PUBLISHED
        assert publish("a b/ü", *to(shared), lines="end\n").code == PUBLISHED
        assert subscriber.next() == "end"


def test_many_lines(shared):
    count = 50_000
    with Subscriber(shared, "many") as subscriber:
        process = start("many", *to(shared))
        pieces = range(0, count, 500)
        received = []
        # Not all at once: subscribers that read too slowly are closed.
        for first in pieces:
            process.stdin.write(b"".join(b"%d\n" % number for number in range(first, first + 500)))
            process.stdin.flush()
            received += subscriber.take(500)
        process.stdin.close()
        assert process.wait(DEADLINE) == PUBLISHED
        assert received == [str(number) for number in range(count)]


def test_lines_that_are_no_messages(shared):
    """They are named and left out, and the others go on."""
    with Subscriber(shared, "bad") as subscriber:
        result = publish(
            "bad", *to(shared), "--max-message-size", 10,
            lines=b"1\n\xff\xfe\n3\n" + b"x" * 200_000 + b"\n5\n\xc3")
        assert subscriber.take(3) == ["1", "3", "5"]
    assert result.code == NOT_PUBLISHED
    lines = result.stderr.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("publish: line 2: not published: not UTF-8")
    assert lines[1].startswith("publish: line 4: not published: longer than 10 bytes")
    assert lines[2].startswith("publish: line 6: not published: not UTF-8")


def test_the_server_refuses_a_line(shared):
    """Over the server's limit; what comes before and after it arrives."""
    with Subscriber(shared, "long") as subscriber:
        result = publish(
            "long", *to(shared), "--max-message-size", "4M", lines="1\n" + "x" * 2_000_000 + "\n3\n")
        assert subscriber.take(2) == ["1", "3"]
    assert result.code == NOT_PUBLISHED
    assert "line 2: " in result.stderr and "1048576" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_binary(shared):
    data = bytes(range(256)) * 400
    with Subscriber(shared, "bytes") as subscriber:
        assert publish("bytes", "--binary", *to(shared), lines=data).code == PUBLISHED
        assert subscriber.next() == data
        assert publish("bytes", "--binary", *to(shared), lines=b"").code == PUBLISHED
        assert subscriber.next() == b""
        result = publish("bytes", "--binary", *to(shared), "--max-message-size", 1000, lines=data)
        assert result.code == NOT_PUBLISHED
        assert "standard input: not published: longer than 1000 bytes" in result.stderr
        assert publish("bytes", *to(shared), lines="end\n").code == PUBLISHED
        assert subscriber.next() == "end"


def test_each_line_as_it_comes(shared):
    """As of `tail -f`: nothing waits for more."""
    with Subscriber(shared, "tail") as subscriber:
        process = start("tail", *to(shared))
        for number in range(3):
            process.stdin.write(b"%d\n" % number)
            process.stdin.flush()
            assert subscriber.next(START_TIMEOUT if number == 0 else DEADLINE) == str(number)
        process.stdin.write(b"half")
        process.stdin.flush()
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert subscriber.next() == "half"
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == -signal.SIGINT
        assert said(process) == ""


# What is wrong.


def test_usage(shared):
    for arguments in ([], ["a", "b"], ["a", "-p", "0"], ["a", "--binar"], [""]):
        result = publish(*arguments)
        assert result.code == USAGE, result
        assert result.stderr.startswith("publish: ") and "usage: " in result.stderr
    result = publish("x" * 256, *to(shared), lines="1\n")
    assert result.code == USAGE
    assert "256 bytes, over the limit of 255" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    result = publish(b"\xff".decode(errors="surrogateescape"))
    assert result.code == USAGE and "UTF-8" in result.stderr


def test_help():
    result = publish("--help")
    assert result.code == 0 and "publish: " not in result.stderr
    for text in ("--binary", "--timeout", "Exit codes: 0", "--run-directory"):
        assert text in result.stdout
    assert all(len(line) <= 100 for line in result.stdout.splitlines())


def test_no_server(run_directory, shared):
    """At once, and it says what to do and what else there is."""
    result = publish("room", "-p", 1, lines="1\n")
    assert result.code == NOT_PUBLISHED
    assert "port 1 is not reached" in result.stderr and "./standalone.sh -p 1" in result.stderr
    result = publish("room", "-p", 1, "--run-directory", shared.run_directory, lines="1\n")
    assert f"there are sockets for port {shared.port}" in result.stderr
    # A folder in which others could have put a socket is not used.
    run_directory.mkdir(mode=0o700)
    run_directory.chmod(0o777)
    result = publish("room", "-p", 1, lines="1\n")
    assert result.code == NOT_PUBLISHED and "can be written to by other users" in result.stderr


def test_input_that_cannot_be_read(shared):
    descriptor = os.open("/", os.O_RDONLY)
    try:
        done = subprocess.run(
            [*COMMAND, "publish", "t", *map(str, to(shared))], stdin=descriptor, capture_output=True,
            timeout=START_TIMEOUT)
    finally:
        os.close(descriptor)
    assert done.returncode == NOT_PUBLISHED and b"standard input: " in done.stderr


# The socket.


@pytest.mark.parametrize("options", [[], ["--no-supervisor"]])
def test_socket(start_server, handlers, run_directory, options):
    """Its rights, what it answers, and that it goes with the server."""
    server = start_server(*options, handlers=handlers)
    path = run_directory / f"{server.port}.sock"
    assert stat.S_IMODE(run_directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Subscriber(server, "room/7") as subscriber:
        assert publish("room/7", "-p", server.port, lines="hello\n").code == PUBLISHED
        assert subscriber.next() == "hello"
        status, body = request(path, "POST", "/topics/room/7", "é".encode())
        assert status == 202 and json.loads(body) == {"receivers": 1, "skipped": 0, "closed": 0}
        assert subscriber.next() == "é"
        status, body = request(
            path, "POST", "/topics/room%2F7", b"\0\xff", {"Content-Type": "application/octet-stream"})
        assert status == 202 and subscriber.next() == b"\0\xff"
        status, body = request(path, "GET", "/topics")
        assert status == 200 and json.loads(body) == {
            "topics": [{"name": "room/7", "subscribers": 1, "localSubscribers": 1, "published": 3}],
            "isCut": False}
        assert request(path, "POST", "/topics/", b"x")[0] == 400
        assert request(path, "POST", "/topics/t", b"\xff")[0] == 400
        assert request(path, "POST", "/topics/t", b"x" * 1_048_577)[0] == 413
        assert request(path, "GET", "/")[0] == 404
    # Not where everybody can ask.
    public = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    for method, target in (("POST", "/topics/room/7"), ("GET", "/topics")):
        public.request(method, target)
        answer = public.getresponse()
        answer.read()
        assert answer.status >= 404
    assert not [line for line in server.stderr_lines() if "/topics" in line and "127.0.0.1" not in line]
    assert server.stop() == 0
    assert not path.exists()
    assert publish("room/7", "-p", server.port, lines="1\n").code == NOT_PUBLISHED


def test_two_servers(start_server, handlers, run_directory):
    servers = [start_server(handlers=handlers), start_server("--no-supervisor", handlers=handlers)]
    with Subscriber(servers[0], "t") as first, Subscriber(servers[1], "t") as second:
        for server, text in zip(servers, ("one", "two")):
            assert publish("t", "-p", server.port, lines=text).code == PUBLISHED
            environment = dict(os.environ, WEBSOCKETHOST_PORT=str(server.port))
            assert publish("t", lines=text + "!", env=environment).code == PUBLISHED
        assert first.take(2) == ["one", "one!"] and second.take(2) == ["two", "two!"]
        assert first.is_empty() and second.is_empty()
    assert len(list(run_directory.iterdir())) == 2


def test_killed_server(start_server, handlers, run_directory):
    """What it left is replaced by the next one on its port; what somebody listens on is not."""
    server = start_server(handlers=handlers)
    path = run_directory / f"{server.port}.sock"
    child = server.pid
    server.signal(signal.SIGKILL)
    server.wait()
    wait_until(lambda: not is_running(child))
    assert path.is_socket() and not listens(path)
    assert publish("t", "-p", server.port, lines="1\n").code == NOT_PUBLISHED
    again = start_server("-p", server.port, handlers=handlers)
    assert listens(path)
    assert publish("t", "-p", server.port, lines="1\n").code == PUBLISHED
    again.stop()
    assert not path.exists()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        third = start_server("-p", server.port, handlers=handlers)
        line = third.wait_for_line("'publish' does not reach this server")
        assert f"another server listens on {path}" in line and "--run-directory" in line
        assert third.stop() == 0
        assert path.is_socket()


@pytest.mark.parametrize("what", ["link", "open", "file", "nowhere"])
def test_bad_directory(start_server, handlers, tmp_path, what):
    """The server starts all the same, and says so in one line."""
    folder = tmp_path / "run"
    if what == "link":
        (tmp_path / "target").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "target")
    elif what == "open":
        folder.mkdir()
        folder.chmod(0o777)
    elif what == "file":
        folder.touch()
    else:
        folder = tmp_path / "nothing" / "run"
    server = start_server("--run-directory", folder, handlers=handlers)
    assert str(folder) in server.wait_for_line("'publish' does not reach this server")
    with Subscriber(server, "t"):
        pass
    assert server.stop() == 0
    assert sum("does not reach" in line for line in server.stderr_lines()) == 1
    if what == "link":
        assert list((tmp_path / "target").iterdir()) == []


def test_turned_off(start_server, handlers, run_directory):
    server = start_server("--no-run-directory", handlers=handlers)
    assert not run_directory.exists()
    assert not [line for line in server.stderr_lines() if "publish" in line]
    assert publish("t", "-p", server.port, lines="1\n").code == NOT_PUBLISHED


# Servers that go and come.


class Numbers:
    """Publishes numbers, one a line, until it is stopped."""

    def __init__(self, topic, port, *options, pause=0.002):
        self.process = start(topic, "-p", port, *options)
        self.count = 0
        self._pause = pause
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self):
        with contextlib.suppress(OSError):
            while not self._is_over.wait(self._pause):
                self.process.stdin.write(b"%d\n" % self.count)
                self.process.stdin.flush()
                self.count += 1

    def stop(self):
        """Ends the input: exit code and what it said."""
        self._is_over.set()
        self._thread.join(DEADLINE)
        self.process.stdin.close()
        code = self.process.wait(DEADLINE)
        return code, said(self.process)


def test_save_in_mid_stream(start_server, tmp_path, run_directory):
    """Nothing is lost and nothing comes twice, for members of the old versions and the new one."""
    folder = tmp_path / "handlers"
    save(folder, "listen_wsh.swift", LISTENER.format(version="v0"))
    server = start_server("--watch", handlers=folder)
    with contextlib.ExitStack() as stack:
        members = [stack.enter_context(Subscriber(server, "t"))]
        numbers = Numbers("t", server.port)
        received = [members[0].take(1)]
        for version in range(1, 4):
            begin = len(server.stderr_lines())
            save(folder, "listen_wsh.swift", LISTENER.format(version=f"v{version}"))
            server.wait_for_line("live after", BUILD_TIMEOUT, start=begin)
            member = stack.enter_context(Subscriber(server, "t"))
            assert member.version == f"v{version}"
            members.append(member)
            received.append(member.take(1))
        assert numbers.stop() == (PUBLISHED, "")
        for member, texts in zip(members, received):
            while texts[-1] != str(numbers.count - 1):
                texts.append(member.next())
            assert [int(text) for text in texts] == list(range(int(texts[0]), numbers.count))
        assert received[0][0] == "0" and numbers.count > 100


def test_trap_in_mid_stream(start_server, tmp_path, run_directory):
    """The stream goes on with the next process. What was lost is named."""
    folder = tmp_path / "handlers"
    save(folder, "listen_wsh.swift", LISTENER.format(version="v0"))
    save(folder, "crash_wsh.swift", CRASH)
    server = start_server(handlers=folder)
    numbers = Numbers("t", server.port)
    with Subscriber(server, "t") as subscriber:
        before = int(subscriber.next())
        with connect(server.url("/crash"), open_timeout=DEADLINE, compression=None) as socket:
            socket.send("x")
        while (text := subscriber.next()) is not None:
            before = int(text)
    with Subscriber(server, "t") as subscriber:
        assert int(subscriber.next()) > before
        subscriber.take(100)
        code, lines = numbers.stop()
    # It ended between an answer and the next message, or not.
    if lines:
        assert code == NOT_PUBLISHED and "perhaps not published" in lines
    else:
        assert code == PUBLISHED


def test_server_that_comes_back(start_server, handlers, run_directory):
    """A new server on the port, within the time."""
    server = start_server(handlers=handlers)
    numbers = Numbers("t", server.port, "--timeout", 600, pause=0.01)
    with Subscriber(server, "t") as subscriber:
        subscriber.take(10)
        assert server.stop() == 0
    again = start_server("-p", server.port, handlers=handlers)
    with Subscriber(again, "t") as subscriber:
        first = int(subscriber.next())
        assert [int(text) for text in subscriber.take(20)] == list(range(first + 1, first + 21))
        assert numbers.stop() == (PUBLISHED, "")


def test_server_that_stays_away(start_server, handlers, run_directory):
    server = start_server(handlers=handlers)
    process = start("t", "-p", server.port, "--timeout", 0.5)
    with Subscriber(server, "t") as subscriber:
        process.stdin.write(b"1\n")
        process.stdin.flush()
        assert subscriber.next(START_TIMEOUT) == "1"
        assert server.stop() == 0
    process.stdin.write(b"2\n3\n")
    process.stdin.flush()
    assert process.wait(DEADLINE) == NOT_PUBLISHED
    lines = said(process)
    assert f"the server on port {server.port} has gone for 0.5 s (--timeout)" in lines
    assert "nothing from line 2 on was published" in lines


def test_server_that_is_stopped(start_server, handlers, run_directory):
    """It accepts, and answers nothing: that is waited for, and then said."""
    server = start_server("--no-supervisor", handlers=handlers)
    server.signal(signal.SIGSTOP)
    try:
        result = publish("t", "-p", server.port, "--timeout", 0.5, lines="1\n2\n")
    finally:
        server.signal(signal.SIGCONT)
    assert result.code == NOT_PUBLISHED
    assert "has not answered for 0.5 s" in result.stderr and "lines 1 to 2: perhaps not published" in result.stderr


# Servers that are none.


class FakeServer:
    """Listens where a server's socket is, and does with each connection what it is told."""

    def __init__(self, folder, port=9):
        folder.mkdir(mode=0o700)
        self.options = ("-p", port, "--run-directory", folder)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f"{port}.sock"))
        self._listener.listen()
        self._listener.settimeout(START_TIMEOUT)

    def accept(self):
        connection, _ = self._listener.accept()
        connection.settimeout(DEADLINE)
        return connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def read_request(connection, text):
    """Up to a message of that text."""
    data = b""
    while not data.endswith(b"\r\n\r\n" + text):
        data += connection.recv(65_536) or pytest.fail(f"the connection ended behind {data!r}")
    return data


DONE = b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\n{}\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 2\r\n\r\nx\n"


def test_server_that_leaves(tmp_path):
    """What it says that it did not do is asked for again; what it had and did not answer is lost."""
    with FakeServer(tmp_path / "run") as server:
        process = start("t", *server.options)
        process.stdin.write(b"1\n2\n3\n")
        process.stdin.close()
        with server.accept() as connection:
            read_request(connection, b"3")
            connection.sendall(DONE + BUSY)
        with server.accept() as connection:
            data = read_request(connection, b"3")
            assert data.count(b"POST") == 2
            connection.sendall(DONE)
        assert process.wait(DEADLINE) == NOT_PUBLISHED
        assert said(process) == (
            "publish: line 3: perhaps not published: the server process ended before it answered\n")


def test_server_that_is_busy(tmp_path):
    """It is asked again and again, not without end."""
    with FakeServer(tmp_path / "run") as server:
        process = start("t", *server.options, "--timeout", 0.5)
        process.stdin.write(b"1\n")
        process.stdin.close()
        is_over = threading.Event()

        def refuse():
            while not is_over.is_set():
                with contextlib.suppress(OSError), server.accept() as connection:
                    connection.sendall(BUSY)

        refusing = threading.Thread(target=refuse, daemon=True)
        refusing.start()
        assert process.wait(DEADLINE) == NOT_PUBLISHED
        assert b"has not answered for 0.5 s" in process.stderr.read()
        is_over.set()


def test_another_protocol(tmp_path):
    with FakeServer(tmp_path / "run") as server:
        process = start("t", *server.options)
        process.stdin.write(b"1\n2\n")
        process.stdin.close()
        with server.accept() as connection:
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")
            assert process.wait(DEADLINE) == NOT_PUBLISHED
        assert b"answers something else than HTTP" in process.stderr.read()


def test_idle_connection(tmp_path):
    """It is given up before the server would, and made again for the next line."""
    with FakeServer(tmp_path / "run") as server:
        process = start("t", *server.options)
        for text in (b"1", b"2"):
            process.stdin.write(text + b"\n")
            process.stdin.flush()
            with server.accept() as connection:
                read_request(connection, text)
                connection.sendall(DONE)
                assert connection.recv(1) == b""
        process.stdin.close()
        assert process.wait(DEADLINE) == PUBLISHED
        assert said(process) == ""
