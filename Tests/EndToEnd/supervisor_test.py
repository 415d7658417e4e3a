"""The process that looks after the server: what traps, hangs, is replaced or killed costs only itself."""

import os
import signal
import subprocess
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from authoring import CRASH, PROCESS, Callers, ask, echo, save
from wire import DEADLINE, REPEAT_WINDOW, REPOSITORY, TEXT, Wire, frame, freeze, handshake, is_running, wait_until

SLOW_START = 60


@pytest.fixture(scope="module")
def handlers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handlers")
    save(folder, "echo_wsh.swift", echo(1))
    save(folder, "crash_wsh.swift", CRASH)
    save(folder, "process_wsh.swift", PROCESS)
    save(folder, "spin_wsh.swift", """import WebSocketHost

public let handler = WebSocketHandler { socket in
    for try await _ in socket { while true {} }
}
""")
    save(folder, "deep_wsh.swift", """import WebSocketHost

func depths(_ depth: Int) -> [Int] { depth < 0 ? [] : depths(depth + 1) + [depth] }

public let handler = WebSocketHandler { socket in
    for try await _ in socket { try await socket.send("\\(depths(1))") }
}
""")
    return folder


def open_socket(server, path="/process"):
    socket = connect(server.url(path), open_timeout=DEADLINE, close_timeout=1, compression=None)
    socket.send("who?")
    return socket, int(socket.recv(DEADLINE))


def closed_with(socket, timeout=DEADLINE):
    with pytest.raises(ConnectionClosed) as error:
        socket.recv(timeout)
    return error.value.rcvd and error.value.rcvd.code


def crash(server):
    with connect(server.url("/crash"), open_timeout=DEADLINE, compression=None) as socket:
        socket.send("1")
        assert socket.recv(DEADLINE) == "2"
        socket.send("9")
        assert closed_with(socket) is None


def test_crash(start_server, handlers):
    """Whoever connects meanwhile waits a moment; the log says where it was, and how it came to that."""
    server = start_server(handlers=handlers)
    before = int(ask(server, "/process"))
    with Callers(server) as callers:
        wait_until(lambda: callers.count > 20)
        # What was being talked about when it died is lost with it, so nobody new may be there then.
        done, failures = callers.count, len(callers.failures)
        crash(server)
        wait_until(lambda: callers.count > done + 50)
    refused = [text for text in callers.failures if "Refused" in text or "timed out" in text]
    assert not refused and failures == 0, callers.failures
    assert int(ask(server, "/process")) not in (before, server.process.pid)
    line = server.wait_for_line("trapped", 60)
    assert "crash_wsh.swift:7:" in line and "(/crash) trapped: index out of range" in line and str(handlers) in line
    assert "serving again" in server.wait_for_line("serving again")
    frames = [line for line in server.stderr_lines() if "crash_wsh.swift:7" in line]
    assert len(frames) == 2 and "closure #1" in frames[1], server.stderr_lines()


def test_recursion_without_end(start_server, handlers):
    """No stack is left, and still it is reported whose it was."""
    server = start_server(handlers=handlers)
    with Wire.open(server, "/deep") as wire:
        wire.send_frame(TEXT, "x")
        line = server.wait_for_line("trapped", 60)
    assert "deep_wsh.swift:3:" in line and "(/deep) trapped: stack overflow, or invalid" in line, line
    assert int(ask(server, "/process"))


def test_crash_of_a_handler_below_the_working_directory(start_server):
    """The compiler likes to shorten such paths; the log still has the file and the line."""
    folder = REPOSITORY / ".build" / "handlers of a test"
    save(folder, "crash_wsh.swift", CRASH)
    server = start_server(handlers=folder)
    crash(server)
    assert f"{folder}/crash_wsh.swift:7:" in server.wait_for_line("trapped", 60)


def test_nobody_reads_the_log(handlers):
    """Such as a `tee` that has ended: no reason for the supervisor to end, which logs the crash."""
    command = [str(REPOSITORY / "standalone.sh"), "-p", "0", "-w", str(handlers)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        port = next(int(line.split("//localhost:")[1].split("/")[0]) for line in process.stderr if "//localhost:" in line)
        url = f"ws://localhost:{port}"
        with connect(url + "/process", compression=None) as socket:
            socket.send("who?")
            freeze(int(socket.recv(DEADLINE)))  # it would end the test's patience, not the server
            process.stderr.close()
            os.kill(process.pid, signal.SIGHUP)  # has to be told

        def is_served():
            with connect(url + "/process", compression=None, open_timeout=1, close_timeout=1) as socket:
                socket.send("who?")
                return socket.recv(1)

        wait_until(lambda: quietly(is_served))
        assert process.poll() is None
    finally:
        subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=False)
        process.kill()
        process.wait()


def quietly(call):
    try:
        return call()
    except (OSError, TimeoutError, ConnectionClosed):
        return None


