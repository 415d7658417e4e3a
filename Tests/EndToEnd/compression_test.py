"""permessage-deflate, RFC 7692, as it looks on the wire."""

import asyncio
import random
import zlib

import pytest
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from conftest import Server
from wire import (
    BINARY, CLOSE, CONTINUATION, HANDLERS, PING, PONG, RSV1, TEXT, Deflate, Frame, Wire, close_body, frame,
    handshake, request, run_program)

MODES = ["off", "shared", "dedicated"]
OFFER = "permessage-deflate"
# More than a message must have to be compressed, and repetitive.
LONG_TEXT = "".join(f'{{"id": {number}, "name": "été"}}, ' for number in range(100))


@pytest.fixture(scope="module")
def hosts():
    """A server for each mode, with the test handlers."""
    servers = {mode: Server("--compression", mode, handlers=HANDLERS) for mode in MODES}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture(params=["shared", "dedicated"])
def host(request, hosts):
    """Each server that compresses."""
    return hosts[request.param]


def connect(server, offer=OFFER, path="/echo"):
    """A connection on which compression was agreed on."""
    wire = Wire.open(server, path, Sec_WebSocket_Extensions=offer)
    assert wire.extensions, "the offer was declined"
    return wire


def random_bytes(count, seed=7692):
    return random.Random(seed).randbytes(count)


# Negotiation, §5 and §7.1


def parameters(answer):
    """An answer's parameters; None if nothing was agreed on. Each may come once, and there is one element."""
    if answer is None:
        return None
    name, *rest = answer.split(";")
    assert name.strip() == OFFER and "," not in answer
    pairs = [(key.strip(), value.strip()) for key, _, value in (each.partition("=") for each in rest)]
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def answer_to(server, *offers):
    """The parameters of the 101 answer to each value as a field of its own."""
    extra = [f"Sec-WebSocket-Extensions: {offer}" for offer in offers]
    answer = request(server, handshake(extra=extra), has_body=False)
    assert answer.status == 101
    return parameters(answer.fields.get("sec-websocket-extensions"))


SHARED = {"server_no_context_takeover": "", "client_no_context_takeover": ""}

# The fields' values, what shared contexts answer to them, and what dedicated ones do.
ACCEPTED = {
    "plain": ([OFFER], SHARED, {}),
    "the client's window may be limited": ([f"{OFFER}; client_max_window_bits"], SHARED, {}),
    "the client's window is limited": (
        [f"{OFFER}; client_max_window_bits=10"], SHARED, {"client_max_window_bits": "10"}),
    "the server's window is limited": (
        [f"{OFFER}; server_max_window_bits=10"],
        {**SHARED, "server_max_window_bits": "10"}, {"server_max_window_bits": "10"}),
    "no context of the server": (
        [f"{OFFER}; server_no_context_takeover"], SHARED, {"server_no_context_takeover": ""}),
    "everything": (
        [f"{OFFER}; client_max_window_bits; server_max_window_bits=9; server_no_context_takeover"],
        {**SHARED, "server_max_window_bits": "9"},
        {"server_max_window_bits": "9", "server_no_context_takeover": ""}),
    "quoted": (
        [f'{OFFER}; server_max_window_bits="1\\2"'],
        {**SHARED, "server_max_window_bits": "12"}, {"server_max_window_bits": "12"}),
    "blanks": (
        [f"  ,, {OFFER} ;server_max_window_bits = 12\t,"],
        {**SHARED, "server_max_window_bits": "12"}, {"server_max_window_bits": "12"}),
    "the first of two": (
        [f"{OFFER}; server_max_window_bits=9, {OFFER}; server_max_window_bits=12"],
        {**SHARED, "server_max_window_bits": "9"}, {"server_max_window_bits": "9"}),
    "the second in a field of its own": (
        [f"{OFFER}; server_max_window_bits=7", f"{OFFER}; server_max_window_bits=12"],
        {**SHARED, "server_max_window_bits": "12"}, {"server_max_window_bits": "12"}),
    "after an unknown parameter": ([f"{OFFER}; level=9, {OFFER}"], SHARED, {}),
    "after another extension": ([f"x-webkit-deflate-frame, bbf-usp; a=1, {OFFER}"], SHARED, {}),
}

