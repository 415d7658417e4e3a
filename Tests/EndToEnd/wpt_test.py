"""What the web platform tests need of a server: ports of what their handlers do, and a client that looks at bytes.

The handlers are in handlers/wpt. They answer browsers' tests, so half of what they do is wrong on purpose.
"""

import itertools
import socket
import time
import uuid

import pytest
from conftest import Server
from wire import (
    ACCEPT, BINARY, CLOSE, HANDLERS, PING, PONG, RSV1, TEXT, Wire, close_body, frame, handshake, wait_until)

OFFER = "permessage-deflate"
# The answer to wire.KEY, as this server writes it.
ANSWER = f"""HTTP/1.1 101 Switching Protocols\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Accept: {ACCEPT}\r
""".encode()


@pytest.fixture(scope="module")
def server():
    server = Server(handlers=HANDLERS)
    yield server
    server.stop()


def shake(server, path, **changes):
    """A connection that has sent a handshake, and the answer's bytes up to the empty line."""
    wire = Wire.connect(server)
    wire.send(handshake("/wpt/" + path, **changes))
    while b"\r\n\r\n" not in wire.buffer:
        data = wire.receive()
        assert data, f"the connection ended with {wire.buffer[:200]!r}"
        wire.buffer += data
    head, wire.buffer = wire.buffer.split(b"\r\n\r\n", 1)
    return wire, head + b"\r\n"


def open_wire(server, path, **changes):
    return Wire.open(server, "/wpt/" + path, **changes)


# --- The handshake ----------------------------------------------------------------------------------

@pytest.mark.parametrize("offered, answer, expected", [
    ("chat, superchat", "superchat", "superchat"),
    ("chat, superchat", "chat", "chat"),
    ("chat, superchat", "other", "other"),  # not offered
    (None, "foobar", "foobar"),  # none was offered
    ("chat, superchat", None, None),
    (None, None, None),
])
def test_any_subprotocol_or_none(server, offered, answer, expected):
    offer = {} if offered is None else {"Sec_WebSocket_Protocol": offered}
    wire, head = shake(server, "protocol" + (f"?answer={answer}" if answer else ""), **offer)
    with wire:
        assert head == ANSWER + (f"Sec-WebSocket-Protocol: {expected}\r\n".encode() if expected else b"")
        assert wire.text() == (expected or "none")


def test_the_first_subprotocol_of_a_list(server):
    wire, head = shake(server, "protocol_array", Sec_WebSocket_Protocol="foobar, foobar2")
    with wire:
        assert head == ANSWER + b"Sec-WebSocket-Protocol: foobar\r\n"
        assert wire.text() == "foobar"


def test_no_extensions(server):
    wire, head = shake(server, "no_extensions", Sec_WebSocket_Extensions=OFFER)
    with wire:
        assert head == ANSWER
        wire.send_frame(TEXT, "plain " * 100)
        assert wire.text() == "plain " * 100
        wire.send_frame(TEXT, b"", rsv=RSV1)
        wire.assert_failed(1002)
    wire, head = shake(server, "no_extensions?keep", Sec_WebSocket_Extensions=OFFER)
    with wire:
        assert b"Sec-WebSocket-Extensions: permessage-deflate" in head


def test_fields_one_by_one(server):
    query = "Set-Cookie=a=1&Set-Cookie=b=2;%20HttpOnly&X-Test=yes&Set-Cookie=c=3"
    wire, head = shake(server, "fields?" + query)
    with wire:
        assert head == ANSWER + (b"Set-Cookie: a=1\r\nSet-Cookie: b=2; HttpOnly\r\n"
                                 b"X-Test: yes\r\nSet-Cookie: c=3\r\n")


@pytest.mark.parametrize("query", [
    "X-A=b%0D%0AX-Injected:%20d", "X-A=b%0AX-Injected:%20d", "X-A=b%0Dc", "X-A=%00", "X-A%0D%0AX-Injected=d",
])
def test_a_field_with_a_line_break_is_refused(server, query):
    wire, head = shake(server, "fields?" + query)
    with wire:
        assert head.startswith(b"HTTP/1.1 403 ") and b"X-Injected" not in head


def test_sleep_before_the_answer(server):
    began = time.monotonic()
    wire, head = shake(server, "handshake_sleep?milliseconds=700")
    with wire:
        assert 0.7 <= time.monotonic() - began < 7
        assert head == ANSWER
        assert wire.text() == "awake"


@pytest.mark.parametrize("authorization, is_welcome", [
    (None, False), ("Basic Zm9vOmJhcg==", True), ("Basic Zm9vOmJheg==", False),
])
def test_401(server, authorization, is_welcome):
    wire, head = shake(server, "basic_auth", **({"Authorization": authorization} if authorization else {}))
    with wire:
        if is_welcome:
            assert head == ANSWER and wire.text() == "welcome"
        else:
            first, *lines = head.decode().split("\r\n")
            assert first == "HTTP/1.1 401 Unauthorized"
            assert 'WWW-Authenticate: Basic realm="camelot"' in lines


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect(server, status):
    wire, head = shake(server, f"redirect?status={status}&to=ws://example.com/echo")
    with wire:
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"\r\nLocation: ws://example.com/echo\r\n" in head


