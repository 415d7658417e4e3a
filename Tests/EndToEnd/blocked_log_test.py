"""A log that nobody reads, and descriptors that are closed: whoever connects is served all the same."""

import contextlib
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import ADDRESS, START_TIMEOUT, STOP_TIMEOUT
from wire import CLOSE, DEADLINE, HANDLERS, REPOSITORY, Wire, close_body, request, wait_until

# More than a pipe, a terminal and the queue have room for.
ECHOES = 3000
SMALL_QUEUE = ("--log-level", "fine", "--log-queue-size", "64K")
BOTH_WAYS = pytest.mark.parametrize("options", [(), ("--no-supervisor",)], ids=["supervised", "alone"])


class Unread:
    """A server whose standard error is read until it listens, and then only on demand."""

    scheme = "ws"
    host = "127.0.0.1"

    def __init__(self, reader, writer, *options, environment=None):
        command = shlex.split(
            os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh")))
        self.reader = reader
        self.text = ""
        self.process = subprocess.Popen(
            [*command, "-p", "0", "-H", self.host, "-w", HANDLERS, *SMALL_QUEUE, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer,
            env={**os.environ, **(environment or {})})
        os.close(writer)
        self.read_until(ADDRESS, START_TIMEOUT)
        self.port = int(ADDRESS.search(self.text)["port"])
        self.read_until(re.compile("Ctrl-C stops"))

    def read_until(self, pattern, timeout=DEADLINE):
        """Reads until the log has this, or has ended."""
        deadline = time.monotonic() + timeout
        while not pattern.search(self.text):
            assert time.monotonic() < deadline, self.text[-2000:]
            try:
                data = os.read(self.reader, 65536)
            except OSError:  # how a terminal ends
                data = b""
            self.text += data.decode()
            if not data:
                break

    def talk(self, count=ECHOES):
        with Wire.open(self) as wire:
            for _ in range(count):
                wire.echo("x" * 50)
            wire.send_frame(CLOSE, close_body(1000))
            wire.close_frame()

    def end(self):
        self.process.terminate()
        return self.process.wait(STOP_TIMEOUT)


@contextlib.contextmanager
def unread(kind, *options, environment=None):
    """`kind`: what standard error is."""
    reader, writer = os.pipe() if kind == "pipe" else pty.openpty()
    server = Unread(reader, writer, *options, environment=environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        os.close(reader)


@BOTH_WAYS
def test_pipe(options):
    """Nobody reads it, then somebody does."""
    with unread("pipe", *options) as server:
        server.talk()
        server.talk(1)
        server.read_until(re.compile(r" error \d+ log lines before this were lost: the reader of the log was too slow"))
        server.talk(1)
        server.read_until(re.compile(r"lost: .*close /echo", re.DOTALL))
        lines = [line for line in server.text.splitlines() if re.match(r"\d{4}-", line)]
        assert all(re.match(r"[-\d]+ [:.\d]+ [a-z]+ .", line) for line in lines), "lines are whole"
        assert server.end() == 0


@BOTH_WAYS
@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_stop(kind, options):
    """A server that cannot log stops when it is told to."""
    with unread(kind, *options) as server:
        server.talk()
        assert server.end() == 0


def test_stopped_terminal():
    """Ctrl-S and Ctrl-Q."""
    with unread("terminal") as server:
        os.write(server.reader, b"\x13")
        server.talk()
        server.talk(1)
        os.write(server.reader, b"\x11")
        server.read_until(re.compile("lines before this were lost"))
        reader = threading.Thread(target=server.read_until, args=(re.compile("no such line"),))
        reader.start()
        assert server.end() == 0
        reader.join()


def test_named_pipe(start_server, tmp_path):
    """-l on a FIFO: nobody waits for its reader, and the program says what it does."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    server = start_server("-l", fifo, handlers=HANDLERS)
    assert "is a named pipe (FIFO): lines wait for its reader" in server.wait_for_line(str(fifo))
    for _ in range(3):
        with Wire.open(server) as wire:
            wire.echo()
    with open(fifo) as log:
        assert "open /echo" in next(line for line in log if "/echo" in line)
    server.signal(signal.SIGUSR1)
    with Wire.open(server) as wire:
        wire.echo()
    assert server.stop() == 0


CLOSED = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-", "2>&- --log-format json", ">/dev/full 2>/dev/full"]


@pytest.mark.parametrize("redirections", CLOSED)
def test_closed_descriptors(redirections, tmp_path):
    """What the server opens first must not become standard error."""
    command = os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        ["bash", "-c", f"exec {command} -H 127.0.0.1 -p {port} -w {shlex.quote(str(HANDLERS))} {redirections}"])
    server.port, server.scheme, server.host = port, "ws", "127.0.0.1"

    def is_up():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        assert server.poll() is None, server.returncode
        return False

    try:
        wait_until(is_up, START_TIMEOUT)
        with Wire.open(server) as wire:
            wire.echo("one")
            for _ in range(20):
                assert request(server, b"rubbish\r\n\r\n").status == 400
            wire.echo("y" * 300)
            children = open(f"/proc/{server.pid}/task/{server.pid}/children").read().split()
            for process in [server.pid, *map(int, children)]:
                for number, sign in enumerate(["<&-", " >&-", "2>&-"]):
                    if sign in f" {redirections}":
                        assert os.readlink(f"/proc/{process}/fd/{number}") == "/dev/null"
    finally:
        server.terminate()
        assert server.wait(STOP_TIMEOUT) == 0


def test_client_without_descriptors(server):
    """The client's socket is not its standard output either."""
    command = os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh"))
    done = subprocess.run(
        ["bash", "-c", f"exec {command} client {server.url('/echo')} -m one,two <&- >&- 2>&-"],
        timeout=START_TIMEOUT)
    assert done.returncode == 0
