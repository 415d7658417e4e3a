"""Handlers that block their thread: what everybody else notices of it, and `offload`."""

import signal
import time

import pytest

from wire import DEADLINE, HANDLERS, REPEAT_WINDOW, TEXT, Wire, request, wait_until

# Longer than any test waits for anything, so that whatever is answered was answered meanwhile.
BLOCKED_MILLISECONDS = 4 * DEADLINE * 1_000


@pytest.fixture
def start(start_server):
    """Starts a server with the test handlers, which stops soon although some of them block."""
    return lambda *options: start_server("--drain-timeout", "1", *options, handlers=HANDLERS)


def blocked(server):
    """A connection whose handler blocks its thread."""
    wire = Wire.open(server, "/block")
    wire.send_frame(TEXT, str(BLOCKED_MILLISECONDS))
    return wire


def page(server):
    return request(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


@pytest.mark.parametrize("threads", [1, 2])
def test_new_clients_do_not_wait(start, threads):
    """Neither those of another route nor the page, however many threads there are."""
    server = start("--threads", threads)
    with blocked(server):
        for _ in range(10):  # both dealt to the loop that blocks just now, and later
            with Wire.open(server) as wire:
                wire.echo()
            assert page(server).status == 200
        server.wait_for_line("/block has been blocking its thread", timeout=DEADLINE)
        with Wire.open(server) as wire:
            wire.echo()
        assert page(server).status == 200


def test_every_loop_blocked(start):
    """Each handler that blocks takes a loop; new clients get another one, up to the limit."""
    server = start("--threads", "2", "--spare-threads", "2", "--log-level", "debug")
    wires = []
    for _ in range(3):
        wires.append(blocked(server))
        with Wire.open(server) as wire:
            wire.echo()
        assert page(server).status == 200
    wires.append(blocked(server))
    with Wire.connect(server) as waiting:
        server.wait_for_line("new connections wait", timeout=DEADLINE)
        assert waiting is not None
    for wire in wires:
        wire.socket.close()


def test_the_connection_limit_holds_while_all_is_blocked(start):
    server = start("--threads", "1", "--max-connections", "2")
    with blocked(server), Wire.open(server) as wire:
        wire.echo()
        assert page(server).status == 503
        wire.echo()


def test_who_waits_is_logged(start):
    server = start("--threads", "1")
    wires = [Wire.open(server) for _ in range(3)] + [Wire.open(server, "/sleep"), Wire.connect(server)]
    # The last one is accepted once another one has come behind it.
    with Wire.open(server, "/close"):
        pass
    with blocked(server):
        line = server.wait_for_line("/block has been blocking its thread", timeout=DEADLINE)
        assert " warning " in line
        assert "3 of /echo" in line and "1 of /sleep" in line and "1 without a WebSocket" in line
        assert "offload" in line
    for wire in wires:
        wire.socket.close()


def test_a_stop_does_not_wait_for_a_handler(start):
    """The connections of other loops get their Close at once; the one that blocks is given up."""
    server = start("--threads", "2")
    with blocked(server), Wire.open(server) as other:
        other.echo()
        server.wait_for_line("/block has been blocking its thread", timeout=DEADLINE)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert other.close_frame()[0] == 1001
        assert server.wait() == 0
        assert time.monotonic() - began < BLOCKED_MILLISECONDS / 1_000 / 2
    server.wait_for_line("/block blocks its thread still: 1 connections dropped")


@pytest.mark.parametrize("options", [[], ["--no-supervisor"]])
def test_a_second_signal_forces_a_blocked_server(start_server, options):
    server = start_server(
        "--threads", "1", "--drain-timeout", "600", *options, handlers=HANDLERS)
    with blocked(server):
        server.signal(signal.SIGTERM)
        server.wait_for_line("a second signal drops them", timeout=DEADLINE)
        time.sleep(REPEAT_WINDOW)
        server.signal(signal.SIGTERM)
        assert server.wait() == 1


def test_signals_reach_a_blocked_server(start, tmp_path):
    """SIGUSR1 reopens the log."""
    path = tmp_path / "server.log"
    server = start("--threads", "1", "-l", path)
    with blocked(server):
        wait_until(lambda: "/block has been blocking" in path.read_text())
        path.rename(tmp_path / "moved.log")
        server.signal(signal.SIGUSR1)
        wait_until(path.exists)


# offload


def test_offloaded_calls_run_side_by_side(start):
    """More of them than there are loops and processors, and nobody waits."""
    server = start("--threads", "1")
    wires = [Wire.open(server, "/offload") for _ in range(8)]
    for wire in wires[1:]:
        wire.send_frame(TEXT, str(len(wires)))
        assert wire.text() == "calling"
    with Wire.open(server) as other:
        other.echo()
    wires[0].send_frame(TEXT, str(len(wires)))
    assert wires[0].text() == "calling"
    for wire in wires:
        assert wire.text() == "done"
        wire.socket.close()
    assert not any("blocking its thread" in line for line in server.stderr_lines())


def test_limits_of_offload(start):
    server = start("--threads", "1", "--offload-threads", "2", "--offload-queue", "1", "--ping-interval", "600")
    wires = [Wire.open(server, "/offload") for _ in range(4)]
    for wire in wires:
        wire.send_frame(TEXT, "4")
        assert wire.text() == "calling"
    assert "1 call of offload waits for a thread already (--offload-queue)" in wires[3].text()
    with Wire.open(server) as other:
        other.echo()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0  # not even threads that block for ever keep it
    for wire in wires:
        wire.socket.close()