def test_what_came_with_the_handshake(server):
    fields = {"Origin": "http://web-platform.test:8000", "Referer": "http://a.test/b", "Cookie": "a=1; b=2"}
    with open_wire(server, "origin?foo=bar%20", **fields) as wire:
        assert [wire.text() for _ in range(4)] == [*fields.values(), "foo=bar%20"]
    with open_wire(server, "origin") as wire:
        assert [wire.text() for _ in range(4)] == ["(none)", "(none)", "(none)", ""]


# --- Bytes of one's own -----------------------------------------------------------------------------

def test_garbage_before_the_answer(server):
    wire, garbage = shake(server, "invalid")
    with wire:
        assert garbage == b"FOO BAR BAZ\r\n"
        assert wire.read(len(ANSWER) + 2) == ANSWER + b"\r\n"
        assert wire.text() == "behind the garbage"


def test_a_wrong_answer_and_on(server):
    wire, head = shake(server, "wrong_accept_key", Sec_WebSocket_Extensions=OFFER)
    with wire:
        assert head == (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: bad\r\n")
        wire.echo()
        wire.send_frame(CLOSE, close_body(1000))
        assert wire.close_frame() == (1000, "")


def test_an_answer_and_a_close_in_one_piece(server):
    key = str(uuid.uuid4())
    wire, head = shake(server, f"simple_handshake?key={key}")
    with wire:
        assert head == ANSWER
        assert wire.read(8) == b"\x88\x06\x03\xe9PASS"
        sent = frame(CLOSE, close_body(1001)) + b"anything at all\xff\x00"
        for byte in sent:
            wire.send(bytes([byte]))
        wire.socket.shutdown(socket.SHUT_WR)
        wire.assert_end()
    with open_wire(server, "stash_responder") as stash:
        stash.send_frame(TEXT, f"take {key}")
        assert stash.text() == sent.hex()


@pytest.mark.parametrize("sent", [
    b"\x81\x05Hello", b"\x83\x00", b"\xf1\x00", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
    b"\x81\x7e\x00\x05Hello", b"\x81\xff\x80\x00", b"\x01\x03Hel\x80\x02lo",
    b"\x89\x7e\x00\x7e" + b"x" * 126, b"not a frame\r\n",
])
def test_raw_frames_after_the_handshake(server, sent):
    with open_wire(server, "echo_raw") as wire:
        wire.send_frame(BINARY, sent)
        assert wire.read(len(sent)) == sent
        wire.send_frame(BINARY, b"\x81\x00")
        assert wire.text() == ""


# --- Closing ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("query, body", [
    ("?code=1000", close_body(1000)),
    ("?code=3456&reason=my%20own%20reason", close_body(3456, "my own reason")),
    ("?code=4999&reason=%c3%a9", close_body(4999, "é")),
    ("", b""),
])
def test_the_server_closes_first(server, query, body):
    with open_wire(server, "remote_close" + query) as wire:
        received = wire.frame()
        assert (received.opcode, received.payload) == (CLOSE, body)
        wire.send_frame(CLOSE, body)
        wire.assert_end()


def test_a_ping_and_the_end_of_tcp(server):
    with open_wire(server, "remote_close?abrupt") as wire:
        received = wire.frame()
        assert (received.opcode, received.payload) == (PING, b"last")
        wire.assert_end()


@pytest.mark.parametrize("text, body", [("exit", close_body(1000)), ("Goodbye", close_body(1000, "Goodbye"))])
def test_echo_ends_when_told(server, text, body):
    with open_wire(server, "echo_exit") as wire:
        wire.echo()
        wire.send_frame(TEXT, text)
        if text == "Goodbye":
            assert wire.text() == text
        received = wire.frame()
        assert (received.opcode, received.payload) == (CLOSE, body)


def test_no_answer_to_a_close(server):
    with open_wire(server, "passive_close_abort") as wire:
        wire.echo()
        wire.send_frame(CLOSE, close_body(1000))
        wire.assert_end()


@pytest.mark.parametrize("body", [close_body(1000), close_body(4000, "so late"), b""])
def test_a_late_answer_to_a_close(server, body):
    with open_wire(server, "delayed_passive_close") as wire:
        wire.echo()
        began = time.monotonic()
        wire.send_frame(CLOSE, body)
        received = wire.frame()
        assert 1 <= time.monotonic() - began < 8
        assert (received.opcode, received.payload) == (CLOSE, body)
        wire.assert_end()


# --- Receiving and sending --------------------------------------------------------------------------

def test_an_empty_message_is_not_the_end(server):
    with open_wire(server, "empty_message") as wire:
        wire.send_frame(TEXT, "")
        wire.send_frame(TEXT, "not empty")
        assert wire.close_frame() == (1000, "pass")
    with open_wire(server, "empty_message") as wire:
        wire.send_frame(TEXT, "", fin=False)
        wire.send_frame(0, "")
        wire.send_frame(TEXT, "not empty")
        assert wire.close_frame() == (1000, "pass")
    with open_wire(server, "empty_message") as wire:
        wire.send_frame(CLOSE, close_body(1000))
        assert wire.close_frame() == (1000, "")