# Offers that are answered as if they were not there, §7.1.
DECLINED = [
    "permessage-bzip2", "permessage-deflat", f"{OFFER}; unknown", f"{OFFER}; unknown=1",
    f"{OFFER}; server_max_window_bits",
    *(f"{OFFER}; {side}_max_window_bits={bits}" for side in ("server", "client")
      for bits in ("0", "7", "16", "08", "015", "+9", "-9", "9.0", "1e1", "nine", "10x", "9" * 30)),
    f'{OFFER}; server_max_window_bits="08"',
    f"{OFFER}; server_no_context_takeover=1", f"{OFFER}; client_no_context_takeover=true",
    f"{OFFER}; server_no_context_takeover; server_no_context_takeover",
    f"{OFFER}; client_max_window_bits; client_max_window_bits=10",
    f"{OFFER}; server_max_window_bits=10; server_max_window_bits=10",
]


@pytest.mark.parametrize("offers, shared, dedicated", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_offer(hosts, offers, shared, dedicated):
    assert answer_to(hosts["shared"], *offers) == shared
    assert answer_to(hosts["dedicated"], *offers) == dedicated
    assert answer_to(hosts["off"], *offers) is None


def test_the_client_keeps_no_context(hosts):
    """It says what it does, §7.1.1.2: an answer may say so too."""
    offer = f"{OFFER}; client_no_context_takeover"
    assert answer_to(hosts["shared"], offer) == SHARED
    assert answer_to(hosts["dedicated"], offer) in ({}, {"client_no_context_takeover": ""})


@pytest.mark.parametrize("offer", DECLINED)
def test_declined_offer(hosts, offer):
    for server in hosts.values():
        assert answer_to(server, offer) is None
    for mode in "shared", "dedicated":  # the next one is looked at
        expected = ACCEPTED["plain"][1 if mode == "shared" else 2]
        assert answer_to(hosts[mode], f"{offer}, {OFFER}") == expected


@pytest.mark.parametrize("bits", range(8, 16))
def test_window_is_answered(host, bits):
    agreed = answer_to(host, f"{OFFER}; server_max_window_bits={bits}; client_max_window_bits={bits}")
    assert int(agreed["server_max_window_bits"]) == bits  # "or smaller" would be allowed too
    assert 8 <= int(agreed.get("client_max_window_bits", bits)) <= bits


def test_no_offer_no_answer(hosts):
    for server in hosts.values():
        assert answer_to(server) is None


def test_shared_is_the_default(start_server):
    assert answer_to(start_server(), OFFER) == SHARED


# Frames, §6


@pytest.mark.parametrize("options, threshold", [([], 256), (["--compression-threshold", "1000"], 1000)])
@pytest.mark.parametrize("mode", ["shared", "dedicated"])
def test_threshold(start_server, mode, options, threshold):
    """Shorter messages go out as they are."""
    server = start_server("--compression", mode, *options, handlers=HANDLERS)
    deflate = Deflate()
    with connect(server) as wire:
        for size in [0, 1, threshold - 1, threshold, threshold + 1, 5, 70_000]:
            wire.send_frame(TEXT, "a" * size)
            received = wire.message()
            assert received.rsv == (RSV1 if size >= threshold else 0), size
            if mode == "shared":
                deflate.reset()
            payload = deflate.decompress(received.payload) if received.rsv else received.payload
            assert (received.opcode, payload) == (TEXT, b"a" * size)
            assert size < threshold or len(received.payload) < size // 2


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_535, 200_000])
def test_what_does_not_compress(host, size):
    """It may go out either way, and hardly grows."""
    deflate, data = Deflate(), random_bytes(size)
    with connect(host) as wire:
        wire.send_frame(BINARY, deflate.compress(data), rsv=RSV1)
        received = wire.message()
        assert (deflate.decompress(received.payload) if received.rsv else received.payload) == data
        assert len(received.payload) <= size + 16 + size // 1000


