"""Every limit and wait met, starting and stopping, and what is said about it."""

import asyncio
import os
import re
import resource
import signal
import socket
import threading
import time

import pytest
import websockets

from wire import (
    BINARY, CLOSE, DEADLINE, HANDLERS, PING, PONG, REPEAT_WINDOW, TEXT, Wire, close_body, cpu_seconds, descriptor_count,
    frame, handshake, idle_descriptor_count, occupied_port, request, resident_bytes, run_program, wait_until)

MIB = 1 << 20


@pytest.fixture
def start(start_server):
    """Starts a server with the test handlers."""
    return lambda *options: start_server(*options, handlers=HANDLERS)


# Heads


def test_head_over_the_limit(start):
    server = start("--max-head-size", "1K")
    padding = "x" * (1024 - len(handshake(extra=["X: "])))
    assert request(server, handshake(extra=["X: " + padding]), has_body=False).status == 101
    answer = request(server, handshake(extra=["X: " + padding + "x"]))
    assert answer.status == 431 and "1024" in answer.text
    assert request(server, handshake("/" + "x" * 1024)).status == 414
    with Wire.connect(server) as wire:  # also while it is incomplete
        wire.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 2_000)
        assert wire.answer().status == 431
        wire.assert_end()


def test_too_many_fields(server):
    def many(count):
        return handshake(extra=[f"X-{number}: 1" for number in range(count - 5)])
    assert request(server, many(128), has_body=False).status == 101
    answer = request(server, many(129))
    assert answer.status == 431 and "128" in answer.text


@pytest.mark.parametrize("data", [b"", b"GET /echo HTTP/1.1\r\nHost: a\r\n"], ids=["silent", "half a head"])
def test_slow_head(start, data):
    server = start("--handshake-timeout", "0.3")
    with Wire.connect(server) as wire:
        began = time.monotonic()
        wire.send(data)
        wire.assert_end()
        assert time.monotonic() - began > 0.25
    if data:
        server.wait_for_line("--handshake-timeout")


def test_dribbled_head(start):
    """A byte now and then does not buy time."""
    server = start("--handshake-timeout", "0.3")
    with Wire.connect(server) as wire:
        def dribble():
            try:
                for byte in handshake(extra=["X: " + "x" * 10_000]):
                    wire.send(bytes([byte]))
                    if ended.wait(0.01):
                        return
            except OSError:
                pass
        ended = threading.Event()
        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        wire.assert_end()
        ended.set()
        thread.join()


def test_idle_keep_alive_connection(start):
    server = start("--handshake-timeout", "0.3")
    with Wire.connect(server) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert wire.answer().status == 200
        wire.assert_end()


def test_handshake_timeout_does_not_end_open_connections(start):
    server = start("--handshake-timeout", "0.2")
    with Wire.open(server, "/sleep") as wire, Wire.connect(server) as silent:
        wire.send_frame(TEXT, "0.5")
        silent.assert_end()
        assert [wire.text(), wire.text()] == ["sleeping", "slept"]


# Messages


def test_message_limit(start):
    server = start("--max-message-size", "1000")
    with Wire.open(server) as wire:
        wire.send_frame(BINARY, b"x" * 1000)
        assert len(wire.frame().payload) == 1000
        wire.send(frame(TEXT, "x" * 600, fin=False) + frame(0, "x" * 400))
        assert wire.text() == "x" * 1000
        wire.send(frame(TEXT, "x" * 600, fin=False) + frame(0, claim=401))
        wire.assert_failed(1009)
    server.wait_for_line("over the limit of 1000")
    with Wire.open(server) as wire:
        wire.send_frame(BINARY, claim=1001)
        wire.assert_failed(1009)