def test_server_process_that_is_ended_drains_slowly(start_server, handlers):
    """Who connects meanwhile does not wait for a client that never answers the Close."""
    server = start_server("--log-level", "info", handlers=handlers)
    with Wire.open(server, "/echo") as slow:
        pid = server.pid
        os.kill(pid, signal.SIGTERM)
        assert slow.close_frame() == (1001, "")
        # Well within --drain-timeout, 10 s, which the slow one has.
        wait_until(lambda: int(ask(server, "/process")) != pid, timeout=8)
    assert "another one takes its place" in server.wait_for_line("received SIGTERM")


def refusal(server, path="/crash"):
    """The response to a handshake, `None` where it is accepted."""
    with Wire.connect(server) as wire:
        wire.send(handshake(path))
        answer = wire.head()
        if answer.status == 101:
            return None
        answer.body = wire.read(int(answer.fields["content-length"]))
        return answer


def trap(server):
    """Returns once another process serves, not as late as the end of the one that trapped."""
    start = len(server.stderr_lines())
    with Wire.open(server, "/crash") as wire:
        wire.send_frame(TEXT, "9")
        server.wait_for_line("serving again", DEADLINE, start=start)


def refusal_of_the_next(server):
    """By the process that comes after one that trapped, which may still accept and answers nothing."""
    answers = []

    def is_answered():
        try:
            answers.append(refusal(server))
        except (AssertionError, OSError):
            pass
        return bool(answers)
    wait_until(is_answered)
    return answers[0]


def test_crashes_again_and_again(start_server, handlers):
    """The handler is left out, for longer each time it traps again; all else is served."""
    server = start_server(handlers=handlers)
    for _ in range(3):
        trap(server)
    for pause in (1, 2, 4):
        line = server.wait_for_line(f"tried again in {pause} s")
        assert f"left out: {handlers}/crash_wsh.swift traps again and again" in line
        head = refusal_of_the_next(server)
        if head is not None:  # on a slow machine the first pause may be over
            assert head.status == 503 and 1 <= int(head.fields["retry-after"]) <= pause
        assert ask(server, "/process") and ask(server) == "1 x"
        server.wait_for_line("crash_wsh.swift is served again", DEADLINE)
        wait_until(lambda: refusal(server) is None)
        trap(server)
    head = refusal_of_the_next(server)
    assert head.status == 503 and "left out for" in head.text
    # A new version, or a wish for a new process, gives it another chance.
    server.signal(signal.SIGHUP)
    server.wait_for_line("live after", SLOW_START)
    assert refusal(server) is None
    assert server.stop() == 0


def test_server_process_that_is_killed_again_and_again(start_server, handlers):
    """Nothing to leave out: the pauses grow, but there is no end of it."""
    server = start_server(handlers=handlers)
    for _ in range(6):
        pid = int(ask(server, "/process"))
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid))
    assert int(ask(server, "/process")) != pid
    assert server.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_server_process_is_ended_by_hand(start_server, handlers, number):
    """Another one takes its place: whoever wants all to end tells the supervisor."""
    server = start_server(handlers=handlers)
    socket, pid = open_socket(server)
    os.kill(pid, number)
    assert closed_with(socket) == (None if number == signal.SIGKILL else 1001)
    wait_until(lambda: int(ask(server, "/process")) != pid)
    assert server.process.poll() is None


def test_supervisor_is_killed(start_server, handlers):
    """Its server notices, closes its connections and ends."""
    server = start_server(handlers=handlers)
    socket, pid = open_socket(server)
    server.process.kill()
    assert closed_with(socket) == 1001
    wait_until(lambda: not is_running(pid), what="the server outlives its supervisor")
    assert "the supervisor is gone: closing 1 connections" in server.wait_for_line("the supervisor is gone")
    with pytest.raises(OSError):
        ask(server, "/process")


def test_hang_up(start_server, handlers):
    """SIGHUP: a new process for new connections; the others go on until they end."""
    server = start_server(handlers=handlers)
    socket, before = open_socket(server)
    with Callers(server) as callers:
        server.signal(signal.SIGHUP)
        server.wait_for_line("live after", SLOW_START)
        after = int(ask(server, "/process"))
        wait_until(lambda: callers.count > 50)
    assert not callers.failures
    assert after != before
    line = server.wait_for_line("live after")
    assert " on the old version" in line
    socket.send("still there?")
    assert int(socket.recv(DEADLINE)) == before
    assert is_running(before)
    socket.close()
    wait_until(lambda: not is_running(before), what="the old process stays without a connection")


def test_old_connections_may_be_closed(start_server, handlers):
    server = start_server("--drain-timeout", 1, handlers=handlers)
    socket, before = open_socket(server)
    server.signal(signal.SIGHUP)
    server.wait_for_line("live after", SLOW_START)
    assert closed_with(socket) == 1012
    wait_until(lambda: not is_running(before))
    assert ask(server, "/process")