def test_reserved_bits_only_where_a_message_begins(start_server):
    """`/pieces` sends one message in three fragments, and a Ping between them."""
    for mode in "shared", "dedicated":
        server = start_server("--compression", mode, "--compression-threshold", "1", handlers=HANDLERS)
        with connect(server, path="/pieces") as wire:
            frames = [wire.frame() for _ in range(4)]
            assert all(each.rsv == 0 for each in frames if each.opcode != TEXT)
            data = [each for each in frames if each.opcode != PING]
            payload = b"".join(each.payload for each in data)
            assert [each.opcode for each in data] == [TEXT, CONTINUATION, CONTINUATION]
            assert (Deflate().decompress(payload) if data[0].rsv else payload) == b"abc"
            wire.send_frame(PING, b"p" * 125)
            wire.send_frame(PONG, bytes([1, 2, 3]))
            assert wire.frame() == Frame(PONG, b"p" * 125, True, 0)
            while (received := wire.frame()).opcode != CLOSE:  # "answered", and the handler returns
                pass
            assert received == Frame(CLOSE, close_body(1000), True, 0)


def test_messages_of_both_kinds(host):
    """A client may leave messages uncompressed whenever it wants, §6."""
    deflate = Deflate()
    with connect(host) as wire:
        for index in range(20):
            text = LONG_TEXT[index:index + 200]
            if index % 3:
                wire.send_frame(TEXT, text)
            else:
                deflate.reset()
                wire.send_frame(TEXT, deflate.compress(text), rsv=RSV1)
            assert wire.text() == text


BROKEN_FRAMES = {
    "RSV2": frame(TEXT, "x", rsv=2),
    "RSV3": frame(TEXT, "x", rsv=1),
    "RSV1 and RSV2": frame(TEXT, b"\0", rsv=RSV1 | 2),
    "RSV1 on a Ping": frame(PING, b"\0", rsv=RSV1),
    "RSV1 on a Pong": frame(PONG, b"\0", rsv=RSV1),
    "RSV1 on a Close": frame(CLOSE, close_body(1000), rsv=RSV1),
    "RSV1 on a continuation": frame(TEXT, "x", fin=False) + frame(CONTINUATION, "x", rsv=RSV1),
    "RSV1 on both": frame(TEXT, b"\xf2\x48", rsv=RSV1, fin=False)
    + frame(CONTINUATION, b"\xcd\xc9\xc9\x07\0", rsv=RSV1),
    "RSV1 on a continuation of nothing": frame(CONTINUATION, b"\0", rsv=RSV1),
}


@pytest.mark.parametrize("data", BROKEN_FRAMES.values(), ids=BROKEN_FRAMES)
def test_broken_frame(host, data):
    with connect(host) as wire:
        wire.echo()
        wire.send(data)
        wire.assert_failed(1002)


def test_compressed_without_agreement(hosts):
    for server, offer in [(hosts["off"], OFFER), (hosts["shared"], f"{OFFER}; unknown"), (hosts["dedicated"], "x")]:
        with Wire.open(server, Sec_WebSocket_Extensions=offer) as wire:
            wire.send_frame(TEXT, Deflate().compress("Hello"), rsv=RSV1)
            wire.assert_failed(1002)


# The examples of §7.2.3, all of them "Hello"


EXAMPLES = {
    "one block": b"\xf2\x48\xcd\xc9\xc9\x07\x00",
    "no compression": b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
    "BFINAL": b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
    "two blocks": b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
}


