"""Clients that are gone, silent or slow: whom the server drops, and whom it does not."""

import contextlib
import socket
import threading
import time

import pytest

from wire import (
    BINARY, CLOSE, CONTINUATION, DEADLINE, HANDLERS, PING, PONG, TEXT, Wire, close_body, frame, handshake,
    resident_bytes, wait_until)

MIB = 1 << 20


@pytest.fixture
def start(start_server):
    """Starts a server with the test handlers."""
    return lambda *options: start_server(*options, handlers=HANDLERS)


def send_until_it_stops(wire, data, limit=64 * MIB):
    """Sends the same again and again while the socket takes it; how many bytes it took."""
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    wire.socket.settimeout(1)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < limit:
            sent += wire.socket.send(data)
    return sent


def close_count(server, path):
    return sum(f"close {path} " in line for line in server.stderr_lines())


# Messages that are not complete


def test_the_rest_of_a_message_waits_for_a_handler_that_does_not_receive(start):
    """Not only whole messages are held back."""
    server = start("--max-message-size", 64 * MIB)
    before = resident_bytes(server.pid)
    with Wire.open(server, "/deaf") as wire:
        wire.send(frame(BINARY, claim=64 * MIB))
        assert 0 < send_until_it_stops(wire, bytes(MIB), 63 * MIB) < 16 * MIB
        assert resident_bytes(server.pid) - before < 4 * MIB


def begin(wire, size):
    """A message without its last fragment; returns when the server has it."""
    wire.send(frame(BINARY, bytes(size), fin=False) + frame(PING))
    assert wire.frame().opcode == PONG


def complete(wire, size):
    wire.send(frame(CONTINUATION, b"."))
    assert wire.message().payload == bytes(size) + b"."


def test_the_limit_of_all_messages_that_are_not_complete(start):
    """The one that began first makes room for the others."""
    server = start("--max-unfinished-size", 2_500_000)
    size = 1_000_000
    with Wire.open(server) as first, Wire.open(server) as second, Wire.open(server) as third:
        begin(first, size)
        begin(second, size)
        begin(third, size)
        assert first.close_frame()[0] == 1013
        first.assert_end()
        complete(second, size)
        complete(third, size)
    assert "2500000 bytes" in server.wait_for_line("failed /echo", DEADLINE)


# Clients that are gone, or silent, while the handler does not receive


def fill(wire, amount):
    """More than is read ahead: a little, or so much that the client's own end waits behind it."""
    if amount == "little":
        wire.send(frame(TEXT, "x") * 300)
    else:
        send_until_it_stops(wire, frame(BINARY, bytes(65_000)))


@pytest.mark.parametrize("amount", ["little", "much"])
def test_clients_that_are_gone_free_their_places(start, amount):
    count = 8
    server = start(
        "--max-connections", count, "--close-timeout", 0.5, "--ping-interval", 0.5, "--ping-timeout", 60)
    for _ in range(count):
        wire = Wire.open(server, "/deaf")
        fill(wire, amount)
        wire.socket.close()

    def is_admitted():
        with Wire.connect(server) as wire:
            wire.send(handshake())
            return wire.head().status == 101
    wait_until(is_admitted, what="the places of clients that are gone are not free")
    wait_until(lambda: close_count(server, "/deaf") == count)


def test_messages_before_the_end_are_still_taken(start):
    """Of a client that has sent all it had, by a handler that takes its time."""
    server = start()
    with Wire.open(server, "/sleep") as wire:
        wire.send_frame(TEXT, "0.5")
        assert wire.text() == "sleeping"
        wire.send(frame(TEXT, "0") * 299 + frame(CLOSE, close_body(4000)))
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.text() == "slept"
        for _ in range(299):
            assert [wire.text(), wire.text()] == ["sleeping", "slept"]
        assert wire.close_frame() == (4000, "")


def answer_pings(wire):
    with contextlib.suppress(OSError, AssertionError):
        while True:
            wire.send_frame(PONG, wire.frame().payload)


def test_a_silent_client_with_a_full_inbox_is_dropped(start):
    """One that answers is not, although its Pongs are not read."""
    server = start("--ping-interval", 0.2, "--ping-timeout", 1)
    with Wire.open(server, "/deaf") as silent, Wire.open(server, "/deaf") as alive:
        fill(silent, "little")
        fill(alive, "little")
        threading.Thread(target=answer_pings, args=[alive], daemon=True).start()
        assert silent.frame().opcode == PING
        silent.assert_end()
        server.wait_for_line("ping time-out /deaf", DEADLINE)
        # As long again, and one more like the first.
        with Wire.open(server, "/deaf") as another:
            fill(another, "little")
            assert another.frame().opcode == PING
            another.assert_end()
        wait_until(lambda: close_count(server, "/deaf") == 2)


# Clients that read slowly


def read_slowly(wire, size, pause=0.04):
    """16 KiB at a time."""
    received = 0
    while received < size:
        data = wire.socket.recv(min(16_384, size - received))
        assert data, f"dropped after {received} bytes"
        received += len(data)
        time.sleep(pause)


def test_a_client_that_reads_slowly_is_not_dropped(start):
    """Its Pong comes behind the message, after many times the time-out."""
    server = start("--ping-interval", 0.2, "--ping-timeout", 1)
    size = 2 * MIB
    with Wire.open(server, "/flood", receive_buffer=16_384) as wire:
        wire.send_frame(TEXT, f"1 {size}")
        began = time.monotonic()
        read_slowly(wire, size + 10)
        assert time.monotonic() - began > 3 * (0.2 + 1)
        ping = wire.frame()
        assert ping.opcode == PING
        wire.send_frame(PONG, ping.payload)
        wire.send_frame(CLOSE, close_body(4000))
        assert wire.close_frame() == (4000, "")


def test_a_client_that_stops_reading_is_dropped(start):
    server = start("--ping-interval", 0.2, "--ping-timeout", 1)
    with Wire.open(server, "/flood", receive_buffer=16_384) as wire:
        wire.send_frame(TEXT, f"1 {8 * MIB}")
        read_slowly(wire, MIB // 2)
        server.wait_for_line("ping time-out /flood", DEADLINE)
        assert "code=1006" in server.wait_for_line("close /flood", DEADLINE)
