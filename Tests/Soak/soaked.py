"""The server of the soak: its processes, and a log that is read only while nobody blocks it."""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))

from wire import is_running, resident_bytes  # noqa: E402

# A cold release build on a small machine that does other things too.
START_TIMEOUT = 900
ADDRESS = re.compile(r"ws://[^\s/]*:(\d+)/")


class Server:
    """`standalone.sh --watch` with the handlers of a folder. Its log is one pipe."""

    def __init__(self, handlers, ledger, *options):
        self.ledger = ledger
        self.lines = []
        self.processes = set()
        self._may_read = threading.Event()
        self._may_read.set()
        self._changed = threading.Condition()
        command = shlex.split(os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh")))
        self._output, writer = os.pipe()
        self.process = subprocess.Popen(
            [*command, "-p", "0", "-H", "127.0.0.1", "-w", str(handlers), *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, env={**os.environ, "SOAK_LEDGER": str(ledger)})
        os.close(writer)
        threading.Thread(target=self._read, daemon=True).start()
        self.port = int(ADDRESS.search(self.wait_for(ADDRESS.search, START_TIMEOUT))[1])

    def url(self, path):
        return f"ws://127.0.0.1:{self.port}{path}"

    def block_log(self):
        """From now on nobody reads what the server writes; the pipe is full after 64 KiB."""
        self._may_read.clear()

    def unblock_log(self):
        self._may_read.set()

    def wait_for(self, condition, timeout, start=0):
        """The first line of the log, from index `start` on, for which `condition` holds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                line = next(filter(condition, self.lines[start:]), None)
                if line is not None:
                    return line
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("not in the log:\n" + "\n".join(self.lines[-40:]))
                self._changed.wait(0.2)

    def count(self, text):
        with self._changed:
            return sum(text in line for line in self.lines)

    def children(self):
        """The processes that serve, or have served and are still there, the newest last."""
        own = self.process.pid
        try:
            program = os.readlink(f"/proc/{own}/exe")
            children = [int(pid) for pid in pathlib.Path(f"/proc/{own}/task/{own}/children").read_text().split()]
        except OSError:
            return []
        found = []
        for child in children:
            try:
                if os.readlink(f"/proc/{child}/exe") == program and is_running(child):
                    found.append(child)
            except OSError:
                continue
        self.processes.update(found)
        return found

    def resident_bytes(self):
        total = 0
        for pid in [self.process.pid, *self.children()]:
            try:
                total += resident_bytes(pid)
            except OSError:
                continue
        return total

    def stop(self, timeout):
        """The exit code and the seconds that it took; it is killed, and the code -9, if that is too long."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        return code, time.monotonic() - began

    def _read(self):
        """Lines as they come, but nothing while the log is blocked."""
        rest = b""
        while True:
            self._may_read.wait()
            data = os.read(self._output, 4096)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            with self._changed:
                self.lines += [line.decode(errors="replace") for line in lines]
                self._changed.notify_all()
