"""Started as systemd does it: sockets passed by LISTEN_FDS, and messages to NOTIFY_SOCKET."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import time

import pytest
from websockets.sync.client import connect, unix_connect

from conftest import Server
from wire import DEADLINE, HANDLERS, REPOSITORY, TEXT, Wire, handshake, wait_until

CANNOT_LISTEN = 3
SUPERVISIONS = [[], ["--no-supervisor"]]

# What systemd does between fork and exec.
LAUNCH = """
import fcntl, os, sys
copies = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 200) for number in sys.argv[1].split(",") if number]
for place, copy in enumerate(copies):
    os.dup2(copy, 3 + place)
    os.close(copy)
os.environ.setdefault("LISTEN_FDS", str(len(copies)))
os.environ.setdefault("LISTEN_PID", str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
"""


def passing(*sockets):
    return {
        "prefix": [sys.executable, "-c", LAUNCH, ",".join(str(each.fileno()) for each in sockets)],
        "pass_fds": [each.fileno() for each in sockets]}


@contextlib.contextmanager
def serving(*options, **named):
    server = Server(*options, **named)
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def tcp_listener():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener, listener.getsockname()[1]


@contextlib.contextmanager
def unix_listener(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield listener


def echoes(client):
    client.send("hello")
    assert client.recv(DEADLINE) == "hello"


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def variables(pid):
    text = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    return {line.split(b"=")[0].decode() for line in text.split(b"\0") if b"=" in line}


@pytest.mark.parametrize("supervision", SUPERVISIONS)
def test_sockets(tmp_path, supervision):
    """Both kinds are served, in place of the default port; the sockets stay when the server ends."""
    path = tmp_path / "x.sock"
    with tcp_listener() as (tcp, port), unix_listener(path) as unix:
        # It comes before the server does.
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as early:
            with serving(*supervision, port=None, **passing(tcp, unix)) as server:
                assert server.port == port
                line = server.wait_for_line("listening on ")
                assert f"127.0.0.1:{port} (passed by LISTEN_FDS), unix:{path} (passed by LISTEN_FDS)" in line
                wire = Wire(early)
                wire.send(handshake("/echo"))
                assert wire.head().status == 101
                with connect(f"ws://127.0.0.1:{port}/echo") as client:
                    echoes(client)
                with unix_connect(str(path), "ws://localhost/echo") as client:
                    echoes(client)
                for child in children(server.process.pid):
                    assert not {name for name in variables(child) if name.startswith("LISTEN_")}
                assert server.stop() == 0
        assert path.exists()
        # Whoever comes now waits for the next start, as with systemd.
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as late:
            with serving(*supervision, port=None, **passing(tcp, unix)):
                wire = Wire(late)
                wire.send(handshake("/echo"))
                assert wire.head().status == 101


def test_beside_options(tmp_path):
    """-p and --listen are more places; a process that takes over gets all."""
    path = tmp_path / "x.sock"
    with tcp_listener() as (tcp, port):
        with serving("--listen", f"unix:{path}", **passing(tcp)) as server:
            assert server.port not in (port, 9998)
            server.signal(signal.SIGHUP)
            server.wait_for_line("a new process: live")
            for client in (connect(server.url("/echo")), connect(f"ws://127.0.0.1:{port}/echo"),
                           unix_connect(str(path), "ws://localhost/echo")):
                with client:
                    echoes(client)
        assert not path.exists()


def test_tls_by_name(monkeypatch):

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    monkeypatch.setenv("LISTEN_FDNAMES", "web:tls")
    with tcp_listener() as (plain, port), tcp_listener() as (secure, secure_port):
        with serving("--tls-self-signed", port=None, **passing(plain, secure)):
            with connect(f"ws://127.0.0.1:{port}/echo") as client:
                echoes(client)
            with connect(f"wss://127.0.0.1:{secure_port}/echo", ssl=context) as client:
                echoes(client)


def failed_start(*sockets):
    """Starts a server that should end by itself: its exit code and messages."""
    named = passing(*sockets)
    done = subprocess.run(
        [*named["prefix"], str(REPOSITORY / "standalone.sh")], pass_fds=named["pass_fds"], capture_output=True, text=True,
        timeout=300, stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr


def test_lies(tmp_path, monkeypatch):
    with tcp_listener() as (tcp, _):
        monkeypatch.setenv("LISTEN_FDS", "many")
        assert failed_start(tcp) == (CANNOT_LISTEN, "cannot serve: LISTEN_FDS is 'many', which is no count of sockets\n")
        monkeypatch.setenv("LISTEN_FDS", "1000")
        code, errors = failed_start(tcp)
        assert code == CANNOT_LISTEN and "at most 64 sockets are taken" in errors
        monkeypatch.setenv("LISTEN_FDS", "60")
        code, errors = failed_start(tcp)
        assert code == CANNOT_LISTEN and "which is not open" in errors
        monkeypatch.delenv("LISTEN_FDS")
        with open(tmp_path / "file", "w") as file, socket.socket(type=socket.SOCK_DGRAM) as datagrams, \
                socket.socket() as idle:
            for wrong, text in [(file, "is no socket"), (datagrams, "the socket unit needs ListenStream="),
                                (idle, "does not listen")]:
                code, errors = failed_start(tcp, wrong)
                assert code == CANNOT_LISTEN and f"descriptor 4 of LISTEN_FDS {text}" in errors.replace(
                    "is neither TCP nor a Unix-domain stream: ", ""), errors
        # They are another process's.
        monkeypatch.setenv("LISTEN_PID", "1")
        with serving(**passing(tcp)) as server:
            assert "(passed" not in server.wait_for_line("listening on ")
            with connect(server.url("/echo")) as client:
                echoes(client)


class Manager:
    """The socket that a service manager reads."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0"))
        self.socket.settimeout(DEADLINE)

    def next(self, *, watchdog=False, status=False):
        """The next message: without WATCHDOG=1 and what is only STATUS=, unless asked for."""
        while True:
            text = self.socket.recv(4096).decode()
            if text == "WATCHDOG=1" and not watchdog or text.startswith("STATUS=") and not status:
                continue
            return text

    def wait_for(self, text):
        wait_until(lambda: text in self.socket.recv(4096).decode())


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path, monkeypatch):
    name = str(tmp_path / "notify") if request.param == "path" else f"@websockethost-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    manager = Manager(name)
    yield manager
    manager.socket.close()