MESSAGE = frame(BINARY, b"x" * 65_536)


def send_until_it_stops(wire, limit=256 << 20):
    """Sends messages while the socket takes them; how many bytes it took until it did not for a while."""
    stream = itertools.cycle([memoryview(MESSAGE)])
    rest, count = next(stream), 0
    wire.socket.settimeout(1)
    try:
        while count < limit:
            taken = wire.socket.send(rest)
            count += taken
            rest = rest[taken:] or next(stream)
    except TimeoutError:
        pass
    wire.socket.settimeout(60)
    return count, rest if len(rest) < len(MESSAGE) else b""


def test_back_pressure_reaches_a_client_that_sends(server):
    key = str(uuid.uuid4())
    with open_wire(server, f"receive_backpressure?key={key}") as wire:
        assert wire.text() == "not receiving"
        count, rest = send_until_it_stops(wire)
        # What two sockets' buffers hold, and 64 KiB; the server took no more.
        assert count < 32 << 20
        with open_wire(server, "stash_responder") as stash:
            stash.send_frame(TEXT, f"put {key} go")
            assert stash.text() == "kept"
        wire.send(rest)
        wire.send_frame(TEXT, "how many?")
        assert wire.text() == str((count + len(rest)) // len(MESSAGE) * 65_536)


def test_send_waits_for_a_client_that_reads_late(server):
    key = str(uuid.uuid4())
    with open_wire(server, "stash_count") as stash:
        def count():
            stash.send_frame(TEXT, key)
            return int(stash.text())
        with open_wire(server, f"send_backpressure?key={key}", receive_buffer=65_536) as wire:
            counts = [-1]
            def is_steady():
                counts.append(count())
                return counts[-1] > 0 and len(counts) > 40 and len(set(counts[-40:])) == 1
            # The socket's own buffers hold some of the sixteen.
            wait_until(is_steady)
            assert 0 < counts[-1] < 16
            for _ in range(16):
                assert wire.message().payload == b" " * (1 << 20)
            assert wire.text() == "done"
        assert count() == 16


def test_one_task_sends_while_another_one_receives(server):
    with open_wire(server, "send_while_receiving") as wire:
        assert wire.text() == "tick 0"
        wire.send_frame(TEXT, "one")
        wire.send_frame(PING, b"ping")
        texts, pongs = [], []
        while len(texts) < 5:
            received = wire.frame()
            (pongs if received.opcode == PONG else texts).append(received.payload)
        assert pongs == [b"ping"]
        assert sorted(texts) == [b"got one", *(b"tick %d" % number for number in range(1, 5))]


# --- State that handlers share ----------------------------------------------------------------------

def test_a_channel_between_two_connections(server):
    key = uuid.uuid4()
    with open_wire(server, f"msg_channel?uuid={key}&direction=read") as reader:
        with open_wire(server, f"msg_channel?uuid={key}&direction=write") as writer:
            for text in ["one", "zwei ü", "three"]:
                writer.send_frame(TEXT, text)
                assert reader.text() == text
            writer.send_frame(CLOSE, close_body(1000))
            assert writer.close_frame() == (1000, "")
        assert reader.close_frame() == (1000, "")


def test_a_channel_keeps_what_nobody_reads_yet(server):
    key = uuid.uuid4()
    with open_wire(server, f"msg_channel?uuid={key}&direction=write") as writer:
        for number in range(100):
            writer.send_frame(TEXT, str(number))
        with open_wire(server, f"msg_channel?uuid={uuid.uuid4()}&direction=read") as other:
            with open_wire(server, f"msg_channel?uuid={key}&direction=read") as reader:
                assert [reader.text() for _ in range(100)] == [str(number) for number in range(100)]
            other.send_frame(PING, b"still")
            received = other.frame()
            assert (received.opcode, received.payload) == (PONG, b"still")  # and nothing of the other key


def test_a_wait_ends_when_there_is_something(server):
    key = uuid.uuid4()
    with open_wire(server, "stash_responder") as one, open_wire(server, "stash_responder") as two:
        one.send_frame(TEXT, f"take {key}")
        one.send_frame(PING, b"waiting")
        assert one.frame().payload == b"waiting"
        two.send_frame(TEXT, f"put {key} here you are")
        assert two.text() == "kept"
        assert one.text() == "here you are"


def test_a_taker_that_is_gone_takes_nothing(server):
    key = str(uuid.uuid4())
    with open_wire(server, "stash_count") as counter, open_wire(server, "stash_responder") as two:
        def count():
            counter.send_frame(TEXT, key)
            return int(counter.text())
        one = open_wire(server, "stash_responder")
        one.send_frame(TEXT, f"take {key}")
        wait_until(lambda: count() == -1)
        one.reset()
        wait_until(lambda: count() == 0)  # its task is cancelled --close-timeout later
        two.send_frame(TEXT, f"put {key} for whom")
        assert two.text() == "kept"
        assert count() == 1
