"""Messages far longer than the memory that the server may take for them."""

import asyncio
import os
import random
import ssl
import zlib

import pytest
import websockets

from conftest import Server
from wire import (
    BINARY, CLOSE, CONTINUATION, HANDLERS, PING, PONG, RSV1, TEXT, Frame, Wire, bounded, close_body, frame)

GIB = 1 << 30
FRAME_LENGTH = 65_536
FILE_FRAME_LENGTH = 262_144
# Of the server's memory, with what its allocator keeps; a message of a GiB would be a hundred times that.
MEMORY_LIMIT = 12 << 20
CPU_LIMIT = 60


@pytest.fixture(scope="module")
def host():
    server = Server(handlers=HANDLERS)
    yield server
    server.stop()


@pytest.fixture
def long_file(tmp_path):
    """A GiB of zeros that takes no room."""
    path = tmp_path / "long.bin"
    path.touch()
    os.truncate(path, GIB)
    return path


def read_payload(wire, length):
    """So many bytes of a payload, which are not kept."""
    length -= len(wire.read(min(length, len(wire.buffer))))
    memory = bytearray(1 << 20)
    while length:
        count = wire.socket.recv_into(memory, min(length, len(memory)))
        assert count, "the connection ended inside a frame"
        length -= count


def test_a_file_of_a_gib_takes_no_memory(host, long_file):
    with Wire.open(host, f"/long?file={long_file}") as wire:
        with bounded(host, "a file of 1 GiB", cpu_limit=CPU_LIMIT, memory_limit=MEMORY_LIMIT):
            opcode, left = BINARY, GIB
            while left:
                first, second, *length = wire.read(10)
                assert (first & 15, second) == (opcode, 127)
                length = int.from_bytes(length)
                assert length == FILE_FRAME_LENGTH
                read_payload(wire, length)
                opcode, left = CONTINUATION, left - length
                assert bool(first & 0x80) == (left == 0)
        assert wire.close_frame() == (1000, "")


def test_a_message_of_a_gib_is_received_in_pieces(host):
    with Wire.open(host, "/long") as wire:
        payload = bytes(FRAME_LENGTH)
        part = frame(CONTINUATION, payload, fin=False) * 16
        with bounded(host, "a message of 1 GiB", cpu_limit=CPU_LIMIT, memory_limit=MEMORY_LIMIT):
            wire.send_frame(BINARY, b"", fin=False)
            for number in range(GIB // FRAME_LENGTH // 16):
                wire.send(part)
                if number % 256 == 0:
                    wire.send_frame(PING, b"%d" % number)
                    assert wire.frame() == Frame(PONG, b"%d" % number, True, 0)
            wire.send_frame(CONTINUATION, b"")
            assert wire.text() == f"binary {GIB}"
        wire.send_frame(CLOSE, close_body(1000))
        assert wire.close_frame() == (1000, "")


def test_a_compressed_message_of_a_gib_is_received_in_pieces(host):
    with Wire.open(host, "/long", Sec_WebSocket_Extensions="permessage-deflate") as wire:
        assert wire.extensions
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        # Refers to nothing before it, and ends on a byte: so it can be repeated.
        block = deflater.compress(b"0123456789abcdef" * 65_536) + deflater.flush(zlib.Z_FULL_FLUSH)
        with bounded(host, "a compressed message of 1 GiB", cpu_limit=CPU_LIMIT, memory_limit=MEMORY_LIMIT):
            wire.send_frame(TEXT, b"", fin=False, rsv=RSV1)
            for _ in range(1024):
                wire.send(frame(CONTINUATION, block, fin=False))
            wire.send_frame(CONTINUATION, b"\0")
            assert wire.text() == f"text {GIB}"
        wire.send_frame(CLOSE, close_body(1000))
        assert wire.close_frame() == (1000, "")


def test_text_that_is_wrong_fails_before_the_message_ends(host):
    with Wire.open(host, "/long") as wire:
        wire.send_frame(TEXT, b"good", fin=False)
        wire.send_frame(CONTINUATION, b"\xff", fin=False)
        wire.assert_failed(1007)


def test_a_library_sends_and_gets_pieces(host):
    pieces = [bytes([number]) * 100_000 for number in range(50)]

    async def talk():
        async with websockets.connect(host.url("/long?echo"), max_size=None) as client:
            received, _ = await asyncio.gather(client.recv(), client.send(pieces))
            assert received == b"".join(pieces)
            received, _ = await asyncio.gather(client.recv(), client.send(["Grü", "ße" * 100_000]))
            assert received == "Grü" + "ße" * 100_000

    asyncio.run(talk())


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_file_goes_through_tls(start_server, tmp_path, compression):
    content = random.Random(6455).randbytes(3_000_000)
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    host = start_server("--tls-self-signed", handlers=HANDLERS)
    unchecked = ssl._create_unverified_context()

    async def talk():
        url = host.url(f"/long?file={path}")
        async with websockets.connect(url, ssl=unchecked, max_size=None, compression=compression) as client:
            assert await client.recv() == content

    asyncio.run(talk())