def test_an_announced_length_costs_no_memory(start):
    server = start("--max-message-size", "1G")
    before = resident_bytes(server.pid)
    wires = [Wire.open(server) for _ in range(50)]
    for wire in wires:
        wire.send_frame(BINARY, b"x", claim=1 << 30)
        wire.send(b"")
    with Wire.open(server) as other:
        other.echo()
    assert resident_bytes(server.pid) - before < 50 * 256 * 1024
    for wire in wires:
        wire.reset()


# Waits


def test_keep_alive_ping(start):
    server = start("--ping-interval", "0.1", "--ping-timeout", "30")
    with Wire.open(server) as wire:
        began = time.monotonic()
        for _ in range(5):
            ping = wire.frame()
            assert ping.opcode == PING
            wire.send_frame(PONG, ping.payload)
        wire.echo()
        assert 0.4 < time.monotonic() - began < 10  # the answer to a Ping ends the wait for it


def test_no_keep_alive_ping(start):
    server = start("--ping-interval", "0")
    with Wire.open(server, "/sleep") as wire:
        wire.send_frame(TEXT, "0.5")
        assert [wire.text(), wire.text()] == ["sleeping", "slept"]


def test_ping_timeout(start):
    server = start("--ping-interval", "0.1", "--ping-timeout", "0.3")
    with Wire.open(server) as wire:
        assert wire.frame().opcode == PING
        wire.assert_end()
    server.wait_for_line("ping time-out /echo")
    assert "code=1006" in server.wait_for_line("close /echo")


def test_any_byte_answers_the_ping(start):
    server = start("--ping-interval", "0.1", "--ping-timeout", "0.5")
    with Wire.open(server) as wire:
        for _ in range(10):
            assert wire.frame().opcode == PING
            wire.send_frame(PONG, "not the payload")


@pytest.mark.parametrize("path, message", [("/close", "4000"), ("/leave", None), ("/throw", "x")])
def test_close_timeout(start, path, message):
    server = start("--close-timeout", "0.3")
    before = idle_descriptor_count(server)
    with Wire.open(server, path) as wire:
        began = time.monotonic()
        if message:
            wire.send_frame(TEXT, message)
        wire.close_frame()
        wire.assert_end()
        assert 0.25 < time.monotonic() - began < 5
        # Our end of TCP stays open: the server does not wait for it either.
        wait_until(lambda: descriptor_count(server.pid) <= before)


def test_close_timeout_of_a_client_that_never_ends_tcp(start):
    server = start("--close-timeout", "0.3")
    before = idle_descriptor_count(server)
    with Wire.open(server) as wire:
        wire.send_frame(CLOSE, close_body(1000))
        assert wire.close_frame() == (1000, "")
        wire.assert_end()
        wait_until(lambda: descriptor_count(server.pid) <= before)


def test_task_of_a_lost_connection_is_cancelled(start):
    server = start("--close-timeout", "0.2", "--log-level", "debug")
    with Wire.open(server, "/sleep") as wire:
        wire.send_frame(TEXT, "600")
        assert wire.text() == "sleeping"
        wire.reset()
    server.wait_for_line("the handler of /sleep went on")


# Back-pressure


def test_slow_reader(start):
    """64 MiB for a client that does not read: the server waits, and serves the others."""
    server = start("--ping-interval", "0")
    with Wire.open(server) as wire:
        wire.echo()
    before = resident_bytes(server.pid)
    with Wire.open(server, "/flood", receive_buffer=65_536) as slow, Wire.open(server) as other:
        slow.send_frame(TEXT, "1024 65536")
        most = 0
        for _ in range(200):
            other.echo("x" * 100_000)
            most = max(most, resident_bytes(server.pid) - before)
        assert most < 8 * MIB
        received = 0
        while received < 1024 * (65_536 + 10):
            data = slow.receive()
            assert data
            received += len(data)
        assert received == 1024 * (65_536 + 10)
        most = max(most, resident_bytes(server.pid) - before)
        assert most < 8 * MIB


