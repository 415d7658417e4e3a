"""What goes wrong during the soak, each in a thread of its own, again and again."""

import contextlib
import os
import random
import signal
import threading
import time

from soaked import REPOSITORY  # noqa: F401  # makes wire known
from wire import CLOSE, DEADLINE, TEXT, Wire, handshake, is_running

# A route is left out at its third trap within ten seconds. A kill or a save may come between.
TRAP_LIMIT = 6

HANDLER = """import WebSocketHost

/// Version {version}.
public let handler = WebSocketHandler {{ socket in
    for try await message in socket {{ try await socket.send(message) }}
}}
"""


class Faults:
    """Threads that each do one wrong thing at an interval, until `is_over`. `counts` says how often each was done."""

    def __init__(self, server, handlers, counts, faults, scale):
        self.server, self.handlers, self.counts, self.faults = server, handlers, counts, faults
        self.is_over = threading.Event()
        self.spinning = set()
        self._version = 0
        # Seconds between two of a kind, in a soak of 15 minutes.
        kinds = [
            (self.kill, 45), (self.trap, 30), (self.block, 3), (self.spin_and_save, 60), (self.save, 20),
            (self.block_log, 30), (self.read_slowly, 4), (self.vanish, 3), (self.announce_and_leave, 5)]
        self._threads = [
            threading.Thread(target=self._repeat, args=(kind, interval * scale), daemon=True)
            for kind, interval in kinds]

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        self.is_over.set()
        for thread in self._threads:
            thread.join(3 * DEADLINE)
        self.server.unblock_log()

    def _repeat(self, kind, interval):
        while not self.is_over.wait(interval * random.uniform(0.5, 1.5)):
            try:
                kind()
                self.counts[kind.__name__] += 1
            except (OSError, EOFError, AssertionError, ValueError, StopIteration) as error:
                # Its process may have been ended by another fault.
                self.counts[f"{kind.__name__} not done"] += 1
                self.counts[f"{kind.__name__}: {type(error).__name__}"] += 1

    # --- Kinds ----------------------------------------------------------------------------------------

    def kill(self):
        """The process that serves is killed, unless it is one that spins: somebody else has to end that."""
        pid = next(pid for pid in reversed(self.server.children()) if pid not in self.spinning)
        os.kill(pid, signal.SIGKILL)

    def trap(self):
        """A client that knows a message at which a handler traps, and sends it until the route is left out."""
        for _ in range(TRAP_LIMIT):
            with Wire.connect(self.server) as wire:
                wire.send(handshake("/trap"))
                answer = wire.head()
                if answer.status == 503:
                    self.counts["traps refused with 503"] += 1
                    if not int(answer.fields.get("retry-after", "0")) > 0:
                        self.faults.append(f"/trap: 503 without Retry-After: {answer.fields}")
                    return
                assert answer.status == 101, answer
                self.server.processes.add(int(wire.frame().payload))
                wire.send_frame(TEXT, "9")
                while wire.receive():
                    pass

    def block(self):
        """A handler that blocks its thread for a second or two."""
        with Wire.open(self.server, "/block") as wire:
            wire.send_frame(TEXT, str(random.randrange(200, 2_000)))
            assert wire.frame().payload == b"done"

    def spin_and_save(self):
        """A handler that uses its thread for ever; then a save, so that its process is retired and has to be ended."""
        with Wire.open(self.server, "/spin") as wire:
            pid = int(wire.frame().payload)
            wire.send_frame(TEXT, "go")
            self.spinning.add(pid)
            self.save()
            deadline = time.monotonic() + 6 * DEADLINE
            while is_running(pid):
                if time.monotonic() > deadline:
                    self.faults.append(f"process {pid} spins, is retired, and was not ended in {6 * DEADLINE} s")
                    return
                if self.is_over.wait(0.2):
                    return
            self.counts["spinning processes that ended"] += 1

    def save(self):
        """A handler file is saved: a new version."""
        self._version += 1
        new = self.handlers / ".version_wsh.swift.new"
        new.write_text(HANDLER.format(version=self._version))
        os.replace(new, self.handlers / "version_wsh.swift")

    def block_log(self):
        """Nobody reads the log for some seconds, while there is much to log."""
        self.server.block_log()
        try:
            deadline = time.monotonic() + random.uniform(10, 15)
            while time.monotonic() < deadline and not self.is_over.is_set():
                with contextlib.suppress(OSError, AssertionError), Wire.open(self.server, "/version") as wire:
                    wire.send_frame(CLOSE, b"\x03\xe8")
        finally:
            self.server.unblock_log()

    def read_slowly(self):
        """A client that reads less than it is sent, and is cut off or gets all."""
        with Wire.open(self.server, "/flood", receive_buffer=4096) as wire:
            wire.send_frame(TEXT, "40")
            for _ in range(30):
                if self.is_over.wait(0.1) or not wire.socket.recv(2048):
                    return

    def vanish(self):
        """Clients that send to a handler that receives nothing, and leave with and without a word."""
        with Wire.open(self.server, "/deaf") as polite, Wire.open(self.server, "/deaf") as rude:
            for wire in (polite, rude):
                for _ in range(300):
                    wire.send_frame(TEXT, "x")
            rude.reset()

    def announce_and_leave(self):
        """A message that is announced and never comes."""
        with Wire.open(self.server, "/version") as wire:
            wire.send_frame(TEXT, "half of it", claim=1 << 20)
