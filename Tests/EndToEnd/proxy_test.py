"""The shipped proxy between a client and another server: closes, subprotocols, slow ends, servers that fail."""

import contextlib
import os
import socket
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from conftest import Server
from wire import DEADLINE, resident_bytes, wait_until

# More than all buffers on the way may hold.
LIMIT = 64 << 20
MEMORY_LIMIT = 32 << 20


class Upstream:
    """A server of another make, which notes how each of its connections was closed."""

    def __init__(self):
        self.closes = []
        self.reads = threading.Event()
        self.reads.set()
        self.flood = 0
        self.server = serve(
            self.talk, "127.0.0.1", 0, max_size=None, compression=None,
            select_subprotocol=lambda _, offered: "chat.v1" if "chat.v1" in offered else None)
        self.port = self.server.socket.getsockname()[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def talk(self, connection):
        try:
            connection.send(f"subprotocol {connection.subprotocol}")
            for message in connection:
                if message == "close":
                    connection.close(4321, "as you wish")
                elif message == "drop":
                    connection.socket.shutdown(socket.SHUT_RDWR)
                elif message == "flood":
                    while True:
                        connection.send(b"x" * 65536)
                        self.flood += 65536
                elif message == "deaf":
                    self.reads.clear()
                    self.reads.wait(DEADLINE)
                else:
                    connection.send(message)
        except ConnectionClosed:
            pass
        self.closes.append((connection.protocol.close_rcvd and connection.protocol.close_rcvd.code,
                            connection.protocol.close_rcvd and connection.protocol.close_rcvd.reason))


@pytest.fixture(scope="module")
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.server.shutdown()


def started(url, *options):
    os.environ["UPSTREAM"] = url
    try:
        return Server(*options)
    finally:
        del os.environ["UPSTREAM"]


@pytest.fixture(scope="module")
def server(upstream):
    server = started(f"ws://127.0.0.1:{upstream.port}/")
    yield server
    server.stop()


def wait_for_close(upstream, code, reason=""):
    """Waits until a connection of the other server was closed so, and takes that one."""
    wait_until(lambda: (code, reason) in upstream.closes, DEADLINE)
    upstream.closes.remove((code, reason))


def test_messages_and_the_subprotocol_go_through(server, upstream):
    with connect(server.url("/proxy"), subprotocols=["chat.v9", "chat.v1"]) as client:
        assert client.subprotocol == "chat.v1" and client.recv(DEADLINE) == "subprotocol chat.v1"
        for message in ["hello", b"\0\xff", "", "ä" * 40_000]:
            client.send(message)
            assert client.recv(DEADLINE) == message
    wait_for_close(upstream, 1000)


def test_the_clients_close_reaches_the_other_server(server, upstream):
    with connect(server.url("/proxy")) as client:
        assert client.recv(DEADLINE) == "subprotocol None"
        client.close(4001, "enough")
    wait_for_close(upstream, 4001, "enough")


def test_the_other_servers_close_reaches_the_client(server):
    with connect(server.url("/proxy")) as client:
        client.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(DEADLINE)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "as you wish")


def test_a_client_that_vanishes_closes_the_other_connection(server, upstream):
    with connect(server.url("/proxy")) as client:
        assert client.recv(DEADLINE) == "subprotocol None"
        client.socket.shutdown(socket.SHUT_RDWR)
    wait_for_close(upstream, 1001)


def test_another_server_that_vanishes_is_a_bad_gateway(server):
    with connect(server.url("/proxy")) as client:
        client.send("drop")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(DEADLINE)
    assert closed.value.rcvd.code == 1014


def final_value(read):
    """The value that stays the same for a second."""
    value = None
    while value != (value := read()):
        time.sleep(1)
    return value


def test_a_server_that_does_not_read_stops_the_client(server, upstream):
    before, sent = resident_bytes(server.pid), 0
    with connect(server.url("/proxy"), compression=None, close_timeout=0.1) as client:
        assert client.recv(DEADLINE) == "subprotocol None"
        client.send("deaf")
        wait_until(lambda: not upstream.reads.is_set(), DEADLINE)
        client.socket.settimeout(1)
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            while sent < LIMIT:
                client.send(b"y" * 65536)
                sent += 65536
        assert sent < LIMIT and resident_bytes(server.pid) - before < MEMORY_LIMIT
        upstream.reads.set()


def test_a_client_that_does_not_read_stops_the_server(server, upstream):
    before = resident_bytes(server.pid)
    with connect(server.url("/proxy"), compression=None, max_queue=1, close_timeout=0.1) as client:
        client.send("flood")
        assert client.recv(DEADLINE) == "subprotocol None"  # and asks for no more
        assert 0 < final_value(lambda: upstream.flood) < LIMIT
        assert resident_bytes(server.pid) - before < MEMORY_LIMIT
        with connect(server.url("/proxy")) as other:
            assert other.recv(DEADLINE) == "subprotocol None"
            other.send("hello")
            assert other.recv(DEADLINE) == "hello"


def refusal(server, **options):
    with pytest.raises(InvalidStatus) as refused:
        connect(server.url("/proxy"), open_timeout=DEADLINE, **options)
    return refused.value.response.status_code


@pytest.mark.parametrize("answer", ["nobody", "closes", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "SSH-2.0"])
def test_a_server_that_cannot_be_used_is_a_bad_gateway(answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def talk():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    if answer != "closes":
                        connection.sendall(answer.encode())

        if answer == "nobody":
            listener.close()
        else:
            threading.Thread(target=talk, daemon=True).start()
        server = started(f"ws://127.0.0.1:{port}/")
        try:
            assert refusal(server) == 502
            server.wait_for_line(f"ws://127.0.0.1:{port}/: ")
        finally:
            server.stop()


def test_a_server_that_never_answers_is_given_up_with_the_client():
    """The client leaves; the dial, which would wait for ten seconds, ends with it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = started(f"ws://127.0.0.1:{listener.getsockname()[1]}/")
        try:
            client = socket.create_connection(("127.0.0.1", server.port))
            client.sendall(
                b"GET /proxy HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            listener.settimeout(DEADLINE)
            connection, _ = listener.accept()
            connection.settimeout(5)
            assert connection.recv(65536).startswith(b"GET / HTTP/1.1\r\n")
            client.close()
            assert connection.recv(65536) == b""
        finally:
            server.stop()