def test_old_version_that_spins(start_server, handlers):
    """It keeps its connections, but no processor for ever: after --drain-timeout (10 s) it is named, and ends."""
    server = start_server("--threads", 2, handlers=handlers)
    with Wire.open(server, "/spin") as spinning:
        spinning.send_frame(TEXT, "x")
        server.wait_for_line("the handler of /spin has been blocking", DEADLINE)
        socket, before = open_socket(server)
        server.signal(signal.SIGHUP)
        server.wait_for_line("live after", SLOW_START)
        assert closed_with(socket, 60) == 1012
    line = server.wait_for_line("in a version that was replaced", DEADLINE)
    assert "the handler of /spin has been blocking its thread for longer than --drain-timeout" in line
    wait_until(lambda: not is_running(before), timeout=60)
    assert int(ask(server, "/process")) != before


def test_number_of_old_generations(start_server, handlers):
    server = start_server("--max-old-generations", 2, handlers=handlers)
    sockets = []
    for count in range(4):
        sockets.append(open_socket(server)[0])
        start = len(server.stderr_lines())
        server.signal(signal.SIGHUP)
        server.wait_for_line("live after", SLOW_START, start=start)
    assert [closed_with(socket) for socket in sockets[:2]] == [1012, 1012]
    for socket in sockets[2:]:
        socket.send("still there?")
        assert socket.recv(DEADLINE)
    assert "--max-old-generations" in server.wait_for_line("oldest")
    assert server.stop() == 0
    assert [closed_with(socket) for socket in sockets[2:]] == [1001, 1001]


def test_second_signal(start_server, handlers):
    """It reaches every generation: neither of these clients answers the Close."""
    server = start_server(handlers=handlers)
    with Wire.open(server, "/echo") as old:
        before = server.pid
        server.signal(signal.SIGHUP)
        server.wait_for_line("live after", SLOW_START)
        with Wire.open(server, "/echo") as new:
            server.signal(signal.SIGTERM)
            assert [old.close_frame(), new.close_frame()] == [(1001, ""), (1001, "")]
            time.sleep(REPEAT_WINDOW)
            server.signal(signal.SIGTERM)
            assert server.wait(4) == 1  # the answers would be waited for 5 s
    assert not is_running(before)


def test_log_file_is_opened_anew_by_all(start_server, handlers, tmp_path):
    path = tmp_path / "server.log"
    server = start_server("--log-file", path, handlers=handlers)
    wait_until(path.exists)
    path.rename(tmp_path / "old.log")
    server.signal(signal.SIGUSR1)
    wait_until(lambda: path.exists() and path.read_text().count("the log was reopened") == 2)
    ask(server, "/process")
    wait_until(lambda: "/process" in path.read_text())


@pytest.mark.parametrize("options", [(), ("--no-supervisor",)])
def test_no_line_is_lost_in_a_trap(start_server, handlers, tmp_path, options):
    """The handler traps in the turn in which the connection opens: its line was not written yet."""
    path = tmp_path / "log"
    server = start_server("--log-file", path, *options, handlers=handlers)
    with Wire.connect(server) as wire:
        wire.send(handshake("/crash") + frame(1, b"9"))
        while wire.receive():
            pass
    wait_until(lambda: "open /crash" in path.read_text())


def test_handler_that_traps_when_it_is_made(start_server, tmp_path):
    save(tmp_path, "echo_wsh.swift", echo(1))
    save(tmp_path, "bad_wsh.swift", """import WebSocketHost

let table = [1, 2, 3]
let index = Int("7") ?? 0

public let handler = WebSocketHandler { [first = table[index]] socket in try await socket.send("\\(first)") }
""")
    server = start_server(handlers=tmp_path)
    assert ask(server) == "1 x"
    line = server.wait_for_line("trapped", 60)
    assert "bad_wsh.swift:6:" in line and "while the handler was created" in line
    assert "bad_wsh.swift: its code trapped" in server.wait_for_line("left out: ")
    assert "answers 503" in server.wait_for_line("left out: /bad")


def test_handler_that_is_never_made(start_server, tmp_path):
    save(tmp_path, "echo_wsh.swift", echo(1))
    save(tmp_path, "hang_wsh.swift", """import Glibc
import WebSocketHost

private func answer() -> String {
    while true { sleep(1) }
}

public let handler = WebSocketHandler { [text = answer()] socket in try await socket.send(text) }
""")
    server = start_server("--start-timeout", 1, handlers=tmp_path)
    assert ask(server) == "1 x"
    line = server.wait_for_line("left out: ")
    assert "hang_wsh.swift: its handler was not created within 1 s (--start-timeout)" in line


def test_without_supervisor(start_server, handlers):
    server = start_server("--no-supervisor", handlers=handlers)
    assert int(ask(server, "/process")) == server.process.pid
    crash(server)
    assert server.wait() < 0


def test_watching_needs_the_supervisor(start_server, handlers):
    with pytest.raises(RuntimeError, match="--watch needs the supervisor"):
        start_server("--watch", "--no-supervisor", handlers=handlers)
