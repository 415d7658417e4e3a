"""Signals that end a server: one wish is one wish, however often it is told, and a terminal may close."""

import fcntl
import os
import signal
import subprocess
import termios
import threading
import time

import pytest

from authoring import PROCESS, ask, echo, save
from conftest import ADDRESS, START_TIMEOUT, STOP_TIMEOUT
from wire import CLOSE, DEADLINE, REPOSITORY, Wire, close_body, freeze, is_running, wait_until


@pytest.fixture(scope="module")
def handlers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handlers")
    save(folder, "echo_wsh.swift", echo(1))
    save(folder, "process_wsh.swift", PROCESS)
    return folder


@pytest.mark.parametrize("options", [(), ("--no-supervisor",)], ids=["supervised", "alone"])
def test_one_wish_told_twice(start_server, handlers, options):
    """By a shell and its child, by `timeout`: nobody is dropped for it, and the exit code is 0."""
    server = start_server(*options, handlers=handlers)
    with Wire.open(server) as wire:
        freeze(server.process.pid)  # so that it finds both at once
        server.signal(signal.SIGINT)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        assert wire.close_frame() == (1001, "")
        wire.send_frame(CLOSE, close_body(1001))
        wire.assert_end()
    assert server.wait() == 0
    assert not [line for line in server.stderr_lines() if "dropped" in line]


def test_whole_group_is_told(start_server, handlers):
    """Supervisor and server process get SIGTERM at once, as from `timeout` or a service manager."""
    server = start_server(handlers=handlers)
    with Wire.open(server) as wire:
        for process in (server.process.pid, server.pid):
            os.kill(process, signal.SIGTERM)
        assert wire.close_frame() == (1001, "")
        wire.send_frame(CLOSE, close_body(1001))
        wire.assert_end()
    assert server.wait() == 0


def test_process_that_does_not_answer(start_server, handlers):
    """It is named, so that whoever waits knows for what; a second signal does not wait for it."""
    server = start_server(handlers=handlers)
    pid = server.pid
    freeze(pid)
    server.signal(signal.SIGTERM)
    line = server.wait_for_line("does not answer", DEADLINE)
    assert f"the server process {pid} " in line and "killed in 14 s, at a second signal at once" in line
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait() == 1
    assert time.monotonic() - began < 10  # not the 15 s after which it is killed in any case
    assert not is_running(pid)


def take_terminal():
    """In the new process: its standard input is its terminal, whose end it notices, however the tests were started."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class OnTerminal:
    """The server with a terminal of its own, which can be closed."""

    def __init__(self, *command):
        self._terminal, terminal = os.openpty()
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=terminal, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            start_new_session=True, preexec_fn=take_terminal)
        os.close(terminal)
        self._lines, self._changed = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        self.port = int(ADDRESS.search(self.wait_for_line("ws://", START_TIMEOUT))["port"])

    def url(self, path):
        return f"ws://localhost:{self.port}{path}"

    def close_terminal(self):
        os.close(self._terminal)

    def wait_for_line(self, text, timeout=DEADLINE):
        def find():
            return next((line for line in self._lines if text in line), None)
        with self._changed:
            self._changed.wait_for(lambda: find() is not None, timeout)
            assert find() is not None, self._lines
            return find()

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT)


def test_terminal_closes(handlers):
    server = OnTerminal(str(REPOSITORY / "standalone.sh"), "-p", "0", "-w", str(handlers))
    try:
        assert ask(server) == "1 x"
        server.close_terminal()
        assert server.process.wait(STOP_TIMEOUT) == 0
    finally:
        server.end()


def test_nohup(handlers):
    """SIGHUP that is ignored at the start: the server outlives its terminal, and still takes SIGHUP later."""
    server = OnTerminal("nohup", str(REPOSITORY / "standalone.sh"), "-p", "0", "-w", str(handlers))
    try:
        before = int(ask(server, "/process"))
        server.close_terminal()
        server.wait_for_line("the terminal is closed")
        assert int(ask(server, "/process")) == before
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: int(ask(server, "/process")) != before)
    finally:
        assert server.end() == 0
    wait_until(lambda: not is_running(before))
