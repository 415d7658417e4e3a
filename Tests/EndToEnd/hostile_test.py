"""Clients that want the server to work, to remember or to wait: what each costs is limited, and printed.

    pytest -s Tests/EndToEnd/hostile_test.py    prints the figures
"""

import random
import threading
import time
import zlib

import pytest

from wire import (
    BINARY, CLOSE, CONTINUATION, HANDLERS, PING, RSV1, TEXT, Deflate, Frame, Wire, bounded, close_body,
    descriptor_count, frame, handshake, idle_descriptor_count, resident_bytes, wait_until)

MIB = 1 << 20
OFFER = "permessage-deflate"
# Seconds. What these tests look for costs hundreds; the machine does other things too.
CPU_LIMIT = 1
# Bytes: of a message, its copies and the allocator's slack, and not of what it inflates to.
MEMORY_LIMIT = 16 * MIB


@pytest.fixture(params=["shared", "dedicated"])
def start(request, start_server):
    """Starts a server with the test handlers, one thread and each kind of compression."""
    return lambda *options: start_server(
        "--threads", 1, "--compression", request.param, *options, handlers=HANDLERS)


@pytest.fixture
def start_plain(start_server):
    return lambda *options: start_server("--threads", 1, *options, handlers=HANDLERS)


def connect(server, path="/echo"):
    wire = Wire.open(server, path, Sec_WebSocket_Extensions=OFFER)
    assert wire.extensions
    return wire


def echo_meanwhile(server, wire, data):
    """Sends the data from another thread while a second connection is answered; how often it was."""
    def send():
        try:
            wire.send(data)
        except OSError:
            pass  # the server has had enough
    sender = threading.Thread(target=send, daemon=True)
    count = 0
    with Wire.open(server) as other:
        sender.start()
        while sender.is_alive() or count == 0:
            began = time.monotonic()
            other.echo()
            count += 1
            assert time.monotonic() - began < 4, "the others wait"
        sender.join()
        other.echo()
    return count


# Compression