@pytest.mark.parametrize("size", [0, 10, 1000, 65_536])
def test_handler_that_does_not_receive(start, size):
    """What it does not take stays with the client."""
    server = start("--ping-interval", "0.1", "--ping-timeout", "0.1", "--close-timeout", "0.5")
    before = resident_bytes(server.pid)
    with Wire.open(server, "/deaf") as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        data = frame(BINARY, b"x" * size) * (MIB // (size + 6))
        wire.socket.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 * MIB:
                sent += wire.socket.send(data)
        assert 0 < sent < 16 * MIB
        assert resident_bytes(server.pid) - before < 4 * MIB
        # Ten Pings of another one later, this one has not been blamed for not answering.
        with Wire.open(server) as other:
            for _ in range(10):
                other.send_frame(PONG, other.frame().payload)
        assert not any("ping time-out /deaf" in line for line in server.stderr_lines())


def test_pings_of_a_client_that_does_not_read(start):
    """Answers to Pings wait for the client too."""
    server = start("--ping-interval", "0")
    before = resident_bytes(server.pid)
    with Wire.open(server, receive_buffer=4_096) as wire:
        data = frame(PING, b"p" * 125) * 8_000
        wire.socket.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 * MIB:
                sent += wire.socket.send(data)
        assert resident_bytes(server.pid) - before < 4 * MIB
    with Wire.open(server) as wire:
        wire.echo()


def test_pipelining_client_that_does_not_read(start):
    server = start()
    before = resident_bytes(server.pid)
    with Wire.connect(server, receive_buffer=4_096) as wire:
        data = b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" * 30_000
        wire.socket.settimeout(1)
        sent = 0
        with pytest.raises((TimeoutError, ConnectionError)):
            while sent < 64 * MIB:
                sent += wire.socket.send(data)
        assert resident_bytes(server.pid) - before < 4 * MIB
    with Wire.open(server) as wire:
        wire.echo()


def test_send_queue_limit(start):
    server = start("--max-queue-size", "256K")
    with Wire.open(server, "/crowd", receive_buffer=4_096) as wire:
        wire.send_frame(TEXT, "200 65536")
        # A client that read from the start could keep up, and nothing would have to wait.
        server.wait_for_line("refused", stream="stdout", timeout=30)
        whole = 0
        while (received := wire.frame()).opcode == BINARY:
            assert len(received.payload) == 65_536
            whole += 1
        refused = int(received.payload.split()[0])
        assert refused > 0 and whole + refused == 200


def test_handlers_that_block_their_thread_are_named(start):
    server = start("--threads", "1")
    with Wire.open(server, "/block") as wire:
        wire.send_frame(TEXT, "1600")
        line = server.wait_for_line("/block has been blocking its thread")
        assert " warning " in line
        assert wire.text() == "done"
        server.wait_for_line("/block blocked its thread")


# Connections


def test_connection_limit(start):
    server = start("--max-connections", "3")
    wires = [Wire.open(server) for _ in range(3)]
    for _ in range(3):
        answer = request(server, handshake())
        assert answer.status == 503 and "--max-connections" in answer.text
    for wire in wires:
        wire.echo()
    wires.pop().socket.close()

    def is_let_in():
        with Wire.connect(server) as wire:
            wire.send(handshake())
            return wire.head().status == 101
    wait_until(is_let_in)
    for wire in wires:
        wire.echo()
        wire.socket.close()


def test_descriptor_limit_is_told(start):
    """The limit of the process counts too."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > 9_000_000:
        pytest.skip("this machine allows more descriptors than the option")
    start("--max-connections", "10000000").wait_for_line("ulimit -n")


def test_descriptors_run_out(start):
    """Those open go on, those who wait are let in when there is room again."""
    server = start("--handshake-timeout", "60")
    with Wire.open(server) as wire:
        wire.echo()
        room = descriptor_count(server.pid) + 5
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (room, hard))
        wires = [Wire.connect(server) for _ in range(20)]
        for other in wires:
            other.send(handshake())
        server.wait_for_line("cannot accept connections for now")
        used = sum(cpu_seconds(server.pid))
        for _ in range(100):
            wire.echo()
        assert sum(cpu_seconds(server.pid)) - used < 0.5  # it does not spin on what it cannot accept
        for other in wires:  # each that leaves makes room
            assert other.head().status == 101
            other.echo()
            other.socket.close()
    assert sum("no new connections" in line for line in server.stderr_lines()) <= 20


def test_idle_server_uses_no_time(start):
    server = start()
    wires = [Wire.open(server) for _ in range(20)]
    for wire in wires:
        wire.echo()
    used = sum(cpu_seconds(server.pid))
    with Wire.open(server, "/sleep") as wire:
        wire.send_frame(TEXT, "1")
        assert [wire.text(), wire.text()] == ["sleeping", "slept"]
    assert sum(cpu_seconds(server.pid)) - used < 0.1


def test_busy_client_leaves_time_for_others(start):
    server = start("--threads", "1")
    stopped = threading.Event()

    def flood():
        with Wire.open(server) as busy:
            data = frame(BINARY, b"x" * 100) * 10_000
            reader = threading.Thread(target=drain, args=(busy,), daemon=True)
            reader.start()
            while not stopped.is_set():
                busy.send(data)
            busy.socket.shutdown(socket.SHUT_RDWR)
            reader.join()

    def drain(busy):
        while busy.receive():
            pass
    flooder = threading.Thread(target=flood, daemon=True)
    flooder.start()
    try:
        with Wire.open(server) as wire:
            began = time.monotonic()
            for _ in range(50):
                wire.echo()
            assert time.monotonic() - began < 60  # starved, it would take as long as the flood lasts
    finally:
        stopped.set()
        flooder.join()


def test_message_of_very_many_fragments(start):
    server = start()
    count = 200_000
    with Wire.open(server) as wire:
        wire.send(frame(TEXT, "a", fin=False) + frame(0, "b", fin=False) * count + frame(0, b"", fin=False) * count
                  + frame(0, "c"))
        assert wire.text() == "a" + "b" * count + "c"


# Stopping


def drained(server, number):
    """Two clients, one of them talking; both get 1001, and the server ends by itself."""
    with Wire.open(server) as first, Wire.open(server) as second, Wire.connect(server) as idle:
        first.echo()
        server.signal(number)
        assert first.close_frame()[0] == 1001
        assert second.close_frame()[0] == 1001
        idle.assert_end()
        with pytest.raises(ConnectionRefusedError):
            Wire.connect(server)
        for wire in first, second:
            wire.send_frame(CLOSE, close_body(1001))
            wire.assert_end()
    return server.wait()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_drain(start, name):
    server = start()
    assert drained(server, getattr(signal, name)) == 0
    assert "closing 3 connections" in server.wait_for_line(name)


def test_drain_with_two_threads(start):
    assert drained(start("--threads", "2"), signal.SIGTERM) == 0


def test_drain_spreads_the_closes(start):
    server = start("--drain-timeout", "2")
    wires = [Wire.open(server) for _ in range(300)]
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    first = None
    for wire in wires:
        assert wire.close_frame()[0] == 1001
        first = first or time.monotonic() - began
        wire.send_frame(CLOSE, close_body(1001))
        wire.assert_end()
        wire.socket.close()
    assert time.monotonic() - began > first
    assert server.wait() == 0


def test_drain_timeout(start):
    server = start("--drain-timeout", "0.4", "--close-timeout", "10")
    with Wire.open(server, "/sleep") as busy, Wire.open(server) as mute:
        busy.send_frame(TEXT, "600")
        assert busy.text() == "sleeping"
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert mute.close_frame()[0] == 1001
        assert server.wait() == 0
        assert 0.3 < time.monotonic() - began < 5
    server.wait_for_line("connections dropped after --drain-timeout")


def test_a_handshake_under_way_when_draining(start):
    server = start()
    with Wire.connect(server) as wire:
        wire.send(handshake("/handshake?do=sleep&seconds=0.5"))
        with Wire.open(server) as other:
            other.echo()
            server.signal(signal.SIGTERM)
            assert other.close_frame()[0] == 1001
            other.send_frame(CLOSE, close_body(1001))
        assert wire.head().status in (101, 503)
        assert wire.close_frame()[0] == 1001
        wire.send_frame(CLOSE, close_body(1001))
        assert server.wait() == 0


def test_second_signal_forces(start):
    server = start("--drain-timeout", "60", "--close-timeout", "60")
    with Wire.open(server) as mute:
        server.signal(signal.SIGTERM)
        assert mute.close_frame()[0] == 1001
        began = time.monotonic()
        time.sleep(REPEAT_WINDOW)
        server.signal(signal.SIGTERM)
        assert server.wait() == 1
        assert time.monotonic() - began < 30  # not the 60 s of the options
    server.wait_for_line("all connections are dropped")


def test_stop_without_connections(start):
    server = start()
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert time.monotonic() - began < 9  # not the 10 s of --drain-timeout


# Starting


def last_lines(text):
    """What the program said, without the progress of standalone.sh."""
    return [line for line in text.splitlines() if not line.startswith("standalone.sh: ")]


def test_port_in_use():
    with occupied_port() as port:
        code, _, errors = run_program("-p", port, "-w", HANDLERS)
    assert code == 3
    line, = last_lines(errors)
    assert str(port) in line and "in use" in line and "-p 0" in line


def test_unknown_host():
    code, _, errors = run_program("-p", 0, "-H", "no-such-host.invalid", "-w", HANDLERS)
    assert code == 3
    line, = last_lines(errors)
    assert "no-such-host.invalid" in line and "-H" in line


def test_missing_handlers_directory(tmp_path):
    code, _, errors = run_program("-p", 0, "-w", tmp_path / "none")
    assert code == 1
    line, = errors.splitlines()
    assert "none" in line and "does not exist" in line


@pytest.mark.parametrize("options, text", [
    (["--prot", "1"], "did you mean --port?"), (["-p"], "needs a value"), (["-p", "70000"], "65535"),
    (["--max-message-size", "lots"], "bytes"), (["--log-level", "loud"], "loud"), (["-x"], "-x"),
    (["--ping-interval", "-1"], "seconds"), (["--list-routes=1"], "takes no value"), (["stray"], "stray"),
])
def test_wrong_arguments(options, text):
    code, output, errors = run_program("-w", HANDLERS, *options)
    assert code == 2 and output == ""
    assert text in last_lines(errors)[0]


def test_list_routes():
    code, output, _ = run_program("-w", HANDLERS, "--list-routes")
    assert code == 0
    routes = [line.split("\t") for line in output.splitlines()]
    assert ["/echo", "echo_wsh.swift"] in routes
    assert ["/sub dir/dotted.name", "sub dir/dotted.name_wsh.swift"] in routes
    assert len(routes) == len(list(HANDLERS.rglob("*_wsh.swift")))


def test_help_and_version():
    code, output, _ = run_program("-w", HANDLERS, "--help")
    assert code == 0
    for option in "--port --threads --max-message-size --ping-interval --origin --list-routes".split():
        assert option in output
    code, output, _ = run_program("-w", HANDLERS, "--version")
    assert code == 0 and re.fullmatch(r"WebSocketHost \d+\.\d+\.\d+\n", output)


def test_any_port_is_printed(start):
    first, second = start(), start()
    assert first.port != second.port
    for server in first, second:
        with Wire.open(server) as wire:
            wire.echo()
        lines = "\n".join(server.stderr_lines())
        assert f"ws://localhost:{server.port}/sub%20dir/dotted.name" in lines
        assert "listening on" in lines


def test_both_loopback_addresses(start):
    server = start()
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE):
        pass
    if os.path.exists("/proc/net/if_inet6"):
        with socket.create_connection(("::1", server.port), DEADLINE):
            pass


def test_address_of_choice(start):
    server = start("-H", "127.0.0.2")
    with pytest.raises(ConnectionRefusedError):
        Wire.connect(server)
    with socket.create_connection(("127.0.0.2", server.port), DEADLINE):
        pass


def test_map_file(start, tmp_path):
    aliases = tmp_path / "map"
    aliases.write_text(
        "# paths\n\n/other /echo\n/third\t/other\n/nowhere /none\nnonsense\n/bad \x1b[31m x\n")
    server = start("-m", aliases)
    for path in "/other", "/third", "/echo":
        with Wire.open(server, path) as wire:
            wire.echo()
    assert request(server, handshake("/nowhere")).status == 404
    assert f"{aliases}:5" in server.wait_for_line("/none")
    server.wait_for_line(f"{aliases}:6")
    server.wait_for_line(f"{aliases}:7")
    assert not any("\x1b" in line for line in server.stderr_lines())


def test_missing_map_file(tmp_path):
    code, _, errors = run_program("-p", 0, "-w", HANDLERS, "-m", tmp_path / "none")
    assert code == 1
    line, = last_lines(errors)
    assert "none" in line


# Origins


@pytest.mark.parametrize("option, origin, status", [
    ("any", "http://elsewhere.test", 101),
    ("same", "http://localhost", 101), ("same", "HTTPS://LOCALHOST", 101), ("same", None, 101),
    ("same", "http://localhost:81", 403), ("same", "null", 403), ("same", "http://localhost.evil", 403),
    ("http://a.test,https://b.test:8443", "http://a.test", 101),
    ("http://a.test,https://b.test:8443", "https://b.test:8443", 101),
    ("http://a.test,https://b.test:8443", "https://a.test", 403),
    ("http://a.test,https://b.test:8443", "https://b.test", 403),
    ("http://a.test,https://b.test:8443", None, 101),
])
def test_origin(start, option, origin, status):
    server = start("--origin", option)
    data = handshake(**({"Origin": origin} if origin else {}))
    assert request(server, data, has_body=status != 101).status == status
    if status == 403:
        line = server.wait_for_line("--origin")
        assert origin in line and "/echo" in line


def test_origin_of_a_route(start):
    server = start()
    assert request(server, handshake("/samesite", Origin="http://a.test")).status == 403
    assert request(server, handshake("/samesite", Origin="http://localhost"), has_body=False).status == 101
    assert request(server, handshake("/echo", Origin="http://a.test"), has_body=False).status == 101


# The log


@pytest.mark.parametrize("level, is_said", [("fine", True), ("info", True), ("warning", False)])
def test_log_level(start, level, is_said):
    server = start("--log-level", level)
    with Wire.open(server) as wire:
        wire.echo()
        wire.send_frame(CLOSE, close_body(1000))
        wire.close_frame()
    assert server.stop() == 0
    assert any("open /echo" in line for line in server.stderr_lines()) == is_said
    assert any("received text 10 bytes" in line for line in server.stderr_lines()) == (level == "fine")


def test_log_file(start, tmp_path):
    server = start("-l", tmp_path / "log")
    with Wire.open(server) as wire:
        wire.echo()
    assert server.stop() == 0
    assert "open /echo" in (tmp_path / "log").read_text()
    assert not any("open /echo" in line for line in server.stderr_lines())


# A real client


def test_keep_alive_with_python_websockets(start):
    server = start("--ping-interval", "0.05", "--ping-timeout", "1")

    async def talk():
        async with websockets.connect(server.url("/sleep"), ping_interval=0.05) as client:
            await client.send("0.6")
            assert [await client.recv(), await client.recv()] == ["sleeping", "slept"]
    asyncio.run(asyncio.wait_for(talk(), 30))