@pytest.mark.parametrize("payload", EXAMPLES.values(), ids=EXAMPLES)
def test_example(host, payload):
    with connect(host) as wire:
        wire.send_frame(TEXT, payload, rsv=RSV1)
        assert wire.text() == "Hello"
        for cut in range(len(payload) + 1):
            wire.send(frame(TEXT, payload[:cut], rsv=RSV1, fin=False) + frame(CONTINUATION, payload[cut:]))
            assert wire.text() == "Hello"


def test_example_of_an_empty_message(host):
    with connect(host) as wire:
        for opcode in TEXT, BINARY:
            wire.send_frame(opcode, b"\0", rsv=RSV1)
            assert wire.frame() == Frame(opcode, b"", True, 0)


@pytest.mark.parametrize("mode", ["shared", "dedicated"])
def test_example_of_a_shared_window(hosts, mode):
    """The second Hello refers to the first; who said client_no_context_takeover has forgotten that."""
    with connect(hosts[mode]) as wire:
        wire.send_frame(TEXT, EXAMPLES["one block"], rsv=RSV1)
        assert wire.text() == "Hello"
        wire.send_frame(TEXT, b"\xf2\x00\x11\x00\x00", rsv=RSV1)
        if mode == "dedicated":
            assert wire.text() == "Hello"
        else:
            wire.assert_failed(1007)


def test_short_messages_of_the_server(start_server):
    """Whatever the threshold, a message that does not get shorter may go out as it is."""
    for mode in "shared", "dedicated":
        server = start_server("--compression", mode, "--compression-threshold", "1", handlers=HANDLERS)
        with connect(server) as wire:
            wire.send_frame(TEXT, "Hello" * 10)
            received = wire.message()
            assert received.rsv == RSV1 and Deflate().decompress(received.payload) == b"Hello" * 10
        with connect(server) as wire:
            wire.send_frame(TEXT, "Hello")
            assert wire.message() in (
                Frame(TEXT, b"Hello", True, 0), Frame(TEXT, EXAMPLES["one block"], True, RSV1))


# Context takeover and windows, §7.1.1 and §7.1.2


@pytest.mark.parametrize("offer", [OFFER, f"{OFFER}; server_no_context_takeover; client_no_context_takeover"])
def test_context_takeover(host, offer):
    """A message that does not compress comes again: it costs next to nothing if the window is kept."""
    data = random_bytes(5_000)
    sending, receiving = Deflate(), Deflate()
    with connect(host, offer) as wire:
        agreed = parameters(wire.extensions)
        lengths = []
        for _ in range(5):
            if "client_no_context_takeover" in agreed:
                sending.reset()
            if "server_no_context_takeover" in agreed:
                receiving.reset()
            wire.send_frame(BINARY, sending.compress(data), rsv=RSV1)
            received = wire.message()
            assert receiving.decompress(received.payload) == data if received.rsv else received.payload == data
            lengths.append(len(received.payload))
        assert ("server_no_context_takeover" in agreed) == (min(lengths[1:]) > 1_000)