@pytest.fixture(scope="module")
def bomb():
    """1 GiB of zeros in less than 1 MiB, the most that deflate can do."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    payload = b"".join(deflater.compress(bytes(MIB)) for _ in range(1024)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    assert len(payload) < MIB
    return payload.removesuffix(b"\0\0\xff\xff")


def fragments(opcode, payload, size, rsv=RSV1):
    parts = [payload[start:start + size] for start in range(0, len(payload), size)]
    return frame(opcode, b"", rsv=rsv, fin=False) + b"".join(
        frame(CONTINUATION, part, fin=False) for part in parts) + frame(CONTINUATION)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [None, 1_000, 50_000], ids=["one frame", "fragments", "long fragments"])
def test_bomb(start, bomb, opcode, size):
    server = start()
    with connect(server) as wire:
        wire.echo()
        with bounded(server, "1 GiB in 1 MiB", cpu_limit=CPU_LIMIT, memory_limit=MEMORY_LIMIT):
            data = fragments(opcode, bomb, size) if size else frame(opcode, bomb, rsv=RSV1)
            echo_meanwhile(server, wire, data)
            wire.assert_failed(1009)
    server.wait_for_line("over the limit of 1048576")


def test_bombs_at_once(start, bomb):
    """The limit is checked while a message is inflated, not when it is whole: they do not add up."""
    server = start()
    wires = [connect(server) for _ in range(50)]
    with bounded(server, "50 of them", cpu_limit=5, memory_limit=128 * MIB):
        for wire in wires:
            wire.send_frame(BINARY, bomb[:20_000], rsv=RSV1)
        for wire in wires:
            wire.assert_failed(1009)
            wire.socket.close()
    with connect(server) as wire:
        wire.echo()


NOTHING = {
    "empty stored blocks": b"\0\0\0\xff\xff" * 200_000 + b"\0",
    "empty last blocks": b"\x03\0" * 500_000 + b"\0",
    "empty stored last blocks": b"\x01\0\0\xff\xff" * 200_000 + b"\0",
}


@pytest.mark.parametrize("payload", NOTHING.values(), ids=NOTHING)
def test_much_that_inflates_to_nothing(start, payload):
    server = start()
    with connect(server) as wire:
        wire.echo()
        with bounded(server, "1 MB for nothing", cpu_limit=CPU_LIMIT, memory_limit=MEMORY_LIMIT):
            echo_meanwhile(server, wire, frame(BINARY, payload, rsv=RSV1))
            assert wire.frame() == Frame(BINARY, b"", True, 0)


def test_dynamic_codes_for_nothing(start):
    """Blocks that are nearly all code lengths, which cost more to read than what they inflate to."""
    server, noise = start(), random.Random(7692)
    with connect(server) as wire:
        wire.echo()
        with bounded(server, "blocks of few bytes", cpu_limit=CPU_LIMIT, memory_limit=MEMORY_LIMIT):
            deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
            payload, length = b"", 0
            while len(payload) < 500_000:
                piece = bytes(noise.choices(b"abcdefgh", weights=[64, 32, 16, 8, 4, 2, 1, 1], k=300))
                payload += deflater.compress(piece) + deflater.flush(zlib.Z_FULL_FLUSH)
                length += len(piece)
            echo_meanwhile(server, wire, frame(BINARY, payload.removesuffix(b"\0\0\xff\xff"), rsv=RSV1))
            if length <= MIB:
                received = wire.message()
                data = Deflate().decompress(received.payload) if received.rsv else received.payload
                assert len(data) == length
            else:
                wire.assert_failed(1009)


@pytest.mark.parametrize("limit", [1000, 100_000])
def test_limit_of_an_inflated_message(start, limit):
    server = start("--max-message-size", limit)
    for data in b"x" * limit, random.Random(1).randbytes(limit):  # one is longer compressed than not
        payload = Deflate().compress(data)
        with connect(server) as wire:
            wire.send_frame(BINARY, payload, rsv=RSV1)
            received = wire.message()
            assert (Deflate().decompress(received.payload) if received.rsv else received.payload) == data
        for size in 1, 100, limit:
            with connect(server) as wire:
                wire.send(fragments(BINARY, payload, size))
                received = wire.message()
                assert (Deflate().decompress(received.payload) if received.rsv else received.payload) == data
        over = Deflate().compress(data + b"y")
        for sent in frame(BINARY, over, rsv=RSV1), fragments(BINARY, over, 100), fragments(TEXT, over, 1):
            if sent[0] & 15 == TEXT and data[:1] != b"x":
                continue  # no UTF-8
            with connect(server) as wire:
                wire.send(sent)
                wire.assert_failed(1009)


def test_limit_of_a_route(start):
    server = start()
    with connect(server, "/small") as wire:
        wire.send_frame(BINARY, Deflate().compress(b"x" * 100), rsv=RSV1)
        assert wire.message().payload == b"x" * 100
        wire.send_frame(BINARY, Deflate().compress(b"x" * 101), rsv=RSV1)
        wire.assert_failed(1009)


# Fragments


@pytest.mark.parametrize("payload", [b"b", b""], ids=["of one byte", "empty"])
def test_a_million_fragments(start_plain, payload):
    server = start_plain()
    count = 1_000_000
    data = frame(TEXT, "a", fin=False) + frame(CONTINUATION, payload, fin=False) * count + frame(CONTINUATION, "c")
    with Wire.open(server) as wire:
        wire.echo()
        with bounded(server, "a million fragments", cpu_limit=3, memory_limit=MEMORY_LIMIT):
            assert echo_meanwhile(server, wire, data) > 0
            assert wire.text() == "a" + payload.decode() * count + "c"


def test_a_million_fragments_with_pings_between(start_plain):
    """Their answers take room too."""
    server = start_plain()
    count = 500_000
    part = frame(CONTINUATION, b"b", fin=False) + frame(PING)
    with Wire.open(server) as wire:
        wire.echo()
        with bounded(server, "half a million fragments and Pings", cpu_limit=4, memory_limit=MEMORY_LIMIT):
            sender = threading.Thread(
                target=wire.send, args=(frame(TEXT, fin=False) + part * count + frame(CONTINUATION),), daemon=True)
            sender.start()
            pong_bytes = b""
            pong_count = 0
            while pong_count < count:  # a Pong is two bytes, `wire.frame` would take long
                pong_bytes += wire.receive()
                whole = len(pong_bytes) // 2 * 2
                arrived = min(whole // 2, count - pong_count)
                assert pong_bytes[:arrived * 2] == b"\x8a\0" * arrived
                pong_count += arrived
                pong_bytes = pong_bytes[arrived * 2:]
            wire.buffer = pong_bytes + wire.buffer
            sender.join()
            assert wire.text() == "b" * count


def test_a_million_compressed_fragments(start):
    """Each byte of the compressed message comes in a frame of its own, and as many empty ones."""
    server = start()
    payload = Deflate(level=0).compress(b"x" * 500_000)
    data = frame(BINARY, b"", rsv=RSV1, fin=False) + b"".join(
        frame(CONTINUATION, bytes([byte]), fin=False) + frame(CONTINUATION, fin=False) for byte in payload)
    with connect(server) as wire:
        wire.echo()
        with bounded(server, "a million compressed fragments", cpu_limit=4, memory_limit=MEMORY_LIMIT):
            # How often is the scheduler's matter: all is sent in some hundredths of a second.
            assert echo_meanwhile(server, wire, data + frame(CONTINUATION)) >= 1
            received = wire.message()
            assert received.rsv == RSV1
            inflater = zlib.decompressobj(-15)
            assert inflater.decompress(received.payload + b"\0\0\xff\xff") == b"x" * 500_000


def test_a_million_empty_messages(start_plain):
    server = start_plain()
    count = 1_000_000
    with Wire.open(server) as wire:
        wire.echo()
        with bounded(server, "a million empty messages", cpu_limit=5, memory_limit=MEMORY_LIMIT):
            sender = threading.Thread(target=wire.send, args=(frame(BINARY) * count,), daemon=True)
            sender.start()
            received = 0
            while received < 2 * count:
                data = wire.receive()
                assert data and not data.strip(b"\x82\0")
                received += len(data)
            sender.join()
            assert received == 2 * count
        wire.echo()


# Clients that never read


def drained_by_timeout(server, idle_count, wire):
    """The server gives the connection up, although the client does not end it."""
    wait_until(lambda: descriptor_count(server.pid) <= idle_count, what="the connection is still open")
    wire.reset()


def test_a_client_that_never_reads_is_given_up(start_plain):
    """It answers no Ping, for it never sees one."""
    server = start_plain("--ping-interval", "0.3", "--ping-timeout", "0.5", "--close-timeout", "0.5")
    idle_count = idle_descriptor_count(server)
    with bounded(server, "64 MiB that nobody reads", cpu_limit=CPU_LIMIT, memory_limit=8 * MIB):
        wire = Wire.open(server, "/flood", receive_buffer=4_096)
        wire.send_frame(TEXT, "1024 65536")
        drained_by_timeout(server, idle_count, wire)
    assert "code=1006" in server.wait_for_line("close /flood")


@pytest.mark.parametrize("size", [0, 100, 65_536])
def test_a_client_that_only_writes_is_given_up(start_plain, size):
    """The echo waits for it to read, and no byte of it is read meanwhile: silence, as far as one can tell."""
    server = start_plain("--ping-interval", "0.3", "--ping-timeout", "0.5", "--close-timeout", "0.5")
    idle_count = idle_descriptor_count(server)
    with bounded(server, "echoes that nobody reads", cpu_limit=10, memory_limit=8 * MIB):
        wire = Wire.open(server, receive_buffer=4_096)
        data = frame(BINARY, b"x" * size) * (MIB // (size + 6))

        def write():
            try:
                while True:
                    wire.send(data)
            except OSError:
                pass
        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        drained_by_timeout(server, idle_count, wire)
        writer.join()
    assert "code=1006" in server.wait_for_line("close /echo")


def test_a_client_that_does_not_read_the_close(start_plain):
    """Nothing of it is left after --close-timeout."""
    server = start_plain("--ping-interval", "0", "--close-timeout", "0.5")
    idle_count = idle_descriptor_count(server)
    with bounded(server, "a Close that nobody reads", cpu_limit=CPU_LIMIT, memory_limit=8 * MIB):
        wire = Wire.open(server, "/flood", receive_buffer=4_096)
        wire.send(frame(TEXT, "1024 65536") + frame(CLOSE, close_body(1000)))
        drained_by_timeout(server, idle_count, wire)


def test_clients_that_read_no_page(start_plain):
    """Answers to requests are given up too."""
    server = start_plain("--send-timeout", "0.5")
    idle_count = idle_descriptor_count(server)
    with bounded(server, "pages that nobody reads", cpu_limit=2, memory_limit=50 * MIB // 2):
        wires = [Wire.connect(server, receive_buffer=4_096) for _ in range(50)]
        for wire in wires:
            wire.socket.setblocking(False)
            try:
                wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10_000)
            except BlockingIOError:
                pass
        wait_until(lambda: descriptor_count(server.pid) <= idle_count, what="a connection is still open")
        for wire in wires:
            wire.reset()
    with Wire.connect(server) as wire:
        wire.send(handshake())
        assert wire.head().status == 101


def test_memory_of_a_burst_is_given_back(start_plain):
    """To the system, not only to the allocator: a busy minute must not cost memory for ever."""
    server = start_plain()
    wires = [Wire.open(server) for _ in range(40)]
    for wire in wires:
        wire.echo()
    before = resident_bytes(server.pid)
    data = frame(BINARY, bytes(MIB))
    for wire in wires:
        wire.send(data[:MIB // 2])
    # Half a message each is kept until the rest comes.
    wait_until(lambda: resident_bytes(server.pid) > before + 15 * MIB, what="the burst did not arrive")
    for wire in wires:
        wire.send(data[MIB // 2:])
        assert len(wire.message().payload) == MIB
    wait_until(lambda: resident_bytes(server.pid) < before + 5 * MIB, what="the memory was not given back")
    for wire in wires:
        wire.echo()
        wire.socket.close()
