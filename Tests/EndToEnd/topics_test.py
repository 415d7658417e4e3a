"""Topics over real sockets: many subscribers, slow ones, several threads, TLS and compression."""

import ssl

import pytest
import websockets.sync.client as websockets

from conftest import Server
from wire import DEADLINE, HANDLERS, TEXT, Wire, resident_bytes, wait_until


@pytest.fixture(scope="module")
def server():
    server = Server("--threads", "3", handlers=HANDLERS)
    yield server
    server.stop()


def subscribe(server, topic, slow="close", **options):
    return Wire.open(server, f"/topics?topic={topic}&slow={slow}", **options)


def publisher(server, topic):
    """It publishes, and gets nothing but the counts."""
    return Wire.open(server, f"/topics?topic={topic}&silent=")


def publish(wire, text):
    """Receivers, skipped, closed."""
    wire.send_frame(TEXT, text)
    return [int(word) for word in wire.text().split()]


def counters(wire):
    wire.send_frame(TEXT, "counters")
    return [int(word) for word in wire.text().split()]


@pytest.mark.parametrize("slow", ["close", "skip-newest", "skip-oldest", "latest"])
def test_one_of_a_hundred_does_not_read(server, slow):
    """99 get everything in order, and what waits for the hundredth is bounded. Every message is accounted for."""
    count, text, owed = 1_500, "x" * 4_000, 0
    readers = [subscribe(server, slow, slow) for _ in range(99)]
    deaf = subscribe(server, slow, slow, receive_buffer=4_096)
    with publisher(server, slow) as wire:
        before = counters(wire)
        memory = resident_bytes(server.process.pid)
        for number in range(count):
            counts = publish(wire, f"{number} {text}")
            assert sum(counts) == 100 or (slow == "close" and sum(counts) == 99), counts
            owed += sum(counts)
            for reader in readers:
                assert reader.text() == f"{number} {text}"
        # 6 MB were published. 1 MiB may wait in the server, and less in the kernel, which is not counted here.
        assert resident_bytes(server.process.pid) < memory + (32 << 20)
        if slow == "close":
            code, reason = deaf.close_frame()
            assert (code, reason) == (1013, "too far behind")
        else:
            owed += sum(publish(wire, "the last one"))
            numbers = []
            while (received := deaf.text()) != "the last one":
                numbers.append(int(received.split()[0]))
                if slow == "skip-newest" and numbers[-1] != len(numbers) - 1:
                    break
            assert numbers == sorted(set(numbers)) and len(numbers) < count
            # With "latest" the last one took its place.
            assert (count - 1 in numbers) == (slow == "skip-oldest")
        deaf.socket.close()
        for reader in readers:
            reader.socket.close()
        while members := sum(publish(wire, "who is left?")):
            owed += members
        delivered, skipped, closed = (now - then for now, then in zip(counters(wire), before))
        assert delivered >= 99 * count and (slow == "close") == (skipped == 0)
        assert delivered + skipped + closed == owed


def test_one_order_on_all_loops(server):
    """Three publish at once; forty subscribers on three threads get the same."""
    readers = [subscribe(server, "order") for _ in range(40)]
    writers = [publisher(server, "order") for _ in range(3)]
    for number in range(300):
        for index, writer in enumerate(writers):
            writer.send_frame(TEXT, f"{index} {number}")
    received = [[reader.text() for _ in range(900)] for reader in readers]
    assert all(each == received[0] for each in received)
    for index in range(3):
        own = [text for text in received[0] if text.startswith(f"{index} ")]
        assert own == [f"{index} {number}" for number in range(300)]
    for wire in readers + writers:
        wire.socket.close()


def test_who_vanishes_costs_nobody_anything(server):
    """Subscribers come and are reset in the middle of a stream of messages."""
    with subscribe(server, "vanish") as reader, publisher(server, "vanish") as wire:
        for number in range(300):
            with_others = subscribe(server, "vanish")
            publish(wire, str(number))
            with_others.reset()
            assert reader.text() == str(number)
        wait_until(lambda: publish(wire, "end")[0] == 1)


@pytest.mark.parametrize("size", [10, 3_000, 200_000])
def test_compressed_and_not(server, size):
    """A client of another make understands what is compressed once for all, beside one without compression."""
    url = f"ws://localhost:{server.port}/topics?topic=compressed{size}"
    text = "many times, " * (size // 12)
    with websockets.connect(url) as one, websockets.connect(url) as two, \
            websockets.connect(url, compression=None) as plain, publisher(server, f"compressed{size}") as wire:
        assert "permessage-deflate" in one.response.headers["Sec-WebSocket-Extensions"]
        for number in range(5):
            assert publish(wire, f"{number} {text}") == [3, 0, 0]
            for each in (one, two, plain):
                assert each.recv(timeout=DEADLINE) == f"{number} {text}"


def test_tls_and_context(start_server):
    """Encrypted subscribers, and compression that keeps a context for each."""
    server = start_server("--tls-self-signed", "--compression", "dedicated", handlers=HANDLERS)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    url = f"wss://localhost:{server.port}/topics?topic=tls"
    with websockets.connect(url, ssl=context) as one, websockets.connect(url, ssl=context) as two:
        text = "many times, " * 20_000
        for number in range(20):
            one.send(f"{number} {text}")
            assert one.recv(timeout=DEADLINE) == "1 0 0"
            assert two.recv(timeout=DEADLINE) == f"{number} {text}"
