"""Handlers that are written while their server runs, and clients that count what goes wrong meanwhile."""

import os
import pathlib
import threading
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from wire import DEADLINE, wait_until

# A build of one changed handler on a machine that does other things too.
BUILD_TIMEOUT = 120

ECHO = """import WebSocketHost

public let handler = WebSocketHandler {{ socket in
    for try await message in socket {{
        if case .text(let text) = message {{ try await socket.send("{version} \\(text)") }}
    }}
}}
"""

CRASH = """import WebSocketHost

public let handler = WebSocketHandler { socket in
    for try await message in socket {
        let numbers = [1, 2, 3]
        guard case .text(let text) = message, let index = Int(text) else { continue }
        try await socket.send("\\(numbers[index])")
    }
}
"""

PROCESS = """import Glibc
import WebSocketHost

public let handler = WebSocketHandler { socket in
    while try await socket.receive() != nil { try await socket.send("\\(getpid())") }
}
"""


def echo(version):
    return ECHO.format(version=version)


def save(folder, name, text):
    """As an editor does: beside the file, then in its place."""
    path = pathlib.Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    os.replace(new, path)


def ask(server, path="/echo", text="x"):
    """The answer of a new connection."""
    with connect(server.url(path), open_timeout=DEADLINE, close_timeout=1, compression=None) as socket:
        socket.send(text)
        return socket.recv(DEADLINE)


def wait_for_answer(server, answer, path="/echo", timeout=BUILD_TIMEOUT):
    """Until new connections get this answer."""
    seen = []

    def is_there():
        seen[:] = [ask(server, path)]
        return seen[0] == answer

    wait_until(is_there, timeout, lambda: f"not {answer!r} but {seen}")


class Callers:
    """Connects all the time, from several threads, and keeps what fails."""

    def __init__(self, server, path="/echo", per_second=200, threads=4):
        self.server, self.path = server, path
        self.failures, self.count = [], 0
        self._pause = threads / per_second
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join(2 * DEADLINE)

    def _call(self):
        while not self._is_over.is_set():
            began = time.monotonic()
            try:
                ask(self.server, self.path)
                self.count += 1
            except Exception as error:  # whatever it is, it counts
                self.failures.append(repr(error))
            self._is_over.wait(max(0, self._pause - (time.monotonic() - began)))


class Talkers:
    """Connections that stay, and ask and answer without end; every question has to be answered."""

    def __init__(self, server, count, path="/echo"):
        self.sockets = [connect(server.url(path), open_timeout=DEADLINE, compression=None) for _ in range(count)]
        self.failures, self.count = [], 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self):
        number = 0
        while not self._is_over.is_set():
            number += 1
            for socket in self.sockets:
                try:
                    socket.send(str(number))
                    if not socket.recv(DEADLINE).endswith(f" {number}"):
                        self.failures.append("another answer")
                    self.count += 1
                except (ConnectionClosed, OSError, TimeoutError) as error:
                    self.failures.append(repr(error))
                    return

    def stop(self):
        self._is_over.set()
        self._thread.join(2 * DEADLINE)
        for socket in self.sockets:
            socket.close()