READY = re.compile(r"READY=1\nSTATUS=\d+ routes, \d+ connections?")


def test_messages_in_order(manager):
    with serving(handlers=HANDLERS) as server:
        assert READY.fullmatch(manager.next())
        for child in children(server.process.pid):
            assert not variables(child) & {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
        with connect(server.url("/echo")):
            manager.wait_for(", 1 connection")
        manager.wait_for(", 0 connections")
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        server.signal(signal.SIGHUP)
        reloading = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", manager.next())
        assert before <= int(reloading[1]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert READY.fullmatch(manager.next())
        server.signal(signal.SIGTERM)
        assert manager.next() == "STOPPING=1"
        assert server.wait() == 0
        manager.socket.settimeout(0)
        with pytest.raises(BlockingIOError):
            print(manager.next())


def test_without_a_supervisor(manager):
    with serving("--no-supervisor", handlers=HANDLERS) as server:
        assert READY.fullmatch(manager.next())
        with connect(server.url("/echo")):
            manager.wait_for(", 1 connection")
        server.signal(signal.SIGTERM)
        assert manager.next() == "STOPPING=1"
        assert server.wait() == 0


@pytest.mark.parametrize("supervision", SUPERVISIONS)
def test_watchdog_stops_while_a_loop_is_blocked(manager, monkeypatch, supervision):
    timeout = 2
    monkeypatch.setenv("WATCHDOG_USEC", str(timeout * 1_000_000))
    with serving("--threads", "2", *supervision, handlers=HANDLERS) as server:
        assert READY.fullmatch(manager.next())
        for _ in range(3):
            assert manager.next(watchdog=True) == "WATCHDOG=1"
        with Wire.open(server, "/block") as wire:
            wire.send_frame(TEXT, str(timeout * 4000))
            # What was on its way before it blocked.
            manager.socket.settimeout(timeout)
            with pytest.raises(TimeoutError):
                for _ in range(4):
                    manager.next(watchdog=True)
            # The other loop serves meanwhile.
            manager.socket.settimeout(DEADLINE)
            assert manager.next(watchdog=True) == "WATCHDOG=1"


def test_watchdog_of_another_process(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    with serving(handlers=HANDLERS) as server:
        assert READY.fullmatch(manager.next())
        with connect(server.url("/echo")):
            assert manager.next(watchdog=True, status=True).startswith("STATUS=")