def repetitive():
    """A block again and again, at distances that each leave another window but not the next larger one; and
    enough zeros to make it shorter with any window."""
    block, noise = random_bytes(60, seed=1), random.Random(2)
    distances = [7 * 2 ** bits // 5 for bits in range(8, 15)]
    return block + b"".join(noise.randbytes(distance - len(block)) + block for distance in distances) + bytes(4_000)


def test_a_window_that_is_too_large_is_noticed():
    """The next test would see it."""
    for bits in range(9, 15):
        assert Deflate(bits).decompress(Deflate(bits).compress(repetitive())) == repetitive()
        with pytest.raises(zlib.error, match="too far back"):
            Deflate(bits).decompress(Deflate(bits + 1).compress(repetitive()))


@pytest.mark.parametrize("level", [None, 1, 6, 9])
@pytest.mark.parametrize("bits", range(8, 16))
@pytest.mark.parametrize("mode", ["shared", "dedicated"])
def test_window_is_honoured(hosts, start_server, mode, bits, level):
    options = ["--compression", mode, "--compression-level", level]
    server = start_server(*options, handlers=HANDLERS) if level else hosts[mode]
    deflate, data = Deflate(bits), repetitive()
    with connect(server, f"{OFFER}; server_max_window_bits={bits}") as wire:
        for _ in range(3):
            wire.send_frame(BINARY, data)
            received = wire.message()
            assert received.rsv == RSV1
            assert deflate.decompress(received.payload) == data
            if mode == "shared":
                deflate.reset()


@pytest.mark.parametrize("bits", range(9, 16))  # zlib cannot make smaller raw windows
def test_window_of_the_client(host, bits):
    deflate = Deflate(bits)
    with connect(host, f"{OFFER}; client_max_window_bits={bits}") as wire:
        for _ in range(3):
            wire.send_frame(BINARY, deflate.compress(repetitive()), rsv=RSV1)
            wire.send_frame(TEXT, "done")
            received = wire.message()
            assert received.opcode == BINARY
            assert (Deflate().decompress(received.payload) if received.rsv else received.payload) == repetitive()
            assert wire.text() == "done"
            if "client_no_context_takeover" in wire.extensions:
                deflate.reset()
            if "server_no_context_takeover" not in wire.extensions:
                break  # the next answer would need the window of this one


# Data, §7.2.2


def test_fragments_with_pings_between(host):
    payload = Deflate().compress(LONG_TEXT)
    for size in 1, 7, len(payload) // 2:
        parts = [payload[start:start + size] for start in range(0, len(payload), size)]
        data = frame(TEXT, b"", rsv=RSV1, fin=False)
        for number, part in enumerate(parts):
            data += frame(CONTINUATION, part, fin=False) + frame(PING, str(number))
        with connect(host) as wire:
            wire.send(data + frame(CONTINUATION, b""))
            for number in range(len(parts)):
                assert wire.frame() == Frame(PONG, str(number).encode(), True, 0)
            assert Deflate().decompress(wire.message().payload) == LONG_TEXT.encode()
            wire.echo()


def test_bytes_one_by_one(host):
    with connect(host) as wire:
        for byte in frame(TEXT, Deflate().compress(LONG_TEXT), rsv=RSV1):
            wire.send(bytes([byte]))
        assert Deflate().decompress(wire.message().payload) == LONG_TEXT.encode()


CORRUPT = {
    "block type 3": b"\xff\xff\xff",
    "block type 3 at the end": EXAMPLES["one block"][:-1] + b"\x06\x00",
    "length and its complement differ": b"\x00\x05\x00\xfa\xfeHello\x00",
    "nothing to refer to": b"\xf2\x00\x11\x00\x00",
    "cut off": Deflate().compress(LONG_TEXT)[:-20],
    "cut off in a stored block": b"\x00\x05\x00\xfa\xffHe",
    "noise": random_bytes(1_000),
    "not compressed": LONG_TEXT.encode(),
}


@pytest.mark.parametrize("payload", CORRUPT.values(), ids=CORRUPT)
def test_corrupt_data(host, payload):
    with connect(host) as wire:
        wire.send_frame(BINARY, payload, rsv=RSV1)
        wire.assert_failed(1007)
    with connect(host) as wire:  # in single bytes, after a message that was right
        wire.send_frame(TEXT, Deflate().compress("Hello"), rsv=RSV1)
        assert wire.text() == "Hello"
        if "client_no_context_takeover" not in wire.extensions and payload == CORRUPT["nothing to refer to"]:
            return
        data = frame(BINARY, b"", rsv=RSV1, fin=False)
        data += b"".join(frame(CONTINUATION, bytes([byte]), fin=False) for byte in payload)
        wire.send(data + frame(CONTINUATION, b""))
        wire.assert_failed(1007)


def test_random_corruption_ends_only_that_connection(host):
    """One byte of a message is another: the answer is a message, or the connection fails with 1007."""
    payload, noise = Deflate().compress(LONG_TEXT), random.Random(7692)
    for _ in range(200):
        changed = bytearray(payload)
        changed[noise.randrange(len(payload))] ^= 1 << noise.randrange(8)
        with connect(host) as wire:
            wire.send_frame(TEXT, changed, rsv=RSV1)
            received = wire.frame()
            if received.opcode == CLOSE:
                assert received.payload[:2] == (1007).to_bytes(2, "big")
            else:
                assert Deflate().decompress(received.payload) if received.rsv else received.fin
    with connect(host) as wire:
        wire.echo()


@pytest.mark.parametrize("text", [b"\xff", b"caf\xc3", b"\xed\xa0\x80", LONG_TEXT.encode() + b"\x80"],
                         ids=["FF", "cut off", "surrogate", "late"])
def test_bad_utf8(host, text):
    payload = Deflate().compress(text)
    with connect(host) as wire:
        wire.send_frame(TEXT, payload, rsv=RSV1)
        wire.assert_failed(1007)
    with connect(host) as wire:
        wire.send(frame(TEXT, payload[:1], rsv=RSV1, fin=False) + frame(CONTINUATION, payload[1:]))
        wire.assert_failed(1007)
    with connect(host) as wire:
        wire.send_frame(BINARY, payload, rsv=RSV1)
        received = wire.message()
        assert (Deflate().decompress(received.payload) if received.rsv else received.payload) == text


def test_characters_cut_by_blocks_and_fragments(host):
    """Every character of two bytes, in a block and a frame of its own each."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [deflater.compress(bytes([byte])) + deflater.flush(zlib.Z_SYNC_FLUSH) for byte in "été".encode() * 20]
    parts[-1] = parts[-1].removesuffix(b"\0\0\xff\xff")
    with connect(host) as wire:
        wire.send(frame(TEXT, b"", rsv=RSV1, fin=False)
                  + b"".join(frame(CONTINUATION, part, fin=False) for part in parts) + frame(CONTINUATION))
        assert wire.text() == "été" * 20


# Another client


CLIENT_OFFERS = {
    "plain": {}, "no context": {"server_no_context_takeover": True, "client_no_context_takeover": True},
    "small windows": {"server_max_window_bits": 9, "client_max_window_bits": 9},
    "any window": {"client_max_window_bits": True},
}


@pytest.mark.parametrize("offer", CLIENT_OFFERS.values(), ids=CLIENT_OFFERS)
@pytest.mark.parametrize("mode", MODES)
def test_python_websockets(hosts, mode, offer):
    messages = ["", "text", b"", b"bytes", LONG_TEXT, LONG_TEXT, "é" * 100_000, bytes(1 << 20), random_bytes(1 << 20)]

    async def talk():
        async with websockets.connect(
                hosts[mode].url("/echo"), max_size=None, compression=None,
                extensions=[ClientPerMessageDeflateFactory(**offer)]) as client:
            agreed = client.protocol.extensions
            assert len(agreed) == (0 if mode == "off" else 1)
            if mode != "off":
                forgets = mode == "shared" or "server_no_context_takeover" in offer
                assert agreed[0].remote_no_context_takeover == forgets
                assert agreed[0].local_no_context_takeover == forgets
            for message in messages * 2:
                await client.send(message)
                assert await client.recv() == message
            await client.send(["in", " ", "pieces"])
            assert await client.recv() == "in pieces"
    asyncio.run(asyncio.wait_for(talk(), 60))


# The command line


@pytest.mark.parametrize("options, text", [
    (["--compression", "on"], "shared"), (["--compression", ""], "shared"),
    (["--compression-level", "0"], "9"), (["--compression-level", "10"], "9"),
    (["--compression-level", "fast"], "9"), (["--compression-threshold", "-1"], "bytes"),
    (["--compression-threshold", "some"], "bytes"),
])
def test_wrong_arguments(options, text):
    code, output, errors = run_program("-w", HANDLERS, *options)
    assert code == 2 and output == ""
    assert options[0] in errors and text in errors
