"""Feeds of handlers: one at a time over all processes, through saves and traps."""

import os
import threading
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from authoring import BUILD_TIMEOUT, CRASH, ask, echo, save
from wire import DEADLINE, wait_until

pytestmark = pytest.mark.skipif(
    "standalone.sh" not in os.environ.get("WEBSOCKETHOST_COMMAND", "standalone.sh"),
    reason="only standalone.sh builds")

# Process, number, and milliseconds on a clock that all processes share.
FEED = """import Glibc
import WebSocketHost

let version = "{version}"

func milliseconds() -> Int {{
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}}

public let handler = WebSocketHandler(
    feed: {{ serving in
        var number = 0
        while true {{
            number += 1
            serving.publish("\\(getpid()) \\(number) \\(milliseconds())", to: "feed")
            {pause}
        }}
    }},
    transferData: {{ socket in
        try await socket.subscribe(to: "feed")
        while try await socket.receive() != nil {{}}
    }})
"""

TRAPPING_FEED = """import WebSocketHost

public let handler = WebSocketHandler(
    feed: { serving in
        let numbers = [1, 2, 3]
        print(numbers[serving.route.count])
    },
    transferData: { socket in while try await socket.receive() != nil {} })
"""

PAUSE = "try await serving.sleep(for: .milliseconds(20))"
# One that does not care for its cancellation.
STUBBORN_PAUSE = "await Task.detached { try? await Task.sleep(for: .milliseconds(20)) }.value"
SAVES = 20
# Ten milliseconds, and much more where twenty builds run beside it.
GAP_LIMIT_MS = 5_000


def feed(version, pause=PAUSE):
    return FEED.format(version=version, pause=pause)


class Listener:
    """A subscriber: keeps what it hears until its connection ends."""

    def __init__(self, server):
        self.heard = []
        self.socket = connect(server.url("/feed"), open_timeout=DEADLINE, compression=None)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        try:
            while True:
                self.heard.append(tuple(map(int, self.socket.recv().split())))
        except ConnectionClosed:
            pass

    @property
    def process(self):
        return self.heard[-1][0] if self.heard else None

    def close(self):
        self.socket.close()
        self._thread.join(DEADLINE)

    def check(self):
        """One feed after the other, each without a hole, and never silent for long."""
        blocks = []
        for before, (process, number, moment) in zip([None, *self.heard], self.heard):
            if before is None or process != before[0]:
                assert process not in blocks, f"{process} has the feed again: {blocks}"
                blocks.append(process)
                assert before is None or number == 1, f"of {process} the first {number - 1} are missing"
            else:
                assert number == before[1] + 1, f"{before[1]}, then {number}"
            assert before is None or 0 <= moment - before[2] < GAP_LIMIT_MS, f"{moment - before[2]} ms of silence"
        return blocks


def test_saves(start_server, tmp_path):
    """In mid-stream, again and again, with subscribers in all generations."""
    save(tmp_path, "feed_wsh.swift", feed(0))
    server = start_server("--watch", handlers=tmp_path)
    listeners, processes = [], []
    try:
        for version in range(1, SAVES + 1):
            listeners.append(Listener(server))
            wait_until(lambda: listeners[-1].process)
            processes.append(listeners[-1].process)
            start = len(server.stderr_lines())
            save(tmp_path, "feed_wsh.swift", feed(version))
            server.wait_for_line("live after", BUILD_TIMEOUT, start=start)
            wait_until(lambda: listeners[-1].process != processes[-1])
    finally:
        for listener in listeners:
            listener.close()
    assert len(set(processes)) == SAVES
    blocks = [listener.check() for listener in listeners]
    # The oldest processes close their connections (--max-old-generations); till then all hear all.
    for index, heard in enumerate(blocks):
        assert heard == (processes + heard[-1:])[index:index + len(heard)], (index, heard, processes)
        assert len(heard) > 1
    assert not [line for line in server.stderr_lines() if "not waited for" in line]


def test_a_feed_that_goes_on(start_server, tmp_path):
    """Nobody hears it any more, and the next one begins all the same."""
    save(tmp_path, "feed_wsh.swift", feed(0, STUBBORN_PAUSE))
    server = start_server("--watch", handlers=tmp_path)
    listener = Listener(server)
    wait_until(lambda: listener.process)
    before = listener.process
    start = len(server.stderr_lines())
    save(tmp_path, "feed_wsh.swift", feed(1))
    server.wait_for_line("the feed of /feed (feed_wsh.swift) goes on", BUILD_TIMEOUT, start=start)
    wait_until(lambda: listener.process != before)
    heard = len(listener.heard)
    wait_until(lambda: len(listener.heard) > heard + 20)
    listener.close()
    processes = [process for process, _, _ in listener.heard]
    assert processes == sorted(processes, key=lambda process: process != before)


def test_a_trap(start_server, tmp_path):
    """Of another handler: the next process has the feed."""
    save(tmp_path, "feed_wsh.swift", feed(0))
    save(tmp_path, "crash_wsh.swift", CRASH)
    server = start_server(handlers=tmp_path)
    listener = Listener(server)
    wait_until(lambda: listener.process)
    with connect(server.url("/crash"), open_timeout=DEADLINE, compression=None) as socket:
        socket.send("9")
        with pytest.raises(ConnectionClosed):
            socket.recv(DEADLINE)
    listener.close()
    listener.check()
    other = Listener(server)
    wait_until(lambda: other.process)
    assert other.process != listener.process
    other.close()
    other.check()


def status(server, path):
    request = urllib.request.Request(server.http_url(path), headers={
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_feed_that_traps_again_and_again(start_server, tmp_path):
    """Its file is left out, so the others are served; the correction is live at once."""
    save(tmp_path, "bad_wsh.swift", TRAPPING_FEED)
    save(tmp_path, "feed_wsh.swift", feed(0))
    save(tmp_path, "echo_wsh.swift", echo("v0"))
    server = start_server("--watch", handlers=tmp_path)
    assert "bad_wsh.swift traps again and again" in server.wait_for_line("left out", 2 * DEADLINE)
    line = server.wait_for_line("trapped: index out of range", 2 * DEADLINE)
    assert "bad_wsh.swift:6:" in line and "(/bad)" in line, line

    # Each pause is twice as long as the one before, so there is soon one that is long enough.
    def goes_on():
        listener = Listener(server)
        try:
            wait_until(lambda: len(listener.heard) > 20)
            return ask(server) == "v0 x" and status(server, "/bad") == 503
        finally:
            listener.close()

    wait_until(lambda: quietly(goes_on), BUILD_TIMEOUT)
    start = len(server.stderr_lines())
    save(tmp_path, "bad_wsh.swift", echo("mended"))
    server.wait_for_line("live after", BUILD_TIMEOUT, start=start)
    assert ask(server, "/bad") == "mended x"


def quietly(call):
    """Its result; `None` if it meets a process that ends."""
    try:
        return call()
    except (ConnectionClosed, OSError, AssertionError):
        return None
