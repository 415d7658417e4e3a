"""Servers for the end-to-end tests: the real program, a real port.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install prometheus-client pytest websockets selenium
    /tmp/venv/bin/pytest Tests/EndToEnd

WEBSOCKETHOST_COMMAND names another command than the checkout's standalone.sh; it may have arguments.
"""

import contextlib
import os
import pathlib
import re
import shlex
import signal
import subprocess
import threading
import time

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

# A cold release build of the server and its handlers on a small machine that does other things too.
START_TIMEOUT = 900
# --drain-timeout is 10 s; then a machine that does other things has to get round to it.
STOP_TIMEOUT = 40
# How long a line of the log may take that is due at once.
LINE_TIMEOUT = 20

# `ws://localhost:9998/echo`, `wss://[::1]:9998/`; without any route there is only `http://…`.
ADDRESS = re.compile(r"(?P<scheme>ws|http)(?P<secure>s?)://(?P<host>\[[^\]\s]+\]|[^\s/:\[\]]+):(?P<port>\d+)/")
ANY_ADDRESS = {"*", "0.0.0.0", "::"}


def program_of(pid):
    """The file that a process runs; none once it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return os.readlink(f"/proc/{pid}/exe")
    return None


class Server:
    """A running server. `host` and `port` are as the program said them."""

    def __init__(self, *options, handlers=None, port=0, prefix=(), pass_fds=()):
        """`port` is that of -p; None: it is not given, and what the server says tells where it listens.
        `prefix` is a command that becomes the server's."""
        command = shlex.split(
            os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh")))
        command = [*prefix, *command]
        command += [] if port is None else ["-p", str(port)]
        command += ["-w", str(handlers)] if handlers is not None else []
        command += [str(option) for option in options]
        self.command = command
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, pass_fds=pass_fds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace")
        self.scheme = "ws"
        self.host = "localhost"
        self.port = None
        self._lines = {"stdout": [], "stderr": []}
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("stdout", self.process.stdout), ("stderr", self.process.stderr))]
        for reader in self._readers:
            reader.start()
        try:
            self._wait_until_listening()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self):
        """The process that serves: the child of a supervisor, or the one that was started."""
        own = self.process.pid
        program = program_of(own)
        children = pathlib.Path(f"/proc/{own}/task/{own}/children").read_text().split()
        servers = [int(child) for child in children if program_of(child) == program]
        return servers[-1] if servers else own

    def url(self, path="/"):
        """The WebSocket URL of a path, which must be percent-encoded."""
        return f"{self.scheme}://{self._authority}{path}"

    def http_url(self, path="/"):
        return f"{'https' if self.scheme == 'wss' else 'http'}://{self._authority}{path}"

    def stderr_lines(self):
        """What the server logged so far, without line ends."""
        return self._copy("stderr")

    def stdout_lines(self):
        return self._copy("stdout")

    def wait_for_line(self, text, timeout=LINE_TIMEOUT, stream="stderr", start=0):
        """The first line from index `start` on that contains `text`; fails if none comes in time."""
        def find():
            return next((line for line in self._lines[stream][start:] if text in line), None)
        with self._changed:
            self._changed.wait_for(lambda: find() is not None, timeout)
            line = find()
            lines = list(self._lines[stream][start:])
        assert line is not None, f"no line with {text!r} on {stream} in {timeout} s:\n" + "\n".join(lines)
        return line

    def signal(self, number):
        """Sends a signal to the server and to nothing else."""
        self.process.send_signal(number)

    def wait(self, timeout=STOP_TIMEOUT):
        """Waits for the server to end by itself; its exit code, negative for a signal."""
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(2)
        return code

    def stop(self):
        """Ends the server, the hard way if need be."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.wait()

    @property
    def _authority(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def _copy(self, name):
        with self._changed:
            return list(self._lines[name])

    def _read(self, name, stream):
        with stream:
            for line in stream:
                with self._changed:
                    self._lines[name].append(line.rstrip("\n"))
                    self._changed.notify_all()

    def _address(self):
        return next(filter(None, map(ADDRESS.search, self._lines["stderr"])), None)

    def _listens(self):
        return any("listening on " in line for line in self._lines["stderr"])

    def _wait_until_listening(self):
        deadline = time.monotonic() + START_TIMEOUT
        with self._changed:
            while (match := self._address()) is None and not self._listens():
                if self.process.poll() is not None or time.monotonic() > deadline:
                    break
                self._changed.wait(0.2)
        if match is None and self._listens():
            return  # only on Unix-domain sockets
        if match is None:
            reason = "is still silent" if self.process.poll() is None else f"ended with {self.wait()}"
            raise RuntimeError(
                f"{shlex.join(self.command)} {reason}:\n" + "\n".join(self.stderr_lines()))
        self.scheme = "ws" + match["secure"]
        self.port = int(match["port"])
        host = match["host"].strip("[]")
        self.host = "localhost" if host in ANY_ADDRESS else host


@pytest.fixture(scope="session")
def server():
    """One server with the shipped handlers and the default options, for all tests."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def start_server():
    """Starts servers of a test's own: `start_server("--max-message-size", 10, handlers=folder)`.

    They are stopped when the test ends. `handlers` is a directory; None means the shipped ones.
    """
    servers = []

    def start(*options, handlers=None):
        servers.append(Server(*options, handlers=handlers))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
